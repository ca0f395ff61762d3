"""Queues in front of the PEs: a PE may run ahead of the slowest by the depth of its queue."""

from uticket_lite.strategies.base import Strategy

DEPTH = 4
"""Waves that fit into a PE's queue. EIE finds 8 entries enough, but it queues single inputs,
not the inputs of a whole wave."""

RANK = 100
STRATEGY = Strategy(
    name="fifo-d",
    label=f"FIFO (PEs run up to {DEPTH} waves ahead)",
    changes="hardware",
    cost=f"A queue for the inputs of {DEPTH} waves in every PE; Yin et al. 2024 (Fig. 1) put "
    "such queues at 18 % more area.",
    source="Han et al. 2016 (EIE)",
    ahead=DEPTH,
)
