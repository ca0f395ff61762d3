"""Train spiking networks and find their tickets (torch, snnTorch)."""

from uticket_lite.training.loop import record_spikes
from uticket_lite.training.lottery import find_tickets
from uticket_lite.training.many import find_tickets_many
from uticket_lite.training.neurons import FusedLeaky
from uticket_lite.training.permuting import fold_orders
from uticket_lite.training.recipes import RECIPES
from uticket_lite.training.record import LotteryRun, load_network
from uticket_lite.training.settings import Settings

__all__ = [
    "RECIPES",
    "FusedLeaky",
    "LotteryRun",
    "Settings",
    "find_tickets",
    "find_tickets_many",
    "fold_orders",
    "load_network",
    "record_spikes",
]
