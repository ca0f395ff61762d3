"""Sort filters by their non-zeros, so that PEs of one wave get alike ones."""

from dataclasses import dataclass

import numpy as np

from uticket_lite.accelerator import Accelerator
from uticket_lite.strategies.base import Strategy
from uticket_lite.ticket import Layer


@dataclass(frozen=True)
class Sort(Strategy):
    """Densest filters first: the smallest Σ max of all orders under a barrier per wave."""

    def order(self, layer: Layer, accelerator: Accelerator, rng: np.random.Generator) -> np.ndarray:
        """Filters by decreasing non-zeros; ties keep their given order."""
        return np.argsort(-layer.counts, kind="stable")


RANK = 60
STRATEGY = Sort(
    name="sort",
    label="sort (filters by non-zeros)",
    changes="order",
    cost="A permutation of the filters, folded into the next layer; no weight changes.",
    source="folklore; optimal among orders under barriers",
    mappings=("output-channel",),
)
