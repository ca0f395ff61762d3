"""The filters of several layers as arrays, one layer after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uticket_lite.tickets.layer import Layer


@dataclass(frozen=True, eq=False)
class Filters:
    """What strategies and kernels look at.

    counts: non-zeros of the filters, int64 (filters,). starts: where each layer begins, int64
    (layers + 1,). sizes, positions: weights and output positions of each layer, int64 (layers,).
    spike_sparsity: zero input spikes of each layer, float64 (layers,); NaN where not known.
    """

    counts: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    positions: np.ndarray
    spike_sparsity: np.ndarray

    @classmethod
    def of(cls, layers: Sequence[Layer]) -> "Filters":
        """Those of the layers, in their order."""
        return cls(
            np.concatenate([layer.counts for layer in layers]),
            np.cumsum([0, *(layer.shape[0] for layer in layers)]),
            np.array([layer.size for layer in layers]),
            np.array([layer.positions for layer in layers]),
            np.array([layer.spike_sparsity for layer in layers], float),  # None: NaN
        )
