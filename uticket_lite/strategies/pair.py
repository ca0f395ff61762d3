"""Pair the densest filter with the sparsest on one PE, the next with the next, …"""

from dataclasses import dataclass

import numpy as np

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.sort import densest_first


@dataclass(frozen=True)
class Pair(Strategy):
    """Two filters per PE and wave: one from the dense end, one from the sparse end."""

    def order(self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Densest, sparsest, second densest, second sparsest, …; see `Strategy.order`."""
        order = densest_first(counts, starts)
        place = np.arange(counts.size)
        first = np.repeat(starts[:-1], np.diff(starts))
        last = np.repeat(starts[1:] - 1, np.diff(starts))
        half = (place - first) // 2
        return order[np.where((place - first) % 2 == 0, first + half, last - half)]


RANK = 70
STRATEGY: Strategy = Pair(
    name="pair",
    label="pair (densest with sparsest on one PE)",
    changes="order",
    cost="A permutation of the filters, and room for two filters in every PE.",
    source="Gondimalla et al. 2019 (SparTen), greedy balancing GB-S",
    each=2,
)
