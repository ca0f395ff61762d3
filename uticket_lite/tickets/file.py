"""The file of a ticket: safetensors.

A ticket's file has one key of metadata (several would be written in random order), `FORMAT`:
JSON of timesteps, counted layers, provenance, and of each layer its shape, positions, spike
sparsity, and input positions where they differ; ties, if there are any; and whether only counts
are known. Two arrays
per layer: `NAME/counts` (int32), the non-zeros of each filter, and `NAME/gaps`, which says where
they are. Filters laid end to end, a non-zero's gap is how far it is from the one before; gaps
are written as uint32, all lowest bytes first, then all second bytes, …, and deflated.
"""

import json
import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import save

from uticket_lite.tickets.layer import Counts, Layer

FORMAT = "uticket-lite ticket 2"


def pack_layers(layers: Mapping[str, Layer], header: Mapping[str, Any], counts_only: bool) -> bytes:
    """A ticket's file; header: what goes into its metadata beside the layers."""
    tensors, about = {}, {}
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
    content = {"layers": about, "counts_only": counts_only, **header}
    return save(tensors, {FORMAT: json.dumps(content)})


def read_layers(file: Any) -> tuple[dict[str, Layer], dict[str, Any]]:
    """The layers and the header of a ticket's open file; ValueError if it is none."""
    metadata = file.metadata() or {}
    if FORMAT not in metadata:
        raise ValueError(f"it says nothing of {FORMAT!r}")
    header = json.loads(metadata[FORMAT])
    layers = {
        name: _read_layer(
            file.get_tensor(f"{name}/counts"),
            None if header["counts_only"] else file.get_tensor(f"{name}/gaps"),
            **about,
        )
        for name, about in header["layers"].items()
    }
    return layers, header


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
    counts = counts.astype(np.int64)
    if counts.shape != (shape[0],) or counts.min() < 0 or counts.max() > size:
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
    inflater = zlib.decompressobj()
    try:
        planes = inflater.decompress(deflated.tobytes(), 4 * count + 1)
    except zlib.error as error:
        raise ValueError(f"positions of non-zeros cannot be inflated: {error}") from None
    if len(planes) != 4 * count or not inflater.eof:
        raise ValueError(f"positions of non-zeros are not {count}, as counts say")
    gaps = np.frombuffer(planes, np.uint8).reshape(4, count).T
    return np.ascontiguousarray(gaps).view("<u4").ravel().cumsum(dtype=np.int64)
