"""The load of every PE in every wave: how non-zeros spread over the PE array."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.kernels import bits, scheduling
from uticket_lite.tickets.layer import Layer

MOST_LOADS = 2**28
"""Entries of a table of loads, 2 GiB."""


@dataclass(frozen=True)
class Workload:
    """Loads of several layers, one after the other.

    loads: non-zeros of each PE in each wave, int64 (waves of all layers, n).
    starts: row of `loads` at which each layer begins, int64 (layers + 1,).
    """

    loads: np.ndarray
    starts: np.ndarray


def add_up(
    counts: np.ndarray, starts: np.ndarray, wave: np.ndarray, pe: np.ndarray, n: int
) -> Workload:
    """`output-channel`: filters dealt to PEs; what one PE gets in one wave adds up.

    counts: non-zeros of the filters of all layers, int64 (filters,). starts: where each layer
    begins, int64 (layers + 1,). wave, pe: of each filter, int64 (filters,).
    """
    _check_fits((starts.size - 1) * (int(wave.max()) + 1), n)
    return Workload(*scheduling.add_up(counts, starts, wave, pe, n))


def cut(layers: Sequence[Layer], n: int) -> Workload:
    """`input-channel`: each filter is a wave, its input channels cut into n contiguous slices.

    Slices have ⌈C/n⌉ channels, the last ones fewer or none.
    """
    _check_fits(sum(layer.shape[0] for layer in layers), n)
    tables = [bits.slice_counts(layer.bits, slice_size(layer, n), n) for layer in layers]
    return Workload(np.concatenate(tables), _starts([len(table) for table in tables]))


def loads(layer: Layer, accelerator: Accelerator) -> np.ndarray:
    """Non-zeros that each PE holds in each wave, filters in their given order, int64 (waves, n).

    `output-channel`: wave g holds filters g·n … g·n+n−1, one per PE; a short last wave leaves
    PEs with load 0. `input-channel`: see `cut`.
    """
    n = accelerator.n_pe
    if accelerator.mapping == "input-channel":
        return cut([layer], n).loads
    return _one_filter_per_pe(layer.counts, n)


def capacities(layer: Layer, accelerator: Accelerator) -> np.ndarray:
    """Weights, pruned or not, that each PE could hold in each wave, int64 (waves, n).

    0 where a PE gets no filter (short last wave) or no input channel.
    """
    n = accelerator.n_pe
    if accelerator.mapping == "input-channel":
        cuts = np.minimum(np.arange(n + 1) * slice_size(layer, n), layer.filter_size)
        return np.tile(np.diff(cuts), (layer.shape[0], 1))
    return _one_filter_per_pe(np.full(layer.shape[0], layer.filter_size), n)


def slice_size(layer: Layer, n: int) -> int:
    """Weights in a full one of n slices of the input channels: ⌈C/n⌉·kh·kw."""
    return -(-layer.shape[1] // n) * math.prod(layer.shape[2:])


def _check_fits(waves: int, n: int) -> None:
    if waves * n > MOST_LOADS:
        raise ValueError(
            f"the loads of {n:,} PEs in up to {waves:,} waves do not fit memory; take fewer PEs"
        )


def _one_filter_per_pe(values: np.ndarray, n: int) -> np.ndarray:
    """Lay per-filter values out as (waves, n), padding a short last wave with 0."""
    padded = np.zeros(-(-values.size // n) * n, np.int64)
    padded[: values.size] = values
    return padded.reshape(-1, n)


def _starts(sizes: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)])
