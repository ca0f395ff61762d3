"""Regrow every PE to the wave's largest load: utilization 100 % without any speed-up."""

import numpy as np

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.uticket import Rebalance


def largest(loads: np.ndarray, capacities: np.ndarray) -> np.ndarray:
    """The largest load of each wave, int64 (waves,)."""
    return loads.max(axis=1)


RANK = 30
STRATEGY: Strategy = Rebalance(
    name="regrow-only",
    label="regrow only (up to the wave's maximum)",
    changes="mask",
    cost="More non-zeros and no cycle saved: it games the metric.",
    source="this project, as a warning",
    target=largest,
)
