"""Tickets keep what they are given, on disk too, and refuse what is no mask."""

import contextlib
import copy
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from generators import masks
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import uticket_lite as ut
from uticket_lite.tickets.file import SUM
from uticket_lite.tickets.layer import Counts

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


def test_what_is_said_of_a_layer_that_is_given_as_one_counts_too():
    known = {"positions": {"a": 4}, "input_positions": {"a": 16}, "spike_sparsity": {"a": 0.5}}
    given = ut.Layer.from_array(np.eye(4), positions=9, spike_sparsity=0.1)
    for array in (given, np.eye(4)):
        layer = ut.Ticket.from_arrays({"a": array}, **known).layers["a"]
        assert (layer.positions, layer.input_positions, layer.spike_sparsity) == (4, 16, 0.5)
    kept = ut.Ticket.from_arrays({"a": given}).layers["a"]
    assert (kept.positions, kept.spike_sparsity) == (9, 0.1)


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
    with pytest.raises(ValueError, match="checksum"):
        ut.load_ticket(bad)
    bad.write_bytes(content[:-6] + b"\xff" * 6)
    with pytest.raises(ValueError, match="checksum"):
        ut.load_ticket(bad)
    arrays = load_file(good)
    with safe_open(good, "numpy") as file:
        header = {key: SUM.sub(r"\1}", said) for key, said in file.metadata().items()}

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
        with pytest.raises(ValueError, match="only how many .* as later rounds of a rec"):
            ut.simulate(counted, ut.Accelerator(16, mapping), strategy)
    possible = ut.compare(counted, ut.Accelerator())
    assert list(possible.index) == [n for n, s in ut.STRATEGIES.items() if s.changes != "mask"]
    counted.save(file)
    assert ut.load_ticket(file).counts_only
    assert ut.load_ticket(file).sparsity == ticket.sparsity
    assert "only counts known" in repr(counted.layers["conv2"])


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


def assert_same(one, other):
    assert (one.timesteps, one.counted, one.ties) == (other.timesteps, other.counted, other.ties)
    assert one.provenance == other.provenance
    assert one.layers.keys() == other.layers.keys()
    for name, layer in one.layers.items():
        assert layer.positions == other.layers[name].positions
        assert (layer.to_dense() == other.layers[name].to_dense()).all()


@settings(max_examples=300)
@given(st.data())
def test_a_flipped_byte_is_noticed_or_harmless(tmp_path_factory, data):
    """Whatever is read back is the ticket that was written."""
    file = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    ticket = ut.Ticket.from_arrays({"a": np.eye(9, 20)}, positions={"a": 7})
    ticket.save(file)
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    with contextlib.suppress(ValueError):
        assert_same(ut.load_ticket(file), ticket)


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


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ut.Ticket({0: ut.Layer.from_array(np.ones((2, 2)))}), "string, not 0"),
        (lambda: ut.Ticket.from_arrays({4: np.ones((2, 2))}), "string, not 4"),
        (lambda: ut.Ticket({"a": np.ones((2, 2))}), "layer 'a' must be of type Layer"),
        (lambda: ut.Ticket.from_arrays({"a": np.eye(2)}, provenance={"x": {1, 2}}), "provenance"),
        (lambda: ut.Ticket.from_arrays({"a": np.eye(2)}, timesteps=2.5), "whole number, not 2.5"),
    ],
)
def test_what_could_not_be_saved_is_refused_at_once(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_numbers_of_numpy_and_pandas_become_pythons_and_are_saved(tmp_path):
    ticket = ut.Ticket.from_arrays(
        {"a": np.eye(4)},
        positions={"a": np.int32(9)},
        input_positions={"a": np.float64(36)},
        timesteps=np.int64(4),
        spike_sparsity={"a": np.float32(0.5)},
        provenance={"seed": np.int64(7), "accuracy": np.float32(0.5), "shape": (1, 2)},
    )
    ticket.save(tmp_path / "t.safetensors")
    for again in (ticket, ut.load_ticket(tmp_path / "t.safetensors")):
        layer = again.layers["a"]
        found = again.timesteps, layer.positions, layer.input_positions, layer.spike_sparsity
        assert found == (4, 9, 36, 0.5)
        assert [type(number) for number in found] == [int, int, int, float]
        assert again.provenance == {"seed": 7, "accuracy": 0.5, "shape": [1, 2]}
    balanced = ut.balance(ticket, ut.Accelerator(np.int64(2)), seed=np.int64(3))
    balanced.save(tmp_path / "b.safetensors")
    assert ut.load_ticket("digits-lth", 3.0).provenance["round"] == 3


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"shape": (4,)}, ValueError, "filters, channels"),
        ({"shape": (4, 0)}, ValueError, "1 or more, not 0"),
        ({"mask": np.ones((4, 9), bool)}, ValueError, "dense mask goes to Layer.from_array"),
        ({"mask": np.zeros((4, 2), np.uint64)}, ValueError, r"uint64 \(4, 1\)"),
        ({"mask": np.full((4, 1), 512, np.uint64)}, ValueError, "beyond a filter's 9 weights"),
        ({"mask": Counts(np.full(4, 10))}, ValueError, "outside 0 to 9"),
        ({"mask": Counts(np.zeros(3, int))}, ValueError, "each of the 4 filters"),
        ({"positions": 0}, ValueError, "positions must be 1 or more"),
        ({"positions": 2**31}, ValueError, "positions must be 2,147,483,647 or less"),
        ({"input_positions": 1.5}, TypeError, "whole number"),
        ({"spike_sparsity": 1.5}, ValueError, "lie in"),
        ({"magnitudes": np.ones((4, 8), np.float32)}, ValueError, "4 filters of 9 weights"),
    ],
)
def test_every_field_of_a_layer_is_checked_also_when_it_is_replaced(changes, error, words):
    layer = ut.Layer.from_array(np.eye(4, 9))
    with pytest.raises(error, match=words):
        replace(layer, **changes)


def test_layers_are_named_once_and_at_least_one():
    ticket = ut.synthetic_ticket("digits")
    for layers, words in ((["conv2", "conv2"], "named twice"), ([], "one or more")):
        with pytest.raises(ValueError, match=words):
            ut.simulate(ticket, ut.Accelerator(), layers=layers)
    with pytest.raises(ValueError, match="named twice"):
        ut.Ticket(ticket.layers, counted=("conv2", "conv2"))
    assert list(ut.simulate(ticket, ut.Accelerator(), layers="conv2").loads) == ["conv2"]


LADDER = ut.magnitude_ladder(ut.Ticket.from_arrays({"a": np.linspace(-1, 1, 90).reshape(9, 10)}))


@pytest.mark.parametrize(
    "ticket",
    [
        ut.synthetic_ticket("digits"),
        ut.load_ticket("vgg16-cifar10-lth", 0),
        LADDER[40],
        ut.balance(LADDER[40], ut.Accelerator(4)),
    ],
    ids=["masks", "counts only", "rung", "balanced rung"],
)
@pytest.mark.parametrize(
    "travel", [copy.deepcopy, copy.copy, lambda thing: pickle.loads(pickle.dumps(thing))]
)
def test_tickets_layers_and_reports_travel(ticket, travel):
    before = ut.simulate(ticket, ut.Accelerator(4), "sort")
    there = travel(ticket)
    assert (there.counted, there.provenance) == (ticket.counted, ticket.provenance)
    assert ut.simulate(there, ut.Accelerator(4), "sort").figures == pytest.approx(
        before.figures, nan_ok=True
    )
    assert travel(before).orders.keys() == before.orders.keys()
    for name, layer in ticket.layers.items():
        other = travel(layer)
        assert (other.counts == layer.counts).all()
        assert other.counts_only == layer.counts_only
        assert layer.counts_only or (other.bits == layer.bits).all()
        moved = replace(there.layers[name], positions=5)
        assert (moved.positions, moved.nonzeros) == (5, layer.nonzeros)
        assert layer.counts_only or (moved.to_dense() == layer.to_dense()).all()
    with pytest.raises(TypeError):
        there.layers["a"] = None


def utilization(ticket):
    return ut.simulate(ticket, ut.Accelerator(4)).utilization


def test_tickets_go_to_other_processes_and_reports_come_back():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(utilization, LADDER[40]).result() == utilization(LADDER[40])
        report = pool.submit(ut.simulate, LADDER[40], ut.Accelerator(4), "uticket").result()
    assert report.figures == pytest.approx(
        ut.simulate(LADDER[40], ut.Accelerator(4), "uticket").figures, nan_ok=True
    )


def test_cycles_are_exact_or_refused_but_never_wrap():
    most = 2**31 - 1
    ticket = ut.Ticket.from_arrays({"a": np.eye(2)}, positions={"a": most}, timesteps=2**29)
    assert ut.simulate(ticket, ut.Accelerator(1)).latency == 2 * most * 2**29
    more = replace(ticket, timesteps=2**30)
    for read in ("latency", "work", "layers", "energy"):
        with pytest.raises(ValueError, match="cycles do not fit 64 bits"):
            getattr(ut.simulate(more, ut.Accelerator(2)), read)
    assert ut.simulate(more, ut.Accelerator(2), cycles="weights").latency == 1
    with pytest.raises(ValueError, match="timesteps must be 2,147,483,647 or less"):
        replace(ticket, timesteps=2**31)


def test_more_pes_than_fit_are_refused():
    for n in (2**20 + 1, 10**12, 10**20):
        with pytest.raises(ValueError, match="number of PEs.* must be 1,048,576 or less"):
            ut.Accelerator(n)
    large = ut.Accelerator(2**20, "input-channel")
    with pytest.raises(ValueError, match="do not fit memory; take fewer PEs"):
        ut.simulate(ut.Ticket.from_arrays({"a": np.ones((300, 2))}), large)
    few = ut.Ticket.from_arrays({"a": np.ones((3, 2))})
    for mapping in ut.MAPPINGS:
        assert ut.simulate(few, ut.Accelerator(10**6, mapping)).work == 6


def _latency(ticket, strategy):
    return ut.simulate(ticket, ut.Accelerator(8), strategy)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib_takes_tickets_and_gives_reports_back(backend):
    joblib = pytest.importorskip("joblib")
    ticket, names = ut.load_ticket("digits-lth"), ["none", "sort"]
    parallel = joblib.Parallel(n_jobs=2, backend=backend)
    reports = parallel(joblib.delayed(_latency)(ticket, name) for name in names)
    for name, report in zip(names, reports, strict=True):
        here = _latency(ticket, name)
        assert report.latency == here.latency
        assert report.layers.equals(here.layers)
        assert report.price == here.price


def test_names_that_no_file_can_hold_are_refused_at_once():
    for name in ("a\ud800", "\udfff", "conv\udc80.1"):
        with pytest.raises(ValueError, match="without half letters"):
            ut.Ticket.from_arrays({name: np.eye(4)})
    assert "conv \U0001f600 é" in ut.Ticket.from_arrays({"conv \U0001f600 é": np.eye(4)}).layers
