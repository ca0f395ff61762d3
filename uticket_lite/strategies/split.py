"""Halve every filter and schedule the halves: small parts fit together better than large ones."""

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.sort import Sort

PARTS = 2

RANK = 97
STRATEGY: Strategy = Sort(
    name="split",
    label="split (halved filters, longest first to the first free PE)",
    changes="schedule",
    cost="As LPT, and every output is the sum of two PEs' partial sums: one more addition, and a "
    "place to keep one of them, for each output position and timestep (not in the cycles).",
    source="channel splitting, folklore; LPT as Graham 1969",
    barrier=False,
    parts=PARTS,
)
