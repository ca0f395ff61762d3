"""Tickets from any torch network, run once, and from files of its weights."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

import uticket_lite as ut
from uticket_lite.tickets.architectures import CONV_SHAPES
from uticket_lite.training.networks import make_network

IMAGES = torch.zeros(2, 3, 8, 8)


def conv_net():
    """Ordinary, grouped and depthwise convolutions, batch norm and a linear layer."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2, groups=4),
        nn.Conv2d(12, 12, 3, padding=1, groups=12),
        nn.Flatten(),
        nn.Linear(12 * 9, 5),
    )


def pruned_net():
    network = conv_net()
    for layer in (0, 3, 4, 6):
        prune.random_unstructured(network[layer], "weight", 0.8)
    return network


def hooks(module):
    return sum(len(part._forward_hooks) for part in module.modules())


def same_masks(one, other):
    return one.masks().keys() == other.masks().keys() and all(
        (other.masks()[name] == mask).all() for name, mask in one.masks().items()
    )


class Stepped(nn.Module):
    """A convolution and a linear layer that meet every timestep's input in turn."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.out = nn.Linear(4 * 36, 2)

    def forward(self, frames):
        return sum(self.out(self.conv(frame).flatten(1)) for frame in frames)


class Aside(nn.Module):
    """A network whose first layer by name runs last, and with a head that never runs."""

    def __init__(self):
        super().__init__()
        self.late = nn.Conv2d(4, 4, 1)
        self.early = nn.Conv2d(3, 4, 3)
        self.never = nn.Linear(7, 7)

    def forward(self, images):
        return self.late(self.early(images))


def test_the_digits_network_has_the_positions_of_its_shape_table():
    network = make_network("digits", 4)
    ticket = ut.Ticket.from_model(network, torch.zeros(3, 1, 8, 8), timesteps=4)
    layers = list(ticket.layers.values())
    for layer, conv in zip(layers, CONV_SHAPES["digits"], strict=False):
        assert (layer.shape, layer.positions) == (conv.weights, conv.positions)
    assert layers[-1].positions == 1
    assert ticket.counted == tuple(ticket.layers)[1:4]
    assert ticket.timesteps == 4


def test_grouped_and_depthwise_layers_hold_channels_of_their_group_only():
    ticket = ut.Ticket.from_model(conv_net(), IMAGES)
    shapes = {name: layer.shape for name, layer in ticket.layers.items()}
    assert shapes == {"0": (8, 3, 3, 3), "3": (12, 2, 3, 3), "4": (12, 1, 3, 3), "6": (5, 108)}
    assert [layer.positions for layer in ticket.layers.values()] == [64, 9, 9, 1]
    assert ticket.counted == ("3", "4")
    report = ut.simulate(ticket, ut.Accelerator(4))
    assert report.work == sum(ticket.layers[name].nonzeros * 9 for name in ticket.counted)


def test_zeros_of_the_weights_are_the_mask():
    network = conv_net()
    with torch.no_grad():
        network[3].weight[torch.rand_like(network[3].weight) < 0.7] = 0
    layer = ut.Ticket.from_model(network, IMAGES).layers["3"]
    weight = network[3].weight.detach().numpy()
    assert (layer.to_dense() == (weight != 0)).all()
    assert (layer.magnitudes == np.abs(weight).reshape(12, -1)).all()


def test_masks_of_torch_pruning_keep_the_magnitudes_before_masking():
    network = pruned_net()
    ticket = ut.Ticket.from_model(network, IMAGES)
    for name, layer in ticket.layers.items():
        module = network.get_submodule(name)
        assert (layer.to_dense() == module.weight_mask.bool().numpy()).all()
        before = module.weight_orig.detach().abs().numpy()
        assert (layer.magnitudes == before.reshape(layer.shape[0], -1)).all()
        assert (layer.magnitudes > 0).all()


@pytest.mark.parametrize(
    ("layer", "sample", "positions"),
    [
        (nn.Conv1d(3, 4, 3), torch.zeros(2, 3, 12), 10),
        (nn.Conv1d(3, 4, 3), torch.zeros(3, 12), 10),  # no batch
        (nn.Conv2d(3, 4, 3, stride=2), torch.zeros(2, 3, 9, 7), 4 * 3),
        (nn.Conv3d(3, 4, 3), torch.zeros(2, 3, 5, 6, 7), 3 * 4 * 5),
        (nn.Linear(3, 4), torch.zeros(6, 3), 1),
        (nn.Linear(3, 4), torch.zeros(3), 1),
    ],
)
def test_positions_are_those_of_one_sample_of_the_batch(layer, sample, positions):
    ticket = ut.Ticket.from_model(layer, sample)
    assert {name: x.positions for name, x in ticket.layers.items()} == {"weight": positions}


def test_a_batch_beside_time_is_not_taken_for_positions():
    network = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 4))
    for batch in (1, 5):
        sample = torch.zeros(4, batch, 20)  # time first
        with pytest.raises(ValueError, match=r"linear layer '0' met \(4, ., 20\): .*batch_dims=2"):
            ut.Ticket.from_model(network, sample, timesteps=4)
        ticket = ut.Ticket.from_model(network, sample, timesteps=4, batch_dims=2)
        assert {layer.positions for layer in ticket.layers.values()} == {1}
    tokens = ut.Ticket.from_model(network, torch.zeros(6, 10, 5, 20), batch_dims=1)
    assert {layer.positions for layer in tokens.layers.values()} == {50}


def test_linear_layers_that_are_not_counted_need_no_word_on_the_batch():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(3, 8, 4, stride=4)
            self.mix = nn.Conv2d(8, 8, 1)
            self.project = nn.Linear(8, 8)

        def forward(self, images):
            return self.project(self.mix(self.patch(images)).flatten(2).transpose(1, 2))

    ticket = ut.Ticket.from_model(Tokens(), IMAGES)
    assert (ticket.counted, ticket.layers["project"].positions) == (("mix",), 4)
    with pytest.raises(ValueError, match="linear layer 'project' met"):
        ut.Ticket.from_model(Tokens(), IMAGES, counted=["project"])


def test_stepping_through_time_counts_the_positions_of_one_step():
    ticket = ut.Ticket.from_model(Stepped(), torch.zeros(5, 2, 1, 8, 8), timesteps=5)
    assert [layer.positions for layer in ticket.layers.values()] == [36, 1]
    report = ut.simulate(ticket, ut.Accelerator(4), layers=["conv"])
    assert report.work == 4 * 9 * 36 * 5


def test_a_layer_that_runs_at_two_sizes_is_refused():
    class TwoSizes(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Conv2d(3, 2, 1)

        def forward(self, images):
            return self.head(images).sum() + self.head(images[..., ::2]).sum()

    network = TwoSizes()
    with pytest.raises(ValueError, match="layer 'head' ran at 64 and at 32 output positions"):
        ut.Ticket.from_model(network, IMAGES)
    assert not hooks(network)


def test_layers_come_in_the_order_they_run_without_those_that_do_not():
    ticket = ut.Ticket.from_model(Aside(), IMAGES)
    assert list(ticket.layers) == ["early", "late"]
    assert ticket.counted == ("late",)
    assert ticket.provenance["left_out"] == {"never": "did not run with this sample"}
    with pytest.raises(ValueError, match="'never' did not run .*: early, late"):
        ut.Ticket.from_model(Aside(), IMAGES, counted=["early", "never"])


def test_what_is_counted_by_default():
    linear = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    assert ut.Ticket.from_model(linear, torch.zeros(1, 3)).counted == ("0", "1")
    only_one_conv = nn.Sequential(nn.Conv2d(3, 4, 8), nn.Flatten(), nn.Linear(4, 2))
    assert ut.Ticket.from_model(only_one_conv, IMAGES).counted == ("0", "2")
    assert ut.Ticket.from_model(conv_net(), IMAGES, counted=["6"]).counted == ("6",)


def test_shared_layers_and_tied_weights_count_once():
    shared = nn.Conv2d(3, 3, 1)
    network = nn.Sequential(shared, nn.ReLU(), shared, nn.Conv2d(3, 3, 1))
    network[3].weight = shared.weight
    assert list(ut.Ticket.from_model(network, IMAGES).layers) == ["0"]


def test_arguments_beyond_one_come_in_a_tuple():
    class Sum(nn.Linear):
        def forward(self, one, other):
            return super().forward(one + other)

    ticket = ut.Ticket.from_model(Sum(2, 3), (torch.zeros(1, 2), torch.zeros(1, 2)))
    assert ticket.layers["weight"].shape == (3, 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_of_any_float_type_are_read(dtype, tmp_path):
    layer = nn.Linear(6, 4, bias=False)
    prune.remove(prune.random_unstructured(layer, "weight", 0.5), "weight")
    layer.to(dtype)
    save_file({"out.weight": layer.weight.detach()}, tmp_path / "net.safetensors")
    ticket = ut.Ticket.from_model(layer, torch.zeros(2, 6, dtype=dtype))
    saved = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
    for found in (ticket.layers["weight"], saved.layers["out"]):
        assert found.nonzeros == 12
        assert (found.magnitudes == layer.weight.detach().float().abs().numpy()).all()


@pytest.mark.parametrize("fails", [False, True])
def test_the_network_is_left_as_it_was(fails):
    network = pruned_net()
    network.train()
    network[1].eval()  # frozen statistics
    flags = [part.training for part in network.modules()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    if fails:
        with pytest.raises(RuntimeError, match="channels"):
            ut.Ticket.from_model(network, torch.zeros(2, 5, 8, 8))
    else:
        ut.Ticket.from_model(network, IMAGES)
    assert [part.training for part in network.modules()] == flags
    assert not hooks(network)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_sample_runs_in_eval_mode_without_gradients():
    seen = []

    class Spy(nn.Linear):
        def forward(self, x):
            seen.append((self.training, torch.is_grad_enabled()))
            return super().forward(x)

    ut.Ticket.from_model(Spy(2, 2), torch.zeros(1, 2))
    assert seen == [(False, False)]


def broken():
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight[0, 0] = torch.nan
    return layer


@pytest.mark.parametrize(
    ("module", "error", "words"),
    [
        ({"a.weight": torch.ones(2, 2)}, TypeError, "must be a torch.nn.Module, not dict"),
        (nn.ReLU(), ValueError, "linear layer of ReLU ran with this sample; it has none"),
        (nn.ConvTranspose1d(3, 2, 1), ValueError, "it has weight .is a transposed convolution"),
        (nn.ModuleDict({"a": nn.Linear(3, 3)}), NotImplementedError, "forward"),
        (broken(), ValueError, "layer 'weight': contains NaN"),
    ],
)
def test_what_is_no_network_is_refused(module, error, words):
    with pytest.raises(error, match=words):
        ut.Ticket.from_model(module, torch.zeros(3, 3))


def test_layers_of_which_none_runs_are_named():
    class Idle(Aside):
        def forward(self, images):
            return images

    with pytest.raises(ValueError, match="of Idle ran .* it has late .*, early .*, never .did"):
        ut.Ticket.from_model(Idle(), IMAGES)


@pytest.mark.parametrize("removed", [False, True])
def test_a_pruned_network_has_the_same_masks_from_its_file(removed, tmp_path):
    network = pruned_net()
    traced = ut.Ticket.from_model(network, IMAGES)
    if removed:
        for name in traced.layers:
            prune.remove(network.get_submodule(name), "weight")
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    positions = {name: layer.positions for name, layer in traced.layers.items()}
    saved = ut.Ticket.from_safetensors(tmp_path / "net.safetensors", positions=positions)
    assert same_masks(traced, saved)
    assert saved.counted == traced.counted
    reports = [ut.simulate(ticket, ut.Accelerator(4)) for ticket in (traced, saved)]
    assert reports[0].layers.equals(reports[1].layers)
    if not removed:
        for name, layer in traced.layers.items():
            assert (saved.layers[name].magnitudes == layer.magnitudes).all()


def test_layers_of_a_file_are_sorted_by_number(tmp_path):
    names = ["features.10", "features.2", "features.0", "classifier"]
    arrays = {f"{name}.weight": np.ones((2, 2, 3, 3), np.float32) for name in names}
    arrays["classifier.weight"] = np.ones((2, 2), np.float32)
    arrays["features.0.bias"] = arrays["features.1.weight"] = np.ones(2, np.float32)
    save_arrays(arrays, tmp_path / "net.safetensors")
    ticket = ut.Ticket.from_safetensors(tmp_path / "net.safetensors", timesteps=3)
    assert list(ticket.layers) == ["classifier", "features.0", "features.2", "features.10"]
    assert ticket.counted == ("features.2", "features.10")
    assert ticket.timesteps == 3
    assert {layer.positions for layer in ticket.layers.values()} == {1}


def test_a_ticket_is_loaded_as_what_it_is(tmp_path):
    file = tmp_path / "t.safetensors"
    ticket = ut.synthetic_ticket("digits")
    ticket.save(file)
    again = ut.Ticket.from_safetensors(file)
    assert same_masks(ticket, again)
    assert (again.timesteps, again.counted) == (ticket.timesteps, ticket.counted)
    for options in ({"timesteps": 2}, {"positions": {"conv2": 4}}, {"counted": ["conv1"]}):
        with pytest.raises(ValueError, match="is a ticket, with its own positions"):
            ut.Ticket.from_safetensors(file, **options)


def test_files_without_layers_are_refused_with_what_they_hold(tmp_path):
    file = tmp_path / "net.safetensors"
    with pytest.raises(FileNotFoundError, match=r"no ticket or state dict file at .*net"):
        ut.Ticket.from_safetensors(file)
    save_file(conv_net().state_dict(), file)
    content = file.read_bytes()
    for length in (0, 7, 100, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"net\.safetensors cannot be read as .*truncated"):
            ut.Ticket.from_safetensors(file)
    torch.save({"a.weight": torch.ones(2, 2)}, file)
    with pytest.raises(ValueError, match="written by safetensors.torch.save_file"):
        ut.Ticket.from_safetensors(file)
    save_arrays({"norm.weight": np.ones(3), "table": np.ones((2, 2))}, file)
    with pytest.raises(ValueError, match=r"norm.weight \(3,\), table \(2, 2\)"):
        ut.Ticket.from_safetensors(file)


@pytest.mark.parametrize(
    ("arrays", "options", "words"),
    [
        ({}, {"positions": {"b": 4}}, "positions for layer 'b' is not known; choose one of: a"),
        ({}, {"counted": ["b"]}, "layer 'b' is not known; choose one of: a"),
        ({}, {"timesteps": 0}, "timesteps must be 1 or more"),
        ({"a.weight": np.array([[1.0, np.inf]])}, {}, "layer 'a': contains NaN or infinity"),
        (
            {"b.weight_orig": np.ones((2, 2)), "b.weight_mask": np.ones((2, 3))},
            {},
            r"layer 'b': its mask has shape \(2, 3\), its weight \(2, 2\)",
        ),
    ],
)
def test_weights_and_options_that_make_no_sense_are_refused(arrays, options, words, tmp_path):
    save_arrays({"a.weight": np.ones((2, 2)), **arrays}, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=words):
        ut.Ticket.from_safetensors(tmp_path / "net.safetensors", **options)
