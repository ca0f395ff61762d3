"""A random order of filters: what luck alone does."""

from dataclasses import dataclass

import numpy as np

from uticket_lite.strategies.base import Strategy


@dataclass(frozen=True)
class Shuffle(Strategy):
    """Filters of each layer in random order."""

    def order(self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A uniformly random permutation inside each layer; see `Strategy.order`."""
        layer = np.repeat(np.arange(starts.size - 1), np.diff(starts))
        return np.lexsort((rng.random(counts.size), layer))


RANK = 50
STRATEGY: Strategy = Shuffle(
    name="shuffle",
    label="shuffle (filters in random order)",
    changes="order",
    cost="A permutation of the filters, folded into the next layer; no weight changes. Layers "
    "that are added to one another share an order.",
    source="folklore; a control for the orders below",
)
