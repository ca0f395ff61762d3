"""The filters of several layers as arrays, one layer after the other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from uticket_lite.tickets.layer import Layer


@dataclass(frozen=True, eq=False)
class Shared:
    """Layers that share an order, put together: what an order is chosen for.

    counts: non-zeros, those of tied layers added up filter by filter, int64 (filters of all
    groups,). starts: where each group begins, int64 (groups + 1,); a layer without ties is a
    group of its own. slots: for each filter of every layer, its place in `counts`. shifts: what
    leads from a place in a group to the filter's number, int64 (filters,).
    """

    counts: np.ndarray
    starts: np.ndarray
    slots: np.ndarray
    shifts: np.ndarray

    def expand(self, order: np.ndarray) -> np.ndarray:
        """The order of all layers' filters from that of the groups'."""
        return order[self.slots] + self.shifts


@dataclass(frozen=True, eq=False)
class Filters:
    """What strategies and kernels look at.

    counts: non-zeros of the filters, int64 (filters,). starts: where each layer begins, int64
    (layers + 1,). sizes, positions: weights and output positions of each layer, int64 (layers,).
    spike_sparsity: zero input spikes of each layer, float64 (layers,); NaN where not known.
    shared: groups of layers that share an order; None if every layer has its own.
    """

    counts: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    positions: np.ndarray
    spike_sparsity: np.ndarray
    shared: Shared | None = None

    @classmethod
    def of(cls, layers: Mapping[str, Layer], ties: Iterable[tuple[str, ...]] = ()) -> "Filters":
        """Those of the layers, in their order; ties: see `Ticket`."""
        counts = np.concatenate([layer.counts for layer in layers.values()])
        starts = np.cumsum([0, *(layer.shape[0] for layer in layers.values())])
        return cls(
            counts,
            starts,
            np.array([layer.size for layer in layers.values()]),
            np.array([layer.positions for layer in layers.values()]),
            np.array([layer.spike_sparsity for layer in layers.values()], float),  # None: NaN
            _shared(tuple(layers), counts, starts, ties),
        )

    def cut(self, parts: int) -> "Filters":
        """Every filter as so many parts, one after the other, of equal counts or one more.

        They share no order: whatever runs a part, its sum goes where the filter's does.
        """
        if parts == 1:
            return self
        counts = (self.counts[:, None] + np.arange(parts)) // parts
        starts = self.starts * parts
        return replace(self, counts=counts.ravel(), starts=starts, shared=None)


def _shared(
    names: tuple[str, ...], counts: np.ndarray, starts: np.ndarray, ties: Iterable[tuple[str, ...]]
) -> Shared | None:
    leader = {name: name for name in names}
    for tie in ties:
        members = [name for name in tie if name in leader]
        leader.update(dict.fromkeys(members, members[0]) if members else {})
    if all(name == first for name, first in leader.items()):
        return None
    sizes = dict(zip(names, np.diff(starts).tolist(), strict=True))
    groups = list(dict.fromkeys(leader.values()))
    begins = np.cumsum([0, *(sizes[first] for first in groups)])
    begin = dict(zip(groups, begins.tolist(), strict=False))
    slots = np.concatenate([begin[leader[name]] + np.arange(sizes[name]) for name in names])
    numbers = np.arange(counts.size)
    summed = np.zeros(begins[-1], np.int64)
    np.add.at(summed, slots, counts)
    return Shared(summed, begins, slots, numbers - slots)
