"""The next filter goes to the PE that frees first; nobody waits inside a layer."""

from dataclasses import dataclass

import numpy as np

from uticket_lite.kernels.scheduling import deal_to_first_free
from uticket_lite.strategies.base import Strategy


@dataclass(frozen=True)
class Queue(Strategy):
    """Dynamic dispatch: list scheduling of the filters in their given order."""

    def deal(self, counts: np.ndarray, starts: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """One wave per layer; see `Strategy.deal`."""
        return deal_to_first_free(counts, starts, n)


RANK = 90
STRATEGY: Strategy = Queue(
    name="queue",
    label="queue (next filter to the first free PE)",
    changes="schedule",
    cost="A dispatcher in hardware, and inputs that PEs read at different times.",
    source="Graham 1966, list scheduling: at most 2 − 1/n times the optimum",
)
