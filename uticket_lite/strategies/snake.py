"""Sorted filters, dealt forth and back, to PEs that may run ahead: the snake."""

from dataclasses import dataclass

import numpy as np

from uticket_lite.strategies.fifo import DEPTH
from uticket_lite.strategies.sort import Sort


@dataclass(frozen=True)
class Snake(Sort):
    """Densest first, every second wave from the last PE to the first: who got most of one wave
    gets least of the next."""

    def deal(self, counts: np.ndarray, starts: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """One filter per PE and wave, forth and back; see `Strategy.deal`."""
        wave, pe = super().deal(counts, starts, n)
        return wave, np.where(wave % 2 == 0, pe, n - 1 - pe)


RANK = 110
STRATEGY = Snake(
    name="snake",
    label=f"snake (sorted, dealt forth and back, up to {DEPTH} waves ahead)",
    changes="hardware",
    cost=f"A permutation of the filters, folded into the next layer, and a queue for the inputs of "
    f"{DEPTH} waves in every PE, as for FIFO.",
    source="boustrophedon dealing, folklore; with the queues of Han et al. 2016 (EIE)",
    mappings=("output-channel",),
    ahead=DEPTH,
)
