"""The load of every PE in every wave: how a layer's non-zeros spread over the PE array."""

import math
from dataclasses import dataclass

import numpy as np

from uticket_lite.accelerator import Accelerator
from uticket_lite.kernels.counting import slice_counts
from uticket_lite.ticket import Layer


def n_waves(layer: Layer, accelerator: Accelerator) -> int:
    """Waves that the layer takes: ⌈K/n⌉ by output channel, K by input channel."""
    if accelerator.mapping == "input-channel":
        return layer.shape[0]
    return -(-layer.shape[0] // accelerator.n_pe)


def loads(layer: Layer, accelerator: Accelerator, order: np.ndarray | None = None) -> np.ndarray:
    """Non-zeros that each PE holds in each wave, int64 (waves, n).

    `output-channel`: wave g holds filters g·n … g·n+n−1, one per PE; a short last wave leaves
    PEs with load 0. `input-channel`: each filter is a wave and its C input channels are cut
    into n contiguous slices of ⌈C/n⌉, the last ones possibly shorter or empty.

    order: a permutation of the filters, int (K,); default the given order.
    """
    if accelerator.mapping == "input-channel":
        size, _ = _slices(layer, accelerator.n_pe)
        table = slice_counts(layer.counts, layer.indices, size, accelerator.n_pe)
        return table if order is None else table[order]
    counts = layer.counts if order is None else layer.counts[order]
    return _one_filter_per_pe(counts, accelerator.n_pe)


def capacities(layer: Layer, accelerator: Accelerator) -> np.ndarray:
    """Weights, pruned or not, that each PE could hold in each wave, int64 (waves, n).

    0 where a PE gets no filter (short last wave) or no input channel.
    """
    if accelerator.mapping == "input-channel":
        _, widths = _slices(layer, accelerator.n_pe)
        return np.tile(widths, (layer.shape[0], 1))
    filters = np.full(layer.shape[0], layer.filter_size, np.int64)
    return _one_filter_per_pe(filters, accelerator.n_pe)


@dataclass(frozen=True)
class Segments:
    """The parts of a layer that one PE holds in one wave, in the order of `Layer.indices`.

    All int64 (segments,): `counts` non-zeros, `starts` first position inside the filter,
    `capacities` positions. `place` maps a (waves, n) table to this order: table.ravel()[place].
    """

    counts: np.ndarray
    starts: np.ndarray
    capacities: np.ndarray
    place: np.ndarray


def segments(layer: Layer, accelerator: Accelerator) -> Segments:
    """Cut the layer into what each PE holds in each wave (PEs that hold nothing have none)."""
    table = capacities(layer, accelerator)
    place = np.flatnonzero(table)
    widths = table.ravel()[place]
    if accelerator.mapping == "input-channel":
        starts = (np.cumsum(table, axis=1) - table).ravel()[place]
    else:
        starts = np.zeros(place.size, np.int64)
    return Segments(loads(layer, accelerator).ravel()[place], starts, widths, place)


def _one_filter_per_pe(values: np.ndarray, n: int) -> np.ndarray:
    """Lay per-filter values out as (waves, n), padding a short last wave with 0."""
    padded = np.zeros(-(-values.size // n) * n, np.int64)
    padded[: values.size] = values
    return padded.reshape(-1, n)


def _slices(layer: Layer, n: int) -> tuple[int, np.ndarray]:
    """Weights of a full slice of input channels, and of each of the n slices, int64 (n,)."""
    channels, kernel_size = layer.shape[1], math.prod(layer.shape[2:])
    width = -(-channels // n)
    cuts = np.minimum(np.arange(n + 1) * width, channels) * kernel_size
    return width * kernel_size, np.diff(cuts)
