"""Train spiking networks and find their tickets (torch, snnTorch)."""

from uticket_lite.training.lottery import LotteryRun, Settings, find_tickets
from uticket_lite.training.neurons import FusedLeaky

__all__ = ["FusedLeaky", "LotteryRun", "Settings", "find_tickets"]
