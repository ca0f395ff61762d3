"""Layers whose filters are added to one another are found by running the network once."""

import pytest
import torch
from torch import nn

import uticket_lite as ut
from uticket_lite.training.networks import make_network

IMAGES = torch.rand(2, 3, 8, 8)


def ties(network, sample=IMAGES, **options):
    return {frozenset(group) for group in ut.Ticket.from_model(network, sample, **options).ties}


def groups(*names):
    return {frozenset(group.split()) for group in names}


class BasicBlock(nn.Module):
    """As in torchvision."""

    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = None
        if stride != 1 or channels != filters:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += identity
        return self.relu(out)


def resnet():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        BasicBlock(8, 8),
        BasicBlock(8, 16, stride=2),
        BasicBlock(16, 16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 5),
    )


def test_basic_blocks_tie_what_they_add():
    wanted = groups("0 2.conv2", "3.conv2 3.downsample.0 4.conv2")
    assert ties(resnet()) == wanted


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_compiled_networks_are_tied_alike():
    network = torch.compile(resnet(), backend="eager")
    network(IMAGES)
    assert ties(network) == groups("0 2.conv2", "3.conv2 3.downsample.0 4.conv2")


def test_the_spiking_resnet_is_tied_stage_by_stage():
    network = make_network("resnet19-small", 2)
    ticket = ut.Ticket.from_model(network, torch.rand(2, 3, 16, 16), timesteps=2)
    named = {name.removesuffix(".conv").removesuffix(".0"): name for name in ticket.layers}
    found = {frozenset(group) for group in ticket.ties}
    assert len(found) == 3
    for group, (last, ends) in zip(sorted(found, key=len), enumerate((3, 4, 4)), strict=True):
        assert len(group) == ends, (last, group, list(named))
    assert "ties_unknown" not in ticket.provenance


@pytest.mark.parametrize("name", ["digits", "vgg16-small"])
def test_plain_chains_have_no_ties(name):
    network = make_network(name, 2)
    sample = torch.rand(2, *((1, 8, 8) if name == "digits" else (3, 16, 16)))
    ticket = ut.Ticket.from_model(network, sample, timesteps=2)
    assert ticket.ties == ()
    assert "ties_unknown" not in ticket.provenance


class Gate(nn.Module):
    """Squeeze and excitation: a linear layer's outputs scale a convolution's filters."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3)
        self.gate = nn.Linear(6, 6)

    def forward(self, x):
        x = self.conv2(self.conv1(x))
        return x * self.gate(x.mean((2, 3))).sigmoid()[:, :, None, None]


class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.depth = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.point = nn.Conv2d(6, 6, 1)

    def forward(self, x):
        return self.point(self.depth(self.conv1(x)).relu())


class Steps(nn.Module):
    """Time in a loop, the steps put into a tensor, two branches in a stack that is summed."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3)
        self.conv3 = nn.Conv2d(6, 4, 1)

    def forward(self, x):
        out = torch.zeros(3, 2, 6, 6, 6)
        memory = torch.zeros(2, 6, 6, 6)
        for t in range(3):
            memory = 0.5 * memory + torch.stack([self.conv1(x), self.conv2(x)]).sum(0)
            out[t] = (memory > 1).float()
        return self.conv3(out.flatten(0, 1)).unflatten(0, (3, 2)).mean(0)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        return x + self.down(self.up(self.norm(x)).relu())


class Reverse(torch.autograd.Function):
    """Leaves torch and comes back, as spikes of compiled neurons do."""

    @staticmethod
    def forward(context, x):
        return torch.from_numpy((x.detach().numpy() > 0).astype("float32"))


class Neurons(nn.Module):
    def forward(self, x):
        return Reverse.apply(x)


class Numpy(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3, padding=1)
        self.neurons = Neurons()

    def forward(self, x):
        x = self.neurons(self.conv1(x))
        return self.neurons(self.conv2(x)) + x


@pytest.mark.parametrize(
    ("network", "wanted"),
    [
        (Gate, groups("conv2 gate")),
        (Depthwise, groups("conv1 depth")),
        (Steps, groups("conv1 conv2")),
        (Tokens, groups("patch down")),
        (Numpy, groups("conv1 conv2")),
    ],
)
def test_filters_meet_in_gates_depths_stacks_tokens_and_beyond_torch(network, wanted):
    ticket = ut.Ticket.from_model(network(), IMAGES, batch_dims=1)
    assert {frozenset(group) for group in ticket.ties} == wanted
    assert "ties_unknown" not in ticket.provenance


class Dense(nn.Module):
    """Channels of two layers side by side, added to those of a third."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        self.conv3 = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        x = torch.cat([self.conv1(x), self.conv2(x)], 1)
        return x + self.conv3(x)


class OnInput(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(self.conv1(x))


class Groups(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=2)
        self.norm = nn.GroupNorm(2, 8)

    def forward(self, x):
        return self.norm(self.conv2(self.conv1(x)))


@pytest.mark.parametrize(
    ("network", "unknown"),
    [
        (Dense, {"conv1": "cannot be told", "conv2": "cannot be told", "conv3": "cannot be told"}),
        (OnInput, {"conv2": "the network's input"}),
        (Groups, {"conv1": "groups of conv2", "conv2": "neighbouring channels"}),
    ],
)
def test_what_cannot_be_told_is_said(network, unknown):
    found = ut.Ticket.from_model(network(), IMAGES).provenance["ties_unknown"]
    assert found.keys() == unknown.keys()
    for name, reason in unknown.items():
        assert reason in found[name]


def test_side_by_side_alone_ties_nothing():
    class Inception(Dense):
        def forward(self, x):
            return self.conv3(torch.cat([self.conv1(x), self.conv2(x)], 1))

    ticket = ut.Ticket.from_model(Inception(), IMAGES)
    assert ticket.ties == ()
    assert "ties_unknown" not in ticket.provenance
