"""Train spiking networks and find their tickets (torch, snnTorch)."""

from uticket_lite.training.loop import record_spikes
from uticket_lite.training.lottery import LotteryRun, Settings, find_tickets, load_network
from uticket_lite.training.neurons import FusedLeaky
from uticket_lite.training.permuting import fold_orders

__all__ = [
    "FusedLeaky",
    "LotteryRun",
    "Settings",
    "find_tickets",
    "fold_orders",
    "load_network",
    "record_spikes",
]
