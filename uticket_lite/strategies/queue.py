"""The next filter goes to the PE that frees first; nobody waits inside a layer."""

from uticket_lite.strategies.base import Strategy

RANK = 90
STRATEGY = Strategy(
    name="queue",
    label="queue (next filter to the first free PE)",
    changes="schedule",
    cost="A dispatcher in hardware, and inputs that PEs read at different times.",
    source="Graham 1966, list scheduling: at most 2 − 1/n times the optimum",
    barrier=False,
)
