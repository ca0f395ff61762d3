"""Longest processing time first: the densest filter goes to the PE that frees first."""

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.sort import Sort

RANK = 80
STRATEGY: Strategy = Sort(
    name="lpt",
    label="LPT (longest first to the first free PE)",
    changes="schedule",
    cost="A schedule computed once per ticket, and inputs that PEs read at different times.",
    source="Graham 1969, LPT: at most 4/3 − 1/(3n) times the optimum",
    barrier=False,
)
