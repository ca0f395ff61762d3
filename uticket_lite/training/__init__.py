"""Train spiking networks and find their tickets (torch, snnTorch)."""

from uticket_lite.training.loop import record_spikes
from uticket_lite.training.lottery import find_tickets
from uticket_lite.training.neurons import FusedLeaky
from uticket_lite.training.permuting import fold_orders
from uticket_lite.training.record import LotteryRun, load_network
from uticket_lite.training.settings import Settings

__all__ = [
    "FusedLeaky",
    "LotteryRun",
    "Settings",
    "find_tickets",
    "fold_orders",
    "load_network",
    "record_spikes",
]
