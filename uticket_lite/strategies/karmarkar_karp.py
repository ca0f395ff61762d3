"""Karmarkar and Karp's differencing: part the filters among PEs so that sums come out even."""

from dataclasses import dataclass

import numpy as np

from uticket_lite.kernels.scheduling import deal_by_differencing
from uticket_lite.strategies.base import Strategy


@dataclass(frozen=True)
class Differencing(Strategy):
    """Two partial partings at a time are joined, the largest sum of one with the smallest of the
    other, until one is left; no barrier inside a layer."""

    def deal(self, counts: np.ndarray, starts: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """One wave per layer; see `Strategy.deal`."""
        return np.zeros(counts.size, np.int64), deal_by_differencing(counts, starts, n)


RANK = 95
STRATEGY = Differencing(
    name="karmarkar-karp",
    label="Karmarkar–Karp (differences evened out)",
    changes="schedule",
    cost="A schedule computed once per ticket, and inputs that PEs read at different times.",
    source="Karmarkar and Karp 1982, the differencing method, for n PEs",
)
