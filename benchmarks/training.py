"""Training steps: fused neurons beside stepping through time, and beside no neurons at all; and
gradients of wide convolutions over few positions, beside torch's own."""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.measure import Figure, Timed, medians
from benchmarks.stepping import Stepped
from uticket_lite.training.convolution import Conv3x3
from uticket_lite.training.loop import make_optimizer
from uticket_lite.training.networks import make_network

TIMESTEPS = 4
CASES = {"digits": (64, (1, 8, 8), 2.0, 21), "vgg9": (16, (3, 32, 32), 1.8, 5)}
"""Network to images in a batch, an image's shape, the speed-up over stepping, and repeats."""


class NoNeuron(nn.Module):
    """Lets currents through: what is left of a step is what neurons cannot make quicker."""

    def forward(self, x: Tensor, timesteps: int | None = None) -> Tensor:
        """x, repeated over time if it is constant."""
        return x if timesteps is None else x.expand(timesteps, *x.shape)


def spikingjelly_neuron() -> Callable[[], nn.Module] | None:
    """SpikingJelly's multi-step torch neurons with the same constants; None if not installed."""
    try:
        from spikingjelly.activation_based import neuron, surrogate
    except ImportError:
        return None

    class MultiStep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.neuron = neuron.LIFNode(
                tau=4 / 3,
                decay_input=False,
                v_reset=0.0,
                surrogate_function=surrogate.ATan(),
                detach_reset=True,
                step_mode="m",
            )

        def forward(self, x: Tensor, timesteps: int | None = None) -> Tensor:
            self.neuron.reset()
            return self.neuron(x if timesteps is None else x.expand(timesteps, *x.shape))

    return MultiStep


def with_torchs_gradients(network: nn.Module) -> nn.Module:
    """The network, whose convolutions learn as `nn.Conv2d` does."""
    for module in network.modules():
        if isinstance(module, Conv3x3):
            module.__class__ = nn.Conv2d
    return network


def training_step(network: nn.Module) -> Callable[[tuple[Tensor, Tensor]], None]:
    """One step on a batch: forward, backward, optimizer."""
    optimizer = make_optimizer(network)
    optimizer.param_groups[0]["lr"] = 0.01

    def step(batch: tuple[Tensor, Tensor]) -> None:
        images, labels = batch
        loss = functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def figures() -> Iterator[Figure]:
    """Seconds of a step at T = 4, same network, batch and threads."""
    for name, (batch, shape, speedup, repeats) in CASES.items():
        networks = {
            "fused": make_network(name, TIMESTEPS),
            # As tutorials do: plain layout.
            "stepped": Stepped(make_network(name, TIMESTEPS, norm="stepwise")).to(
                memory_format=torch.contiguous_format
            ),
            "bare": make_network(name, TIMESTEPS, neuron=NoNeuron),
        }
        if multi_step := spikingjelly_neuron():
            networks["jelly"] = make_network(name, TIMESTEPS, neuron=multi_step)
        torch.manual_seed(0)
        inputs = itertools.repeat((torch.randn(batch, *shape), torch.randint(0, 10, (batch,))))
        times = medians(
            {key: Timed(training_step(network), inputs) for key, network in networks.items()},
            repeats,
        )
        stepped, bare = "snnTorch, one step after the other", "the same without neurons"
        what = f"training step, {name}"
        yield Figure(what, times["fused"], times["stepped"], stepped, limit=speedup, at_least=True)
        yield Figure(what, times["fused"], times["bare"], bare, limit=1.25)
        yield Figure(f"{what}, stepped", times["stepped"], times["bare"], bare)
        if "jelly" in times:
            jelly = "SpikingJelly, multi-step, torch"
            yield Figure(what, times["fused"], times["jelly"], jelly, limit=1.3, at_least=True)
    shape = (3, 16, 16)
    vggs = {
        "taps": make_network("vgg16", 2, shape=shape),
        "torch": with_torchs_gradients(make_network("vgg16", 2, shape=shape)),
    }
    inputs = itertools.repeat((torch.randn(64, *shape), torch.randint(0, 10, (64,))))
    times = medians({key: Timed(training_step(vgg), inputs) for key, vgg in vggs.items()}, 5)
    what = "training step, vgg16 on 16×16 pixels"
    yield Figure(what, times["taps"], times["torch"], "torch's own", limit=1.4, at_least=True)
