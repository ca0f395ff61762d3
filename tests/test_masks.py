"""However a network keeps its masks, a ticket has them, and says what it passes over."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm

import uticket_lite as ut

IMAGES = torch.zeros(2, 3, 8, 8)


def make_masks(layers=(), density=0.1, seed=0):
    torch.manual_seed(seed)
    shapes = {"conv1": (8, 3, 3, 3), "conv2": (6, 8, 3, 3), "fc": (5, 6 * 16)}
    return {name: (torch.rand(shape) < density).float() for name, shape in shapes.items()}


MASKS = make_masks()
"""What every network below has, one way or another."""


class Net(nn.Module):
    """Two convolutions and a linear layer; `weight` says what a layer computes with."""

    def __init__(self, conv=nn.Conv2d, linear=nn.Linear, bias=True):
        super().__init__()
        self.conv1 = conv(3, 8, 3, bias=bias)
        self.conv2 = conv(8, 6, 3, bias=bias)
        self.fc = linear(6 * 16, 5, bias=bias)

    def forward(self, x):
        return self.fc(self.conv2(self.conv1(x)).flatten(1))


def layers_of(network):
    return {name: network.get_submodule(name) for name in MASKS}


def buffer_multiplied(name, kind=torch.float32):
    """Layers that multiply weight and a buffer in their forward."""

    class Conv(nn.Conv2d):
        def forward(self, x):
            return self._conv_forward(x, self.weight * getattr(self, name), self.bias)

    class Linear(nn.Linear):
        def forward(self, x):
            return F.linear(x, self.weight * getattr(self, name), self.bias)

    network = Net(Conv, Linear)
    for layer, part in layers_of(network).items():
        part.register_buffer(name, MASKS[layer].to(kind))
    return network


def zeros(bias=True):
    network = Net(bias=bias)
    with torch.no_grad():
        for layer, part in layers_of(network).items():
            part.weight *= MASKS[layer]
    return network


def pruned():
    network = Net()
    for layer, part in layers_of(network).items():
        prune.custom_from_mask(part, "weight", MASKS[layer])
    return network


class Mask(nn.Module):
    def __init__(self, mask, name="mask"):
        super().__init__()
        self.register_buffer(name, mask)
        self.name = name

    def forward(self, weight):
        return weight * getattr(self, self.name)


def parametrized(name="mask"):
    network = Net()
    for layer, part in layers_of(network).items():
        parametrize.register_parametrization(part, "weight", Mask(MASKS[layer], name))
    return network


def torch_ao():
    from torch.ao.pruning import WeightNormSparsifier

    network = Net()
    sparsifier = WeightNormSparsifier(0.5, (1, 1), 1)
    sparsifier.prepare(network, [{"tensor_fqn": f"{layer}.weight"} for layer in MASKS])
    for layer, part in layers_of(network).items():
        part.parametrizations.weight[0].mask.copy_(MASKS[layer])
    return network


def weight_normed(norm):
    network = Net()
    with torch.no_grad():
        for layer, part in layers_of(network).items():
            norm(part)
            named = dict(part.named_parameters())
            key = "weight_v" if "weight_v" in named else "parametrizations.weight.original1"
            named[key] *= MASKS[layer]
    return network


def spectral():
    network = zeros()
    for part in layers_of(network).values():
        spectral_norm(part)
    return network


class Beside(Net):
    """Masks in one place of the network, multiplied where it calls functions of torch."""

    def __init__(self, attribute="masks", suffix=""):
        super().__init__()
        self.attribute, self.suffix = attribute, suffix
        for layer, mask in MASKS.items():
            self.keep(layer, mask)

    def keep(self, layer, mask):
        if not hasattr(self, self.attribute):
            setattr(self, self.attribute, nn.ParameterDict())
        masks = getattr(self, self.attribute)
        masks[layer + self.suffix] = nn.Parameter(mask, requires_grad=False)

    def masked(self, layer):
        mask = getattr(self, self.attribute)[layer + self.suffix]
        return self.get_submodule(layer).weight * mask

    def forward(self, x):
        x = F.conv2d(x, self.masked("conv1"), self.conv1.bias)
        x = F.conv2d(x, weight=self.masked("conv2"), bias=self.conv2.bias)
        return F.linear(x.flatten(1), self.masked("fc"), self.fc.bias)


class OpenLth(nn.Module):
    """Buffers of a wrapper, `mask_conv1___weight`, multiplied into the weights before running."""

    def __init__(self):
        super().__init__()
        self.model = Net()
        for layer, mask in MASKS.items():
            self.register_buffer(f"mask_{layer}___weight", mask)

    def forward(self, x):
        with torch.no_grad():
            for layer, part in layers_of(self.model).items():
                part.weight *= getattr(self, f"mask_{layer}___weight")
        return self.model(x)


class Wrapped(nn.Module):
    """A layer inside what masks it."""

    def __init__(self, inner, mask):
        super().__init__()
        self.inner = inner
        self.register_buffer("mask", mask)

    def forward(self, x):
        call = F.linear if self.mask.ndim == 2 else F.conv2d
        return call(x, self.inner.weight * self.mask, self.inner.bias)


def wrapped():
    network = Net()
    for layer, part in layers_of(network).items():
        setattr(network, layer, Wrapped(part, MASKS[layer]))
    return network


class Elsewhere(Beside):
    """Masks in modules of their own, flattened or scaled, which the network calls by name."""

    def __init__(self, shape=lambda mask: mask, scale=1):
        self.shape, self.scale = shape, scale
        super().__init__("pruner")

    def keep(self, layer, mask):
        if not hasattr(self, "pruner"):
            self.pruner = nn.Module()
            self.pruner.masks = nn.ModuleDict()
        self.pruner.masks[layer] = Mask(self.shape(mask).clone(), "value")

    def masked(self, layer):
        weight = self.get_submodule(layer).weight
        return weight * self.pruner.masks[layer].value.view_as(weight) * self.scale


def in_a_list():
    """Masks in a list, by the order of layers, as RigL keeps them; weights are masked before."""
    network = zeros()
    network.masks = nn.ParameterList(nn.Parameter(m, requires_grad=False) for m in MASKS.values())
    return network


SPELLINGS = {
    "zeros": zeros,
    "torch.nn.utils.prune": pruned,
    **{
        name: lambda name=name: buffer_multiplied(name)
        for name in (
            *("weight_mask", "mask", "_mask", "pruning_mask", "mask_weight", "sparse_mask"),
            *("weightMask", "supermask", "mask_0", "kept", "m"),
        )
    },
    "booleans": lambda: buffer_multiplied("mask", torch.bool),
    "bytes": lambda: buffer_multiplied("weight_mask", torch.uint8),
    "parametrize": parametrized,
    "parametrize, another name": lambda: parametrized("sparsity_mask"),
    "torch.ao": torch_ao,
    "weight norm": lambda: weight_normed(parametrizations.weight_norm),
    "old weight norm": lambda: weight_normed(torch.nn.utils.weight_norm),
    "old spectral norm": spectral,
    "masks.conv1": Beside,
    "mask.conv1": lambda: Beside("mask"),
    "open_lth": OpenLth,
    "a list": in_a_list,
    "around the layer": wrapped,
    "modules": Elsewhere,
    "flattened": lambda: Elsewhere(torch.flatten),
    "rows": lambda: Elsewhere(lambda mask: mask.flatten(1)),
    "scaled": lambda: Elsewhere(scale=3),
}


@pytest.mark.filterwarnings("ignore:.*(weight_norm|torch.ao|spectral_norm|torch.jit)")
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_network_has_its_masks_however_they_are_kept(spelling, compiled, tmp_path):
    torch.manual_seed(1)
    network = SPELLINGS[spelling]()
    state = {name: t.detach().clone() for name, t in network.state_dict().items()}
    if compiled:
        network = torch.compile(network)
        state = {f"_orig_mod.{name}": tensor for name, tensor in state.items()}
    save_file(state, tmp_path / "net.safetensors")
    tickets = [ut.Ticket.from_model(network, IMAGES)]
    if spelling != "torch.ao":  # which leaves masks out of state dicts
        tickets.append(ut.Ticket.from_safetensors(tmp_path / "net.safetensors"))
    for ticket in tickets:
        found = {
            name.removeprefix("model.").removesuffix(".inner"): mask
            for name, mask in ticket.masks().items()
        }
        assert found.keys() == MASKS.keys()
        for name, mask in MASKS.items():
            assert (found[name] == mask.bool().numpy()).all(), name
        assert ticket.provenance["left_out"] == {}
        assert [name.removeprefix("model.").removesuffix(".inner") for name in ticket.counted] == [
            "conv2"
        ]


@pytest.mark.filterwarnings("ignore:.*weight_norm")
@pytest.mark.parametrize("spelling", ["mask", "parametrize", "masks.conv1", "torch.nn.utils.prune"])
def test_magnitudes_are_those_before_masking(spelling, tmp_path):
    network = SPELLINGS[spelling]()
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    for ticket in (
        ut.Ticket.from_model(network, IMAGES),
        ut.Ticket.from_safetensors(tmp_path / "net.safetensors"),
    ):
        for name, layer in ticket.layers.items():
            part = network.get_submodule(name)
            before = next(t for n, t in part.named_parameters() if "weight" in n)
            assert (
                layer.magnitudes == before.detach().abs().reshape(len(before), -1).numpy()
            ).all()
            assert layer.magnitudes.all()


@pytest.mark.filterwarnings("ignore:.*weight_norm")
@pytest.mark.parametrize("norm", [parametrizations.weight_norm, torch.nn.utils.weight_norm])
def test_magnitudes_under_weight_norm_are_those_the_layer_computes_with(norm, tmp_path):
    network = weight_normed(norm)
    with torch.no_grad():
        g = next(t for n, t in network.conv2.named_parameters() if n.endswith(("_g", "original0")))
        g *= 3
    network(IMAGES)
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    wanted = network.conv2.weight.detach().abs().reshape(6, -1).numpy()
    for ticket in (
        ut.Ticket.from_model(network, IMAGES),
        ut.Ticket.from_safetensors(tmp_path / "net.safetensors"),
    ):
        found = ticket.layers["conv2"].magnitudes
        assert np.where(np.isnan(wanted), 0, wanted) == pytest.approx(found, rel=1e-5)


def test_masks_of_whole_filters_are_spread(tmp_path):
    network = zeros()
    keep = torch.tensor([1.0, 0, 1, 1, 0, 1])
    with torch.no_grad():
        network.conv2.weight *= keep.view(-1, 1, 1, 1)
    for shape in ((6,), (6, 1, 1, 1)):
        network.conv2.register_buffer("mask", keep.view(shape))
        save_file(network.state_dict(), tmp_path / "net.safetensors")
        wanted = (MASKS["conv2"] * keep.view(-1, 1, 1, 1)).bool().numpy()
        for ticket in (
            ut.Ticket.from_model(network, IMAGES),
            ut.Ticket.from_safetensors(tmp_path / "net.safetensors"),
        ):
            assert (ticket.masks()["conv2"] == wanted).all()


def test_a_mask_that_keeps_everything_says_nothing(tmp_path):
    network = zeros()
    for layer, part in layers_of(network).items():
        part.register_buffer("mask", torch.ones_like(MASKS[layer]))
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    for ticket in (
        ut.Ticket.from_model(network, IMAGES),
        ut.Ticket.from_safetensors(tmp_path / "net.safetensors"),
    ):
        assert (ticket.masks()["conv1"] == MASKS["conv1"].bool().numpy()).all()


def test_scores_are_no_masks_and_of_opposite_masks_the_zeros_count(tmp_path):
    network, file = zeros(), tmp_path / "net.safetensors"
    network.conv2.register_buffer("mask_scores", torch.rand_like(MASKS["conv2"]))
    save_file(network.state_dict(), file)
    ticket = ut.Ticket.from_safetensors(file)
    assert (ticket.masks()["conv2"] == MASKS["conv2"].bool().numpy()).all()
    assert "conv2.mask_scores" in ticket.provenance["left_out"]
    del network.conv2.mask_scores
    network.conv2.register_buffer("mask", 1 - MASKS["conv2"])  # the weight's very zeros
    save_file(network.state_dict(), file)
    for found in (ut.Ticket.from_safetensors(file), ut.Ticket.from_model(network, IMAGES)):
        assert (found.masks()["conv2"] == MASKS["conv2"].bool().numpy()).all()
    network.conv2.mask[0] = 0
    save_file(network.state_dict(), file)
    with pytest.raises(ValueError, match="layer 'conv2': its mask keeps none of the weights"):
        ut.Ticket.from_safetensors(file)


@pytest.mark.parametrize("name", ["drop_mask", "pruned", "weight_pruned", "mask_removed", "dead"])
def test_masks_that_say_what_is_pruned_by_their_name_need_zeros_there(name, tmp_path):
    file, zeroed = tmp_path / "net.safetensors", zeros().state_dict()
    opposite = {f"{layer}.{name}": 1 - mask for layer, mask in MASKS.items()}
    nothing = {key: torch.zeros_like(mask) for key, mask in opposite.items()}
    kept = {f"{layer}.{name}": mask.clone() for layer, mask in MASKS.items()}
    for masks in (opposite, nothing, kept):  # what the weights say counts
        save_file({**zeroed, **masks}, file)
        for layer, mask in ut.Ticket.from_safetensors(file).masks().items():
            assert (mask == MASKS[layer].bool().numpy()).all()
    save_file({**Net().state_dict(), **opposite}, file)
    with pytest.raises(ValueError, match=rf"conv1.{name} says by its name what is pruned, but"):
        ut.Ticket.from_safetensors(file)
    save_file({**Net().state_dict(), **{f"{k}.mask": m for k, m in MASKS.items()}}, file)
    for layer, mask in ut.Ticket.from_safetensors(file).masks().items():  # as it says
        assert (mask == MASKS[layer].bool().numpy()).all()
    for network, right in ((zeros(), True), (Net(), False)):
        for layer, part in layers_of(network).items():
            part.register_buffer(name, 1 - MASKS[layer])
        if right or "mask" not in name:  # a network that runs shows its zeros
            ut.Ticket.from_model(network, IMAGES)
            continue
        with pytest.raises(ValueError, match=rf"conv1.{name} says by its name what is pruned, but"):
            ut.Ticket.from_model(network, IMAGES)


def test_masks_that_keep_nothing_of_a_network_are_refused(tmp_path):
    """Zeros everywhere: of what is pruned, that is a dense network."""
    file, nothing = tmp_path / "net.safetensors", {}
    for layer, mask in MASKS.items():
        nothing[f"{layer}.mask"] = torch.zeros_like(mask)
    save_file({**Net().state_dict(), **nothing}, file)
    with pytest.raises(ValueError, match="masks of conv1, conv2, fc keep nothing of any layer"):
        ut.Ticket.from_safetensors(file)
    empty = {k: torch.zeros_like(v) for k, v in Net().state_dict().items()}
    save_file({**empty, **nothing}, file)
    assert ut.Ticket.from_safetensors(file).sparsity == 1


COPIES = {
    "ema.": "a copy of the network's, by its name (ema)",
    "model_ema.module.": "a copy of the network's, by its name (model_ema)",
    "module.": "a copy of the network's, by its name (module)",
    "rewind_state.": "a copy of the network's, by its name (rewind_state)",
    "exp_avg_sq.": "an optimizer's, by its name (exp_avg_sq)",
    "optimizer.state.0.": "an optimizer's, by its name (optimizer)",
}


@pytest.mark.parametrize("prefix", COPIES)
def test_copies_and_optimizers_states_are_no_layers(prefix, tmp_path):
    own, other = zeros().state_dict(), Net().state_dict()
    file = tmp_path / "net.safetensors"
    halves = {f"{k}.mask": (torch.rand_like(m) < 0.5).float() for k, m in MASKS.items()}
    for more in ({}, {f"{prefix}{name}": mask for name, mask in halves.items()}):
        save_file({**own, **{f"{prefix}{name}": x for name, x in other.items()}, **more}, file)
        ticket = ut.Ticket.from_safetensors(file)
        for layer, mask in ticket.masks().items():
            assert (mask == MASKS[layer].bool().numpy()).all()
        left = ticket.provenance["left_out"]
        if "module" not in prefix.partition(".")[2]:
            assert left == {f"{prefix}{layer}": COPIES[prefix] for layer in MASKS}
    if "copy" in COPIES[prefix]:  # alone, it is the network
        save_file({f"{prefix}{name}": tensor for name, tensor in own.items()}, file)
        assert {*ut.Ticket.from_safetensors(file).layers} == {f"{prefix}{k}" for k in MASKS}


@pytest.mark.parametrize(
    ("own", "copy"),
    [
        ("student", "teacher"),
        ("online_model", "ema_model"),
        ("online_encoder", "target_encoder"),
        ("encoder_q", "encoder_k"),
        ("model", "ema.module"),
        ("net", "swa_model.module"),
    ],
)
def test_of_a_student_and_its_teacher_the_student_counts(own, copy, tmp_path):
    state = {f"{own}.{name}": tensor for name, tensor in zeros().state_dict().items()}
    state |= {f"{copy}.{name}": tensor for name, tensor in Net().state_dict().items()}
    state[f"{copy}.more.weight"] = torch.ones(3, 3)
    save_file(state, tmp_path / "net.safetensors")
    ticket = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
    assert list(ticket.layers) == [f"{own}.{layer}" for layer in MASKS]
    assert f"{copy}.more" in ticket.provenance["left_out"]


def test_layers_called_like_copies_are_layers_where_nothing_is_copied(tmp_path):
    state = {
        "init_block.conv1.weight": torch.ones(4, 3, 3, 3),
        "block.conv1.weight": torch.ones(4, 3, 3, 3),
        "best.weight": torch.ones(4, 4),
        "conv1.module.0.weight": torch.ones(4, 4),
        "0.weight": torch.ones(4, 4),
        "ema.proj.weight": torch.ones(2, 4),
        "proj.weight": torch.ones(4, 4),
    }
    save_file(state, tmp_path / "net.safetensors")
    ticket = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
    assert {f"{layer}.weight" for layer in ticket.layers} == state.keys()


def test_factors_of_updates_of_low_rank_are_no_layers(tmp_path):
    state = zeros().state_dict()
    state |= {"fc.lora_A.weight": torch.ones(2, 96), "fc.lora_B.default.weight": torch.ones(5, 2)}
    save_file(state, tmp_path / "net.safetensors")
    ticket = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
    assert ticket.layers.keys() == MASKS.keys()
    for factor in ("fc.lora_A", "fc.lora_B.default"):
        assert "merge it before saving" in ticket.provenance["left_out"][factor]


def kept_by(mask, name):
    """A network whose state dict has a parametrization of conv2, with what it multiplies under a
    name, or without it."""
    network = Net()
    part = Mask(mask, name or "kept")
    if name is None:
        del part._buffers["kept"]
        part.kept = mask
    parametrize.register_parametrization(network.conv2, "weight", part)
    return network


@pytest.mark.filterwarnings("ignore:.*torch.ao")
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_state_dicts_that_lack_their_masks_are_refused_never_dense(suffix, tmp_path):
    """torch.ao leaves masks out of state dicts, and anything may compute a weight."""

    def read(network, **changed):
        state = network.state_dict() | changed
        path = tmp_path / f"net.{suffix}"
        if suffix == "pth":
            torch.save({"state_dict": state}, path)
            return ut.Ticket.from_checkpoint(path)
        save_file({name: tensor for name, tensor in state.items()}, path)
        return ut.Ticket.from_safetensors(path)

    ao = torch_ao()
    for network, words in (
        (ao, "layer 'conv1': .* of which the file has nothing"),
        (kept_by(MASKS["conv2"], None), "layer 'conv2': .* has nothing"),
        (kept_by(MASKS["conv2"], "keep"), "only conv2.parametrizations.weight.0.keep"),
        (kept_by(torch.rand_like(MASKS["conv2"]), "mask"), "mask is a mask, but of other numbers"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            read(network)
        assert f"net.{suffix}" in str(caught.value)
    masks = {f"{layer}.mask": mask for layer, mask in MASKS.items()}
    for name, mask in read(ao, **masks).masks().items():  # what the message says helps
        assert (mask == MASKS[name].bool().numpy()).all()
    for part in layers_of(ao).values():
        parametrize.remove_parametrizations(part, "weight")
    for name, mask in read(ao).masks().items():
        assert (mask == MASKS[name].bool().numpy()).all()
    without = pruned().state_dict()
    del without["conv2.weight_mask"]
    save_file(without, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=r"layer 'conv2': its weight is made of conv2.weight_orig"):
        ut.Ticket.from_safetensors(tmp_path / "net.safetensors")


def test_of_several_masks_all_count(tmp_path):
    network = Net()
    for _ in range(3):
        mask = (torch.rand_like(network.conv2.weight) < 0.7).float()
        parametrize.register_parametrization(network.conv2, "weight", Mask(mask))
    kept = (network.conv2.weight != 0).detach().numpy()
    assert 0.2 < kept.mean() < 0.5
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    for ticket in (
        ut.Ticket.from_model(network, IMAGES),
        ut.Ticket.from_safetensors(tmp_path / "net.safetensors"),
    ):
        assert (ticket.masks()["conv2"] == kept).all()
        assert ticket.provenance["left_out"] == {}


def test_masks_that_could_be_of_several_layers_are_refused(tmp_path):
    ones = {f"features.{i}.weight": torch.ones(4, 4, 3, 3) for i in (0, 3)}
    masks = {f"masks.{i}": (torch.rand(4, 4, 3, 3) < 0.5).float() for i in (0, 1)}
    save_file({**ones, **masks}, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match="masks masks.0, masks.1 do not say which layers"):
        ut.Ticket.from_safetensors(tmp_path / "net.safetensors")


def test_zeros_that_are_seen_need_no_name_for_their_mask():
    """Three layers of one shape, masks in a list, weights of no parameter's values."""

    class Alike(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
            self.masks = [(torch.rand(3, 3, 3, 3) < 0.3).float() for _ in range(3)]

        def forward(self, x):
            for conv, mask in zip(self.convs, self.masks, strict=True):
                weight = (conv.weight - conv.weight.mean()) / conv.weight.std()
                x = F.conv2d(x, weight * mask, conv.bias, padding=1)
            return x

    network = Alike()
    found = ut.Ticket.from_model(network, IMAGES).masks()
    for i, mask in enumerate(network.masks):
        assert (found[f"convs.{i}"] == mask.bool().numpy()).all()


def test_several_weights_that_are_no_parameters_are_never_taken_for_one():
    class Made(nn.Linear):
        def forward(self, x):
            first, second = super().forward(torch.ones(1)).view(2, 3, 3, 1, 1)
            return F.conv2d(F.conv2d(x, first), second)

    with pytest.raises(ValueError, match="'weight' computes several layers with weights that are"):
        ut.Ticket.from_model(Made(1, 18), IMAGES)


def test_tensors_beside_weights_are_masks_only_if_they_can_be(tmp_path):
    weight = torch.rand(4, 3, 3, 3) * (torch.rand(4, 3, 3, 3) < 0.5)
    alive = (weight != 0).numpy()
    for beside in (weight == 0, torch.zeros(4, 3, 3, 3), torch.rand(4, 3, 3, 3)):
        save_file({"a.weight": weight, "a.other": beside.float()}, tmp_path / "net.safetensors")
        ticket = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
        assert (ticket.masks()["a"] == alive).all()
        assert list(ticket.provenance["left_out"]) == ["a.other"]
    save_file({"a.weight": weight, "a.bias_mask": torch.zeros(4)}, tmp_path / "net.safetensors")
    assert (ut.Ticket.from_safetensors(tmp_path / "net.safetensors").masks()["a"] == alive).all()


def test_networks_with_mask_in_a_layers_name_are_networks(tmp_path):
    state = {"mask_head.weight": torch.ones(4, 4, 3, 3), "mask_head.fc.weight": torch.ones(2, 2)}
    save_file(state, tmp_path / "net.safetensors")
    ticket = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
    assert list(ticket.layers) == ["mask_head", "mask_head.fc"]


class Odd(nn.Module):
    """One of each kind of layer that has weights with 2 or more dimensions and no filters."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.LayerNorm([8, 8, 8])
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.rnn = nn.GRU(4, 6, batch_first=True)
        self.embed = nn.Embedding(10, 4)
        self.table = nn.Parameter(torch.ones(4, 4))
        self.never = nn.Linear(3, 3)

    def forward(self, x):
        x = self.up(self.conv2(self.norm(self.conv1(x)))).flatten(2).transpose(1, 2)
        x = x @ self.table + self.embed(torch.zeros(1, 1, dtype=torch.long))
        return self.rnn(self.attention(x, x, x)[0])


def test_whatever_is_no_layer_is_listed_with_a_reason(tmp_path):
    network = Odd()
    traced = ut.Ticket.from_model(network, IMAGES)
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    saved = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
    assert list(traced.layers) == ["conv1", "conv2"]
    reasons = {
        "norm": "a norm",
        "up": "a transposed convolution",
        "attention.in_proj_weight": "a projection of attention",
        "attention.out_proj": "a projection of attention",
        "rnn.weight_ih_l0": "a recurrent layer",
        "rnn.weight_hh_l0": "a recurrent layer",
        "embed": "an embedding",
        "table": "was not the weight of",
        "never": "did not run",
    }
    found = traced.provenance["left_out"]
    assert found.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert reason in found[name]
    # A file tells attention's last projection and a layer that never runs from no other.
    assert set(saved.layers) == {"conv1", "conv2", "never", "attention.out_proj"}
    for name in reasons.keys() - saved.layers.keys():
        assert name in saved.provenance["left_out"]
    for name in ("norm", "up", "embed", "rnn.weight_ih_l0"):
        assert reasons[name] in saved.provenance["left_out"][name]


def test_norms_and_transposed_convolutions_without_bias_are_told_by_name(tmp_path):
    state = {
        "net.0.weight": torch.ones(4, 3, 3, 3),
        "net.norm1.weight": torch.ones(4, 6, 6),
        "net.deconv.weight": torch.ones(4, 4, 2, 2),
        "net.patch_embed.proj.weight": torch.ones(4, 3, 2, 2),
    }
    save_file(state, tmp_path / "net.safetensors")
    ticket = ut.Ticket.from_safetensors(tmp_path / "net.safetensors")
    assert list(ticket.layers) == ["net.0", "net.patch_embed.proj"]
    assert ticket.provenance["left_out"] == {
        "net.deconv": "a transposed convolution, by its name",
        "net.norm1": "a norm, by its name",
    }


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("what", ["whole", "part", "in place", "a layer"])
def test_compiled_networks_are_traced_as_if_they_were_not(what):
    network = nn.Sequential(pruned(), nn.Linear(5, 3))
    wanted = ut.Ticket.from_model(network, IMAGES)
    if what == "whole":
        network = torch.compile(network, backend="eager")
    elif what == "part":
        network[0] = torch.compile(network[0], backend="eager")
    elif what == "a layer":
        network[0].conv1 = torch.compile(network[0].conv1, backend="eager")
    else:
        network.compile(backend="eager")
    network(IMAGES)  # compiled by now
    found = ut.Ticket.from_model(network, IMAGES)
    assert found.masks().keys() == wanted.masks().keys()
    for name, mask in wanted.masks().items():
        assert (found.masks()[name] == mask).all()
        assert found.layers[name].positions == wanted.layers[name].positions
    assert found.provenance == wanted.provenance
    assert found.counted == wanted.counted


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_exported_networks_are_traced_and_scripted_ones_refused():
    network = zeros()
    exported = torch.export.export(network, (IMAGES,)).module()
    ticket = ut.Ticket.from_model(exported, IMAGES)
    assert {n: x.nonzeros for n, x in ticket.layers.items()} == {
        name: int(mask.sum()) for name, mask in MASKS.items()
    }
    with pytest.raises(TypeError, match="the module is scripted, which hides what its layers"):
        ut.Ticket.from_model(torch.jit.trace(network, IMAGES), IMAGES)
    network.conv2 = torch.jit.trace(network.conv2, torch.zeros(1, 8, 6, 6))
    with pytest.raises(TypeError, match="conv2 is scripted"):
        ut.Ticket.from_model(network, IMAGES)


class Scaled(nn.Conv2d):
    """Gives a value and a scale."""

    def forward(self, input, scale=1.0):
        return super().forward(input), scale


class Unusual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = Scaled(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, stride=2, padding=1, padding_mode="circular")
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        x, scale = self.conv1(input=x)
        x = self.conv2(input=x * scale)
        return self.fc(input=x.mean((2, 3)))


def test_layers_called_with_keywords_or_giving_several_values_are_seen():
    ticket = ut.Ticket.from_model(Unusual(), IMAGES)
    assert [x.positions for x in ticket.layers.values()] == [64, 16, 1]
    assert [x.input_positions for x in ticket.layers.values()] == [None, 64, None]


def test_what_a_layer_pads_itself_is_its_input_whatever_else_it_is_given():
    class Gated(nn.Conv2d):
        def forward(self, gate, x):
            return super().forward(x * gate.mean())

    class Gating(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = Gated(3, 4, 3, padding=1, padding_mode="circular", stride=2)

        def forward(self, x):
            return self.conv(torch.ones(2, 1, 50, 50), x)

    layer = ut.Ticket.from_model(Gating(), IMAGES).layers["conv"]
    assert (layer.positions, layer.input_positions) == (16, 64)
