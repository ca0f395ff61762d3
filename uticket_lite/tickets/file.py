"""The file of a ticket: safetensors.

A ticket's file has one key of metadata (several would be written in random order), `FORMAT`:
JSON of timesteps, counted layers, provenance, and of each layer its shape, positions, spike
sparsity, and input positions where they differ; ties, if there are any; whether only counts are
known; and at its end the SHA-256 of all before it and of the arrays. Two arrays per layer:
`NAME/counts` (int32), the non-zeros of each filter, and `NAME/gaps`, which says where they are.
Filters laid end to end, a non-zero's gap is how far it is from the one before; gaps are written
as uint32, all lowest bytes first, then all second bytes, …, and deflated.

Nothing that a file says is believed before it is checked against what the file holds: a few
bytes cannot claim memory for billions of weights.
"""

import hashlib
import json
import math
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import save

from uticket_lite.edge.checks import whole_number
from uticket_lite.tickets.layer import Counts, Layer

FORMAT = "uticket-lite ticket 2"
FIELDS = {"layers", "counts_only", "timesteps", "counted", "provenance", "ties"}
SUM = re.compile(r'(.*), "sha256": "([0-9a-f]{64})"\}', re.DOTALL)
WEIGHTS_PER_BYTE = 2**20
"""Of a file; more cannot be claimed. A ticket of which only counts are kept has up to 2**14."""
MOST_WEIGHTS, MOST_ALIVE = 2**33, 2**27
"""Of all layers together, in a file that says which weights are alive."""
DEFLATED = 1100
"""Bytes that one byte may inflate to; zlib's limit is 1032."""


def pack_layers(layers: Mapping[str, Layer], header: Mapping[str, Any], counts_only: bool) -> bytes:
    """A ticket's file; header: what goes into its metadata beside the layers."""
    tensors, about = {}, {}
    alive = 0 if counts_only else sum(layer.nonzeros for layer in layers.values())
    if alive > MOST_ALIVE:
        raise ValueError(
            f"a file can say of {MOST_ALIVE:,} weights that they are alive, not of {alive:,}; "
            "save(path, counts_only=True) keeps how many each filter has"
        )
    for name, layer in layers.items():
        tensors[f"{name}/counts"] = layer.counts.astype(np.int32)
        if not counts_only:
            tensors[f"{name}/gaps"] = _deflate(_starts(layer) + layer.indices())
        about[name] = {
            "shape": layer.shape,
            "positions": layer.positions,
            "spike_sparsity": layer.spike_sparsity,
        }
        if layer.input_positions is not None:
            about[name]["input_positions"] = layer.input_positions
    said = json.dumps({"layers": about, "counts_only": counts_only, **header})
    signed = f'{said[:-1]}, "sha256": "{_digest(said, tensors)}"}}'
    return save(tensors, {FORMAT: signed})


def read_layers(file: Any, size: int) -> tuple[dict[str, Layer], dict[str, Any]]:
    """The layers and the header of a ticket's open file of `size` bytes.

    Raises ValueError if it is none, or damaged; other errors that `files.DAMAGE` lists too.
    """
    metadata = file.metadata() or {}
    if FORMAT not in metadata:
        raise ValueError(f"it says nothing of {FORMAT!r}")
    signed = SUM.fullmatch(metadata[FORMAT])
    said = f"{signed[1]}}}" if signed else metadata[FORMAT]  # files of old have no sum
    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if signed and _digest(said, tensors) != signed[2]:
        raise ValueError("it is damaged: what it holds does not add up to its checksum")
    header = json.loads(said, parse_constant=_no_number)
    _check_header(header)
    claimed = sum(math.prod(about["shape"]) for about in header["layers"].values())
    if claimed > min(MOST_WEIGHTS, WEIGHTS_PER_BYTE * size):
        raise ValueError(f"{size:,} bytes cannot hold a ticket of {claimed:,} weights")
    layers = {
        name: _read_layer(
            tensors[f"{name}/counts"],
            None if header["counts_only"] else tensors[f"{name}/gaps"],
            **about,
        )
        for name, about in header["layers"].items()
    }
    return layers, header


def _digest(said: str, tensors: Mapping[str, np.ndarray]) -> str:
    """Of the metadata and of all arrays."""
    digest = hashlib.sha256(said.encode())
    for name, array in sorted(tensors.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of a ticket")


def _check_header(header: Any) -> None:
    """Its tables and lists are such, and nothing else is in it."""
    if not isinstance(header, dict) or not header.keys() - {"ties"} == FIELDS - {"ties"}:
        raise ValueError(f"its metadata must be a table of {', '.join(sorted(FIELDS))}")
    kinds = {"layers": dict, "provenance": dict, "counted": list, "ties": list, "counts_only": bool}
    for field, kind in kinds.items():
        if not isinstance(header.get(field, kind()), kind):
            raise ValueError(f"{field} must be a {kind.__name__}, not {header[field]!r:.50}")
    for name, about in header["layers"].items():
        if len(about["shape"]) < 2:
            raise ValueError(
                f"layer {name!r}: shape {about['shape']} is not (filters, channels, …)"
            )
        for side in about["shape"]:
            whole_number(f"layer {name!r}: each side of its shape", side)


def _read_layer(
    counts: np.ndarray,
    gaps: np.ndarray | None,
    shape: list[int],
    positions: int,
    spike_sparsity: float | None,
    input_positions: int | None = None,
) -> Layer:
    """A layer from a file's arrays, trusted only as far as they agree with each other."""
    size = math.prod(shape[1:])
    if (counts.dtype, counts.shape) != (np.int32, (shape[0],)):
        raise ValueError(f"counts of non-zeros disagree with shape {shape}")
    counts = counts.astype(np.int64)
    if counts.min() < 0 or counts.max() > size:
        raise ValueError(f"counts of non-zeros disagree with shape {shape}")
    known: dict[str, Any] = {
        "positions": positions,
        "spike_sparsity": spike_sparsity,
        "input_positions": input_positions,
    }
    if gaps is None:
        return Layer(tuple(shape), Counts(counts), **known)
    flat = _inflate(gaps, int(counts.sum()))
    indices = flat - np.repeat(np.arange(shape[0]) * size, counts)
    if (indices < 0).any() or (indices >= size).any() or (np.diff(flat) <= 0).any():
        raise ValueError(f"positions of non-zeros do not ascend inside filters of {size} weights")
    return Layer.from_indices(tuple(shape), counts, indices, **known)


def _starts(layer: Layer) -> np.ndarray:
    """Where the filter of each non-zero begins if filters lie end to end, int64."""
    return np.repeat(np.arange(layer.shape[0]) * layer.filter_size, layer.counts)


def _deflate(flat: np.ndarray) -> np.ndarray:
    """Ascending positions as deflated gaps, uint8."""
    gaps = np.diff(flat, prepend=0).astype("<u4")
    planes = gaps.view(np.uint8).reshape(-1, 4).T
    return np.frombuffer(zlib.compress(planes.tobytes(), 9), np.uint8)


def _inflate(deflated: np.ndarray, count: int) -> np.ndarray:
    """The inverse of `_deflate`, int64 (count,); never makes more than `count`."""
    if deflated.dtype != np.uint8 or deflated.ndim != 1:
        raise ValueError("positions of non-zeros are no bytes")
    if count > MOST_ALIVE or 4 * count > DEFLATED * (deflated.size + 16):
        raise ValueError(f"{deflated.size:,} bytes cannot say where {count:,} non-zeros are")
    inflater = zlib.decompressobj()
    try:
        planes = inflater.decompress(deflated.tobytes(), 4 * count + 1)
    except zlib.error as error:
        raise ValueError(f"positions of non-zeros cannot be inflated: {error}") from None
    if len(planes) != 4 * count or not inflater.eof:
        raise ValueError(f"positions of non-zeros are not {count}, as counts say")
    gaps = np.frombuffer(planes, np.uint8).reshape(4, count).T
    return np.ascontiguousarray(gaps).view("<u4").ravel().cumsum(dtype=np.int64)
