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
