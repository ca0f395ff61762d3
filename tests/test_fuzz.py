"""Whatever files hold: a ticket that works, or one of three kinds of error, at little cost.

`UTICKET_FUZZ=20000 pytest tests/test_fuzz.py` tries more than CI does.
"""

import contextlib
import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import uticket_lite as ut
from uticket_lite.tickets import file as ticket_file

REFUSED = (ValueError, FileNotFoundError, OSError)
TRIED = settings(
    max_examples=int(os.environ.get("UTICKET_FUZZ", "150")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NUMBERS = st.one_of(
    st.integers(-3, 70),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from([2**31 - 1, 2**31, 2**36, 2**63, 10**400, -5, 2.7, True]),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=3), st.just("conv1")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A ticket's file: two layers, ties, spikes, input positions."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("fuzz") / "good.safetensors"
    ut.Ticket.from_arrays(
        {"conv1": rng.random((6, 3, 3, 3)) < 0.3, "conv2": rng.random((6, 6, 3, 3)) < 0.1},
        positions={"conv1": 64, "conv2": 16},
        input_positions={"conv2": 64},
        spike_sparsity={"conv2": 0.8},
        timesteps=4,
        ties=[["conv1", "conv2"]],
        provenance={"seed": 3, "note": "a"},
    ).save(path)
    return path


def try_it(path):
    """Load and run; whatever loads must be valid and runnable."""
    try:
        ticket = ut.load_ticket(path)
    except REFUSED:
        with contextlib.suppress(*REFUSED):
            ut.Ticket.from_safetensors(path)
        return False
    assert 1 <= ticket.timesteps < 2**31
    assert isinstance(ticket.provenance, dict)
    assert len(set(ticket.counted)) == len(ticket.counted) > 0
    for layer in ticket.layers.values():
        assert layer.spike_sparsity is None or 0 <= layer.spike_sparsity <= 1
        assert all(isinstance(side, int) and side > 0 for side in layer.shape)
        assert layer.counts.sum() == layer.nonzeros <= layer.size
        assert repr(layer)
    assert repr(ticket)
    with contextlib.suppress(ValueError):  # cycles that do not fit an int64
        report = ut.simulate(ticket, ut.Accelerator(4))
        assert report.work + report.idle == 4 * report.latency >= 0
    return True


@TRIED
@given(st.data())
def test_changed_bytes_are_noticed_or_harmless(good, tmp_path, data):
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["change", "insert", "delete", "cut"]))
        if kind == "change":
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            content[at:at] = data.draw(st.binary(max_size=8))
        elif kind == "delete":
            del content[at : at + data.draw(st.integers(1, 8))]
        else:
            del content[at + 1 :]
        content = content or bytearray(b"{")
    path = tmp_path / "bytes.safetensors"
    path.write_bytes(content)
    if try_it(path):
        before, after = ut.load_ticket(good), ut.load_ticket(path)
        assert (after.timesteps, after.counted) == (before.timesteps, before.counted)
        assert all((after.masks()[name] == mask).all() for name, mask in before.masks().items())


def rewritten(good, path, change, seal):
    """The file with other metadata; with a checksum that fits, if sealed, or none."""
    tensors = load_file(good)
    with safe_open(good, "numpy") as file:
        (text,) = file.metadata().values()
    header = json.loads(text)
    header.pop("sha256")
    header = change(header)
    said = json.dumps(header)
    if seal and isinstance(header, dict):
        digest = ticket_file._digest(said, tensors)
        said = f'{said[:-1]}, "sha256": "{digest}"}}'
    save_file(tensors, path, {ticket_file.FORMAT: said})


@TRIED
@given(st.data(), st.booleans())
def test_changed_metadata_is_refused_or_valid(good, tmp_path, data, seal):
    def change(header):
        for _ in range(data.draw(st.integers(1, 2))):
            where, key = header, data.draw(st.sampled_from(sorted(header)))
            while isinstance(where[key], dict | list) and where[key] and data.draw(st.booleans()):
                where = where[key]
                keys = sorted(where) if isinstance(where, dict) else range(len(where))
                key = data.draw(st.sampled_from(list(keys)))
            if data.draw(st.booleans()) or isinstance(where, list):
                where[key] = data.draw(VALUES)
            else:
                del where[key]
            if not header:
                return header
        return header

    path = tmp_path / "metadata.safetensors"
    try:
        rewritten(good, path, change, seal)
    except (ValueError, OverflowError):  # what JSON cannot hold
        return
    try_it(path)


@TRIED
@given(VALUES, st.booleans())
def test_any_metadata_is_refused_or_valid(good, tmp_path, value, seal):
    with contextlib.suppress(UnicodeEncodeError):
        rewritten(good, tmp_path / "any.safetensors", lambda header: value, seal)
        try_it(tmp_path / "any.safetensors")


@TRIED
@given(
    st.dictionaries(
        st.sampled_from(
            ["a.weight", "a.weight_orig", "a.weight_mask", "a.bias", "masks.0", "b.mask"]
        )
        | st.text(max_size=6),
        st.tuples(
            st.sampled_from(["f4", "f2", "f8", "i8", "u1", "?"]),
            st.lists(st.integers(0, 3), max_size=4),
            st.sampled_from([0, 1, np.nan, np.inf]),
        ),
        max_size=4,
    ),
    st.data(),
)
def test_any_state_dict_is_refused_or_read(tmp_path, tensors, data):
    path = tmp_path / "state.safetensors"
    try:
        with np.errstate(invalid="ignore"):
            arrays = {
                name: np.full(shape, 0 if kind[0] in "iu" else value, kind)
                for name, (kind, shape, value) in tensors.items()
            }
        save_file(arrays, path)
    except Exception:  # names that safetensors does not write
        return
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
    with contextlib.suppress(*REFUSED):
        ticket = ut.Ticket.from_safetensors(path)
        assert all(layer.nonzeros <= layer.size for layer in ticket.layers.values())
    index = tmp_path / "state.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": data.draw(VALUES)}), encoding="utf-8")
    with contextlib.suppress(*REFUSED):
        ut.Ticket.from_safetensors(index)


def set_in(*path, value):
    def change(header):
        *above, last = path
        where = header
        for key in above:
            where = where[key]
        where[last] = value
        return header

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_in("layers", "conv2", "spike_sparsity", value=-5), r"must lie in \[0, 1\], not -5"),
        (set_in("layers", "conv2", "spike_sparsity", value="0.5"), "must be a number, not '0.5'"),
        (set_in("layers", "conv2", "spike_sparsity", value=float("nan")), "NaN is no number"),
        (set_in("layers", "conv2", "shape", value=[]), r"shape \[\] is not .filters"),
        (set_in("layers", "conv2", "shape", value=[6, -6, -3, 3]), "must be 1 or more, not -6"),
        (set_in("layers", "conv2", "shape", value=[6, True, 54]), "whole number, not True"),
        (set_in("layers", "conv2", "shape", value=[1, 2**36]), "bytes cannot hold a ticket of"),
        (set_in("layers", "conv2", "positions", value=2**40), "2,147,483,647 or less"),
        (set_in("layers", "conv2", "positions", value=2.7), "whole number, not 2.7"),
        (set_in("layers", "conv2", "colour", value=1), "colour"),
        (set_in("timesteps", value=10**400), "2,147,483,647 or less"),
        (set_in("counted", value="aa"), "counted must be a list, not 'aa'"),
        (set_in("counted", value=["conv1", "conv1"]), "each once"),
        (set_in("counted", value=["conv9"]), "'conv9' is not known"),
        (set_in("provenance", value=[["a", 1]]), "provenance must be a dict"),
        (set_in("counts_only", value=1), "counts_only must be a bool"),
        (set_in("ties", value=[["conv1", "conv9"]]), "'conv9' is not known"),
        (set_in("more", value=1), "must be a table of counted"),
        (lambda header: [], "must be a table of"),
    ],
)
def test_each_field_is_checked(good, tmp_path, change, words):
    path = tmp_path / "field.safetensors"
    rewritten(good, path, change, seal=True)
    with pytest.raises(ValueError, match=words):
        ut.load_ticket(path)


def test_metadata_nested_without_end_is_refused(good, tmp_path):
    path = tmp_path / "deep.safetensors"
    save_file({}, path, {ticket_file.FORMAT: "[" * 50_000})
    with pytest.raises(ValueError, match="cannot be read as a ticket"):
        ut.load_ticket(path)


def test_counts_must_be_whole(good, tmp_path):
    tensors = load_file(good)
    with safe_open(good, "numpy") as file:
        header = file.metadata()
    tensors["conv1/counts"] = tensors["conv1/counts"] + np.float32(0.7)
    save_file(tensors, tmp_path / "t.safetensors", header)
    with pytest.raises(ValueError, match="does not add up to its checksum"):
        ut.load_ticket(tmp_path / "t.safetensors")


def test_one_flipped_bit_anywhere_in_arrays_or_metadata_is_noticed(good, tmp_path):
    """Each bit of the arrays, and each letter of the metadata's JSON but its spaces."""
    content, path = good.read_bytes(), tmp_path / "bit.safetensors"
    before = {name: mask for name, mask in ut.load_ticket(good).masks().items()}
    length = int.from_bytes(content[:8], "little")
    for at in range(8, len(content), 3):
        changed = bytearray(content)
        changed[at] ^= 1 << (at % 8)
        path.write_bytes(changed)
        try:
            after = ut.load_ticket(path)
        except ValueError:
            continue
        assert at < 8 + length  # names of dtypes, spaces: where nothing is said of the ticket
        assert all((after.masks()[name] == mask).all() for name, mask in before.items())


def test_files_from_before_checksums_are_still_read(good, tmp_path):
    path = tmp_path / "old.safetensors"
    rewritten(good, path, lambda header: header, seal=False)
    assert ut.load_ticket(path).provenance == ut.load_ticket(good).provenance


def test_a_few_bytes_cannot_take_much_memory(good, tmp_path):
    resource = pytest.importorskip("resource", reason="counts memory as Unix does")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "claims.safetensors"
    for shape in ([1, 2**36], [1, 2**31 - 1], [2**20, 2**20], [6, 2**40]):
        rewritten(good, path, set_in("layers", "conv2", "shape", value=shape), seal=True)
        with pytest.raises(ValueError, match="cannot be read as a ticket"):
            ut.load_ticket(path)
    bomb = np.zeros(500_000, np.uint8)
    bomb[:2] = 0x78, 0x9C
    tensors = {"a/counts": np.array([2**31 - 1], np.int32), "a/gaps": bomb}
    header = {
        "layers": {"a": {"shape": [1, 2**31 - 1], "positions": 1, "spike_sparsity": None}},
        **{"counts_only": False, "timesteps": 1, "counted": ["a"], "provenance": {}},
    }
    save_file(tensors, path, {ticket_file.FORMAT: json.dumps(header)})
    with pytest.raises(ValueError, match="cannot say where"):
        ut.load_ticket(path)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) / 1024 < 200  # megabytes
