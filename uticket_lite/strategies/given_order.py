"""No balancing: the baseline that everything is compared with."""

from uticket_lite.strategies.base import Strategy

RANK = 0
STRATEGY = Strategy(
    name="none",
    label="none (filters in their given order)",
    changes="nothing",
    cost="Nothing; PEs wait for the slowest in every wave.",
    source="Yin et al. 2024, baseline (LTH)",
)
