"""u-Ticket with a guide: drop the smallest weights of a PE, regrow the largest pruned ones."""

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.uticket import Rebalance

RANK = 20
STRATEGY: Strategy = Rebalance(
    name="uticket-magnitude",
    label="u-Ticket by magnitude (drop small, regrow large)",
    changes="mask",
    cost="As many weights as u-Ticket, and every |w| before masking must be kept for the choice; "
    "where it is unknown, the choice is random.",
    source="this project, after Yin et al. 2024, Algorithm 1",
    by_magnitude=True,
)
