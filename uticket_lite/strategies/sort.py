"""Sort filters by their non-zeros, so that PEs of one wave get alike ones."""

from dataclasses import dataclass

import numpy as np

from uticket_lite.strategies.base import Strategy


def densest_first(counts: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Filters of each layer by decreasing non-zeros, int64 (filters,); ties keep their order.

    Layer, count and position are packed into one integer, because sorting integers is several
    times faster than sorting by three keys.
    """
    layer = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    places = 1 << int(counts.size).bit_length()
    levels = 1 << int(counts.max()).bit_length()
    keys = (layer * levels + (levels - 1 - counts)) * places + np.arange(counts.size)
    keys.sort()
    return keys & (places - 1)


@dataclass(frozen=True)
class Sort(Strategy):
    """Densest filters first: the smallest Σ max of all orders under a barrier per wave,
    where layers need not share one."""

    def order(self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Filters by decreasing non-zeros; see `Strategy.order`."""
        return densest_first(counts, starts)


RANK = 60
STRATEGY: Strategy = Sort(
    name="sort",
    label="sort (filters by non-zeros)",
    changes="order",
    cost="A permutation of the filters, folded into the next layer; no weight changes. Layers "
    "that are added to one another share an order.",
    source="folklore; optimal among orders under barriers",
)
