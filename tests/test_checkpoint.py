"""Tickets from checkpoints that training scripts wrote with torch.save, nothing run in reading."""

import argparse
import os

import numpy as np
import pytest
import torch
from torch import nn

import uticket_lite as ut


def loas_like(density=0.02):
    """VGG-16's counted part in the form of the published checkpoints: a parallel network's state
    dict among other things, zeros in its weights."""
    torch.manual_seed(0)
    layers, channels = [], 3
    for filters in (64, 64, 128, 128, 256, 256, 256, 512):
        layers += [nn.Conv2d(channels, filters // 4, 3, bias=False), nn.BatchNorm2d(filters // 4)]
        channels = filters // 4
    network = nn.Sequential()
    network.features = nn.Sequential(*layers)
    network.classifier = nn.Linear(channels, 10)
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.Conv2d):
                part.weight *= torch.rand_like(part.weight) < density
    return nn.DataParallel(network)


@pytest.fixture(scope="module")
def network():
    return loas_like()


EMA = torch.ones(2, 2)
FORMS = {
    "alone": lambda state: state,
    "state_dict": lambda state: {"epoch": 299, "state_dict": state, "best_acc1": 91.2},
    "model": lambda state: {"model": state, "optimizer": {"state": {}, "lr": 0.1}},
    "net": lambda state: {"net": state, "acc": np.float64(0.9), "round": np.int64(14)},
    "of two, the one that is no copy": lambda state: {
        "ema": {"x.weight": EMA},
        "state_dict": state,
    },
    "a list in a table": lambda state: {"ckpt": {"models": [{"anything": state}]}},
    "beside an optimizer": lambda state: {"optim": {"a.weight": EMA}, "any": state},
}


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_weights_are_found_wherever_scripts_keep_them(form, old, network, tmp_path):
    path = tmp_path / "ticket.pth.tar"
    state = network.state_dict()
    torch.save(FORMS[form](state), path, _use_new_zipfile_serialization=not old)
    ticket = ut.Ticket.from_checkpoint(path, timesteps=4, positions={"features.2": 1024})
    wanted = {
        name.removeprefix("module.").removesuffix(".weight"): int((tensor != 0).sum())
        for name, tensor in state.items()
        if tensor.ndim > 1
    }
    assert {name: layer.nonzeros for name, layer in ticket.layers.items()} == wanted
    assert ticket.counted == tuple(name for name in ticket.layers if "features" in name)[1:]
    assert ticket.layers["features.2"].positions == 1024
    assert ut.simulate(ticket, ut.Accelerator()).work > 0


@pytest.mark.parametrize("masks", ["masks", "mask", "pruning_masks", "model_mask"])
def test_masks_beside_the_state_dict_are_taken(masks, tmp_path):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 8, 3), nn.Linear(4, 4))
    kept = {
        f"module.{name}": (torch.rand_like(tensor) < 0.1).float()
        for name, tensor in network.state_dict().items()
        if tensor.ndim > 1
    }
    path, state = tmp_path / "t.pth", network.state_dict()
    for content in (
        {"state_dict": state, masks: kept},
        {"state_dict": state, masks: {k.removeprefix("module."): m for k, m in kept.items()}},
        {"state_dict": state, masks: {k: m.numpy().astype(bool) for k, m in kept.items()}},
        {"state_dict": state, "pruner": {masks: kept}},
        {"model": {"state_dict": state}, masks: kept},
        {"anything": state, masks: {tuple(k.split(".")): m for k, m in kept.items()}},
    ):
        torch.save(content, path)
        ticket = ut.Ticket.from_checkpoint(path)
        for name, layer in ticket.layers.items():
            assert layer.nonzeros == kept[f"module.{name}.weight"].sum()
            assert layer.magnitudes.all()
    listed = list(kept.values())
    torch.save({"state_dict": network.state_dict(), masks: listed}, path)
    found = ut.Ticket.from_checkpoint(path)
    assert [layer.nonzeros for layer in found.layers.values()] == [int(m.sum()) for m in listed]


def in_lists(mask):
    return mask.int().tolist()


LISTS = {
    "a dictionary": lambda masks: {"masks": {k: in_lists(m) for k, m in masks.items()}},
    "with .weight": lambda masks: {"masks": {f"{k}.weight": in_lists(m) for k, m in masks.items()}},
    "rows, in tuples": lambda masks: {
        "masks": {k: tuple(map(tuple, m.flatten(1).tolist())) for k, m in masks.items()}
    },
    "flat": lambda masks: {
        "pruner": {"masks": {k: m.flatten().tolist() for k, m in masks.items()}}
    },
    "a list": lambda masks: {"masks": [in_lists(m) for m in masks.values()]},
    "a list, in part tensors": lambda masks: {
        "masks": [in_lists(m) if k == "conv1" else m for k, m in masks.items()]
    },
    "by name, at the top": lambda masks: {f"{k}_mask": in_lists(m) for k, m in masks.items()},
    "tensors, at the top": lambda masks: {f"{k}_mask": m for k, m in masks.items()},
}


@pytest.fixture
def dense():
    """A state dict without zeros, and masks for its layers."""
    torch.manual_seed(0)
    shapes = {"conv1": (8, 3, 3, 3), "conv2": (6, 8, 3, 3), "fc": (5, 96)}
    state = {f"{name}.weight": torch.randn(shape) for name, shape in shapes.items()}
    return state, {name: torch.rand(shape) < 0.1 for name, shape in shapes.items()}


@pytest.mark.parametrize("form", LISTS)
def test_masks_in_nested_lists_are_taken(form, dense, tmp_path):
    state, masks = dense
    torch.save({"state_dict": state, **LISTS[form](masks)}, tmp_path / "t.pth")
    found = ut.Ticket.from_checkpoint(tmp_path / "t.pth").masks()
    for name, mask in masks.items():
        assert (found[name] == mask.numpy()).all()


def test_masks_and_weights_of_a_state_dict_may_be_lists(dense, tmp_path):
    state, masks = dense
    listed = {name: tensor.tolist() for name, tensor in state.items()}
    torch.save(
        {**listed, **{f"{k}.mask": in_lists(m) for k, m in masks.items()}}, tmp_path / "t.pt"
    )
    ticket = ut.Ticket.from_checkpoint(tmp_path / "t.pt")
    for name, mask in masks.items():
        assert (ticket.masks()[name] == mask.numpy()).all()
        assert ticket.layers[name].magnitudes.all()


NO_MASKS = {
    "indices": lambda mask: np.flatnonzero(mask.numpy()).tolist(),
    "tensors of indices": lambda mask: mask.nonzero(),
    "indices of each filter": lambda mask: [
        np.flatnonzero(row).tolist() for row in mask.flatten(1).numpy()
    ],
    "sets": lambda mask: {*np.flatnonzero(mask.numpy()).tolist()},
    "bytes": lambda mask: np.packbits(mask.numpy()).tobytes(),
    "another shape": lambda mask: torch.ones(2, 2),
}


@pytest.mark.parametrize("form", NO_MASKS)
def test_masks_that_cannot_be_read_are_refused_by_name_never_dense(form, dense, tmp_path):
    state, masks = dense
    content = {"state_dict": state, "masks": {k: NO_MASKS[form](m) for k, m in masks.items()}}
    torch.save(content, tmp_path / "t.pth")
    with pytest.raises(ValueError, match=r"t.pth cannot be read as a state dict: .*masks.conv1"):
        ut.Ticket.from_checkpoint(tmp_path / "t.pth")


def test_what_holds_itself_is_refused(tmp_path):
    state = {"a.weight": torch.ones(2, 2)}
    endless, table = [], dict(state)
    endless.append(endless)
    table["self"] = table
    for content in (table, {**state, "masks": endless}, {**state, "masks": {"a": endless}}):
        torch.save(content, tmp_path / "t.pth")
        with pytest.raises(ValueError, match="t.pth holds tables or lists that hold themselves"):
            ut.Ticket.from_checkpoint(tmp_path / "t.pth")


def test_what_else_is_called_a_mask_is_no_reason_to_refuse(dense, tmp_path):
    state, masks = dense
    pruned = {f"{name}.weight": state[f"{name}.weight"] * mask for name, mask in masks.items()}
    more = {"mask_ratio": 0.9, "mask_kind": {"sizes": [1, 2], "of": ["a", "b"]}, "losses": [0.1, 2]}
    torch.save({"state_dict": pruned, **more, "attn_mask": torch.ones(4, 4)}, tmp_path / "t.pth")
    ticket = ut.Ticket.from_checkpoint(tmp_path / "t.pth")
    for name, mask in masks.items():
        assert (ticket.masks()[name] == mask.numpy()).all()
    assert "attn_mask" in ticket.provenance["left_out"]


def test_bfloat16_and_sparse_tensors_are_read(tmp_path):
    weight = torch.zeros(4, 4, 3, 3)
    weight[0, 0] = 1
    path = tmp_path / "t.pt"
    torch.save({"a.weight": weight.bfloat16(), "b.weight": weight.to_sparse()}, path)
    assert {x.nonzeros for x in ut.Ticket.from_checkpoint(path).layers.values()} == {9}


class Evil:
    def __reduce__(self):
        return os.system, ("touch ran",)


def test_whole_networks_and_other_objects_are_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    for content in (network, {"state_dict": network.state_dict(), "more": Evil()},
                    {"model": network, "args": argparse.Namespace(lr=1)}):  # fmt: skip
        torch.save(content, "t.pth.tar")
        with pytest.raises(ValueError, match=r"could run code.*save_file\(model.state_dict\(\)"):
            ut.Ticket.from_checkpoint("t.pth.tar")
    assert os.listdir() == ["t.pth.tar"]


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "t.pth"
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        ut.Ticket.from_checkpoint(path)
    torch.save({"state_dict": nn.Linear(3, 3).state_dict()}, path)
    content = path.read_bytes()
    for bad in (b"", content[:40], content[: len(content) // 2], b"\x80\x02junk", b"{}"):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"t\.pth (cannot be read|holds)"):
            ut.Ticket.from_checkpoint(path)
    for holds in ({"epoch": 3}, [1, 2], {"state_dict": {}}):
        torch.save(holds, path)
        with pytest.raises(ValueError, match="holds no state dict"):
            ut.Ticket.from_checkpoint(path)
    torch.save({"norm.weight": torch.ones(3)}, path)
    with pytest.raises(ValueError, match=r"no tensor called NAME.weight .*norm.weight \(3,\)"):
        ut.Ticket.from_checkpoint(path)


@pytest.mark.filterwarnings("ignore:Sparse")
def test_a_few_bytes_cannot_claim_billions_of_weights(tmp_path):
    path, few = tmp_path / "t.pth", torch.ones(1, 1)
    for weight in (
        few.expand(2**20, 2**16),
        torch.sparse_coo_tensor([[0], [0]], [1.0], (2**20, 2**20)),
    ):
        torch.save({"a.weight": weight}, path)
        with pytest.raises(ValueError, match=r"bytes cannot hold the [0-9,]+ numbers of a.weight"):
            ut.Ticket.from_checkpoint(path)


def test_the_advice_works(network, tmp_path, monkeypatch):
    """`safetensors.torch.save_file(model.state_dict(), "net.safetensors")`."""
    import safetensors.torch

    monkeypatch.chdir(tmp_path)
    safetensors.torch.save_file(network.state_dict(), "net.safetensors")
    torch.save(network.state_dict(), "net.pth")
    one, other = ut.Ticket.from_safetensors("net.safetensors"), ut.Ticket.from_checkpoint("net.pth")
    assert [x.nonzeros for x in one.layers.values()] == [x.nonzeros for x in other.layers.values()]
