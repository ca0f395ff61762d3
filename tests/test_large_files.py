"""State dicts larger than memory are read a piece at a time, sharded or not."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file, save_model

import uticket_lite as ut
from benchmarks.large import make, measure
from uticket_lite.edge import tensors


def test_reading_takes_a_bit_a_weight(tmp_path):
    """64 million bfloat16 weights, in a process of their own; `benchmarks/large.py` reads 10⁹."""
    file = tmp_path / "large.safetensors"
    made = make(file, 64_000_000, tensors=4)
    found = measure(file)
    assert found["weights"] == 64_000_000
    assert found["nonzeros"] == made > 3900
    assert found["bytes_a_weight"] <= 0.5


def test_reading_takes_a_bit_a_weight_also_where_all_are_alive(tmp_path):
    file = tmp_path / "large.safetensors"
    assert make(file, 64_000_000, tensors=4, alive=None) == 64_000_000
    assert file.stat().st_blocks * 512 >= 2 * 64_000_000, "no holes"
    found = measure(file)
    assert found["nonzeros"] == 64_000_000
    assert found["bytes_a_weight"] <= 0.5


def test_rows_longer_than_a_piece_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tensors, "BLOCK", 128)
    rng = np.random.default_rng(0)
    for shape in ((1, 1000), (3, 129), (300, 3), (2, 5, 7, 11)):
        weight = rng.normal(size=shape) * (rng.random(shape) < 0.2)
        mask = (rng.random(shape) < 0.5).astype(np.uint8)
        save_arrays(
            {"a.weight": weight, "b.weight": weight, "b.mask": mask}, tmp_path / "t.safetensors"
        )
        ticket = ut.Ticket.from_safetensors(tmp_path / "t.safetensors")
        assert (ticket.masks()["a"] == (weight != 0)).all()
        assert (ticket.masks()["b"] == (mask != 0)).all()
        found = np.asarray(ticket.layers["a"].magnitudes)
        assert (found == np.abs(weight).astype(np.float32).reshape(shape[0], -1)).all()


@pytest.mark.parametrize(
    "dtype",
    [
        "float64",
        "float32",
        "float16",
        "bfloat16",
        "float8_e4m3fn",
        "float8_e5m2",
        "float8_e4m3fnuz",
        "float8_e5m2fnuz",
        "float8_e8m0fnu",
        "int8",
        "uint8",
        "int16",
        "int32",
        "int64",
        "uint16",
        "uint32",
        "uint64",
        "bool",
    ],
)
def test_every_type_of_number_is_read_as_torch_reads_it(dtype, tmp_path):
    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    weight = (torch.randn(8, 40) * (torch.rand(8, 40) < 0.3)).float().to(kind)
    save_file({"a.weight": weight}, tmp_path / "t.safetensors")
    layer = ut.Ticket.from_safetensors(tmp_path / "t.safetensors").layers["a"]
    wanted = weight.double().numpy()
    assert (layer.to_dense() == (wanted != 0)).all()
    if kind.is_floating_point:
        assert (layer.magnitudes == np.abs(wanted).astype(np.float32)).all()
    if "float8" in dtype and "e8m0" not in dtype:
        every = torch.arange(256).to(torch.uint8).view(kind)
        found = tensors._decoded(np.arange(256, dtype=np.uint8), tensors_name(every, tmp_path))
        real = every.float().numpy()
        assert np.array_equal(found, np.where(np.isinf(real), np.nan, real), equal_nan=True)


def tensors_name(tensor, folder):
    """What safetensors calls a type."""
    save_file({"a": tensor}, folder / "n.safetensors")
    return tensors.open_tensors(folder / "n.safetensors", "", "")["a"].dtype


def test_types_without_numbers_are_refused_by_name(tmp_path):
    save_file({"a.weight": torch.ones(2, 2, dtype=torch.complex64)}, tmp_path / "t.safetensors")
    with pytest.raises(ValueError, match="tensor 'a.weight' is of type C64"):
        ut.Ticket.from_safetensors(tmp_path / "t.safetensors")


def shards(folder, **names):
    arrays = {
        "a.weight": np.eye(4, dtype=np.float32),
        "b.weight": np.ones((3, 4), np.float32),
        "b.weight_mask": np.tri(3, 4, dtype=np.float32),
    }
    where = {
        "a.weight": "1.safetensors",
        "b.weight": "2.safetensors",
        "b.weight_mask": "1.safetensors",
    }
    for shard in ("1.safetensors", "2.safetensors"):
        save_arrays({n: arrays[n] for n, s in where.items() if s == shard}, folder / shard)
    index = folder / "net.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {**where, **names}}))
    return index


def test_shards_are_read_as_one(tmp_path):
    ticket = ut.Ticket.from_safetensors(shards(tmp_path), positions={"b": 3})
    assert {n: x.nonzeros for n, x in ticket.layers.items()} == {"a": 4, "b": 6}
    assert ticket.layers["b"].magnitudes.all()


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        (
            {"c.weight": "1.safetensors"},
            ValueError,
            "'c.weight' is in 1.safetensors, but it is not",
        ),
        ({"c.weight": "3.safetensors"}, FileNotFoundError, "3.safetensors"),
        ({"c.weight": "../3.safetensors"}, ValueError, "without folders"),
        ({"c.weight": "/etc/passwd"}, ValueError, "without folders"),
        ({"c.weight": 3}, ValueError, "cannot be read as the index"),
    ],
)
def test_indices_that_do_not_fit_are_refused(names, error, words, tmp_path):
    with pytest.raises(error, match=words):
        ut.Ticket.from_safetensors(shards(tmp_path, **names))


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-8],
        lambda b: b[:20],
        lambda b: b"",
        lambda b: b"\xff" * 100,
        lambda b: b + b"x",
    ],
    ids=["its end cut off", "its header cut off", "empty", "other bytes", "bytes too many"],
)
def test_a_damaged_shard_is_named(damage, tmp_path):
    index = shards(tmp_path)
    shard = tmp_path / "2.safetensors"
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(ValueError, match=r"2\.safetensors cannot be read .* truncated"):
        ut.Ticket.from_safetensors(index)


def test_a_missing_shard_is_named(tmp_path):
    index = shards(tmp_path)
    (tmp_path / "2.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"2\.safetensors"):
        ut.Ticket.from_safetensors(index)


def test_tensors_that_are_no_layers_are_passed_over_and_tied_ones_read_once(tmp_path):
    """As safetensors writes a model whose layers share a weight: one of the two names."""
    tied = torch.nn.ModuleDict({"a": torch.nn.Linear(4, 6), "b": torch.nn.Linear(4, 6)})
    tied["b"].weight = tied["a"].weight
    tied["norm"] = torch.nn.BatchNorm1d(6)
    tied["table"] = torch.nn.ParameterDict({"places": torch.ones(2, 3)})
    save_model(tied, tmp_path / "tied.safetensors")
    ticket = ut.Ticket.from_safetensors(tmp_path / "tied.safetensors")
    assert {name: layer.shape for name, layer in ticket.layers.items()} == {"a": (6, 4)}
    save_arrays({"norm.weight": np.ones(4)}, tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match=r"that is the weight of a layer, but norm\.weight"):
        ut.Ticket.from_safetensors(tmp_path / "none.safetensors")


def test_magnitudes_of_a_file_that_changed_are_not_guessed(tmp_path):
    file = tmp_path / "t.safetensors"
    save_arrays({"a.weight": np.ones((4, 4), np.float32)}, file)
    ticket = ut.Ticket.from_safetensors(file)
    assert ut.balance(ticket, ut.Accelerator(2), "uticket-magnitude").layers["a"].nonzeros == 16
    save_arrays({"a.weight": np.zeros((4, 8), np.float32)}, file)
    with pytest.raises(ValueError, match="has changed since it was opened"):
        np.asarray(ticket.layers["a"].magnitudes)


def test_the_command_line_shows_how_far_it_has_read(tmp_path):
    file = tmp_path / "large.safetensors"
    make(file, 16_000_000, tensors=2)
    code = f"""from uticket_lite import cli
cli.loading.PATIENCE = 0
assert cli.main(["simulate", {str(file)!r}]) == 0"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "of 16,000,000 weights, 100%" in done.stderr
    assert "read" not in done.stdout.split("\n")[0]
