"""Tickets keep what they are given, on disk too, and refuse what is no mask."""

import contextlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from test_simulate import masks

import uticket_lite as ut

pytestmark = pytest.mark.kernels


@given(masks)
def test_masks_survive_the_sparse_form(mask):
    layer = ut.Layer.from_array(mask)
    assert (layer.to_dense() == mask).all()
    assert layer.counts.tolist() == [row.sum() for row in mask]
    assert layer.indices().tolist() == [i for row in mask for i in np.flatnonzero(row)]
    assert layer.nonzeros == mask.sum()
    assert layer.sparsity == pytest.approx(1 - mask.mean())
    again = ut.Layer.from_indices(layer.shape, layer.counts, layer.indices())
    assert (again.bits == layer.bits).all()


@given(masks)
def test_any_mask_comes_back_from_disk(tmp_path_factory, mask):
    file = tmp_path_factory.getbasetemp() / "any.safetensors"
    ut.Ticket.from_arrays({"conv1": mask}).save(file)
    assert (ut.load_ticket(file).masks()["conv1"] == mask).all()


@pytest.mark.parametrize("alive", [0, 1, 2])
def test_layers_with_hardly_a_weight_come_back_from_disk(tmp_path, alive):
    mask = np.zeros((4, 3, 3, 3), bool)
    mask.ravel()[[50, 7][:alive]] = True
    ticket = ut.Ticket.from_arrays({"conv1": mask})
    ticket.save(tmp_path / "t.safetensors")
    assert (ut.load_ticket(tmp_path / "t.safetensors").masks()["conv1"] == mask).all()


def test_later_changes_of_the_array_do_not_reach_the_ticket():
    for array in (np.ones((4, 8), bool), np.ones((4, 8), np.float32)):
        layer = ut.Layer.from_array(array)
        array[:] = 0
        assert layer.nonzeros == 32
        assert layer.magnitudes is None or layer.magnitudes.all()


def test_weights_of_any_number_type_are_masks():
    weights = np.array([[0.0, -0.5, 3e-9], [0, 0, 1]])
    for dtype in (np.float64, np.float32, np.int8, bool):
        array = weights.astype(dtype)
        assert (ut.Layer.from_array(array).to_dense() == (array != 0)).all()


def test_tickets_come_back_from_disk_as_they_were(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"conv1": rng.random((4, 3, 3, 3)) < 0.3, "linear1": rng.random((5, 70_000)) < 1e-3}
    ticket = ut.Ticket.from_arrays(
        arrays,
        positions={"conv1": 49},
        timesteps=3,
        spike_sparsity={"conv1": 0.8},
        counted=["conv1"],
        provenance={"seed": 7},
    )
    file = tmp_path / "t.safetensors"
    ticket.save(file)
    again = ut.load_ticket(file)
    assert all((again.masks()[name] == mask).all() for name, mask in arrays.items())
    assert (again.timesteps, again.counted, dict(again.provenance)) == (3, ("conv1",), {"seed": 7})
    assert again.layers["conv1"].positions == 49
    assert again.layers["conv1"].spike_sparsity == 0.8
    assert again.layers["linear1"].spike_sparsity is None
    assert os.listdir(tmp_path) == ["t.safetensors"]
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("arrays", "error", "words"),
    [
        ({}, ValueError, "at least one layer"),
        ({"a": np.ones(4)}, ValueError, r"layer 'a': shape \(4,\)"),
        ({"a": np.ones((0, 4))}, ValueError, r"layer 'a': shape \(0, 4\)"),
        ({"a": np.array([[1.0, np.nan]])}, ValueError, "layer 'a': contains NaN"),
        ({"a": np.array([[1.0, np.inf]])}, ValueError, "layer 'a': contains NaN or inf"),
        ({"a": np.array([["x", "y"]])}, TypeError, "layer 'a': .* not dtype <U1"),
        ({"a": np.array([[1j]])}, TypeError, "not dtype complex128"),
        ({"a": [[1, 2], [3]]}, ValueError, "layer 'a': .*rectangular"),
    ],
)
def test_what_is_no_mask_is_refused(arrays, error, words):
    with pytest.raises(error, match=words):
        ut.Ticket.from_arrays(arrays)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"positions": {"b": 4}}, "positions for layer 'b' is not known; choose one of: a"),
        ({"positions": {"a": 0}}, "layer 'a': positions must be 1 or more, not 0"),
        ({"input_positions": {"b": 4}}, "input_positions for layer 'b' is not known"),
        ({"input_positions": {"a": 0}}, "layer 'a': input_positions must be 1 or more, not 0"),
        ({"spike_sparsity": {"a": 1.5}}, r"spike_sparsity must lie in \[0, 1\], not 1.5"),
        ({"timesteps": 0}, "timesteps must be 1 or more, not 0"),
        ({"counted": ["b"]}, "layer 'b' is not known"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        ut.Ticket.from_arrays({"a": np.ones((2, 2))}, **options)


def test_truncated_damaged_and_foreign_files_are_refused(tmp_path):
    good = tmp_path / "good.safetensors"
    ut.synthetic_ticket("digits").save(good)
    content = good.read_bytes()
    bad = tmp_path / "bad.safetensors"
    for length in (0, 7, 100, len(content) // 2, len(content) - 1):
        bad.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"bad\.safetensors cannot be read as a ticket"):
            ut.load_ticket(bad)
    save_file({"conv1": np.ones(3)}, bad)
    with pytest.raises(ValueError, match="it says nothing of 'uticket-lite ticket 2'"):
        ut.load_ticket(bad)
    bad.write_bytes(content.replace(b'"conv2/gaps"', b'"conv2/gapS"'))
    with pytest.raises(ValueError, match="conv2/gaps"):
        ut.load_ticket(bad)
    bad.write_bytes(content[:-6] + b"\xff" * 6)
    with pytest.raises(ValueError, match="positions of non-zeros"):
        ut.load_ticket(bad)
    arrays = load_file(good)
    with safe_open(good, "numpy") as file:
        header = file.metadata()

    def refused(words, **changed):
        save_file({**arrays, **changed}, bad, header)
        with pytest.raises(ValueError, match=words):
            ut.load_ticket(bad)

    gaps, counts = arrays["conv2/gaps"], arrays["conv2/counts"]
    refused("cannot be inflated", **{"conv2/gaps": gaps[1:]})
    refused("are not [0-9]+, as counts say", **{"conv2/counts": counts + 1})
    refused("are not [0-9]+, as counts say", **{"conv2/gaps": gaps[:-9]})
    refused("counts of non-zeros disagree with shape", **{"conv2/counts": counts[1:]})
    refused("do not ascend", **{"conv2/counts": np.roll(counts, 1)})
    with pytest.raises(FileNotFoundError, match=r"no ticket file at .*none\.safetensors"):
        ut.load_ticket(tmp_path / "none.safetensors")


def test_counts_alone_suffice_for_orders_and_schedules(tmp_path):
    ticket, file = ut.synthetic_ticket("digits"), tmp_path / "counts.safetensors"
    ticket.save(file, counts_only=True)
    counted = ut.load_ticket(file)
    for strategy in ("none", "sort", "lpt"):
        reports = [ut.simulate(t, ut.Accelerator(), strategy) for t in (ticket, counted)]
        assert reports[0].figures == pytest.approx(reports[1].figures, nan_ok=True)
        assert reports[0].price == reports[1].price
    counted.save(file, counts_only=True)
    for mapping, strategy in (("input-channel", "none"), ("output-channel", "uticket")):
        with pytest.raises(ValueError, match="only how many weights .* need a later round"):
            ut.simulate(counted, ut.Accelerator(16, mapping), strategy)
    with pytest.raises(ValueError, match="only how many weights"):
        counted.save(file)
    assert ut.load_ticket(file).sparsity == ticket.sparsity


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "t.safetensors"
    ut.synthetic_ticket("digits").save(file)
    before = file.read_bytes()

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        ut.synthetic_ticket("digits", seed=1).save(file)
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["t.safetensors"]


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_one_kind_of_error(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as a ticket"):
        ut.load_ticket(file)


@settings(max_examples=300)
@given(st.data())
def test_a_flipped_byte_is_noticed_or_harmless(tmp_path_factory, data):
    """Whatever is read back is a ticket whose masks agree with themselves."""
    file = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    ut.Ticket.from_arrays({"a": np.eye(9, 20)}, positions={"a": 7}).save(file)
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    with contextlib.suppress(ValueError):
        for layer in ut.load_ticket(file).layers.values():
            assert layer.counts.sum() == layer.indices().size == layer.nonzeros


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.integers(),
        st.lists(st.one_of(st.floats(), st.text(), st.none())),
        st.dictionaries(st.text(), st.integers()),
    )
)
def test_whatever_is_no_array_is_refused(value):
    with pytest.raises((ValueError, TypeError), match="layer 'a': "):
        ut.Ticket.from_arrays({"a": value})
