"""Longest processing time first: the densest filter goes to the PE that frees first."""

from dataclasses import dataclass

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.queue import Queue
from uticket_lite.strategies.sort import Sort


@dataclass(frozen=True)
class LongestFirst(Sort, Queue):
    """Filters in the order of `sort`, dealt as by `queue`."""


RANK = 80
STRATEGY: Strategy = LongestFirst(
    name="lpt",
    label="LPT (longest first to the first free PE)",
    changes="schedule",
    cost="A schedule computed once per ticket, and inputs that PEs read at different times.",
    source="Graham 1969, LPT: at most 4/3 − 1/(3n) times the optimum",
)
