"""Longest processing time first: the densest filter goes to the PE that frees first."""

from dataclasses import dataclass

import numpy as np

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.queue import Queue
from uticket_lite.strategies.sort import densest_first


@dataclass(frozen=True)
class LongestFirst(Queue):
    """List scheduling of the filters from dense to sparse."""

    def order(self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Filters by decreasing non-zeros; see `Strategy.order`."""
        return densest_first(counts, starts)


RANK = 80
STRATEGY: Strategy = LongestFirst(
    name="lpt",
    label="LPT (longest first to the first free PE)",
    changes="schedule",
    cost="A schedule computed once per ticket, and inputs that PEs read at different times.",
    source="Graham 1969, LPT: at most 4/3 − 1/(3n) times the optimum",
    mappings=("output-channel",),
)
