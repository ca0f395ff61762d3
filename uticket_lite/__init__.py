"""uticket-lite: why sparse networks wait, and how balancing their tickets helps.

The core needs NumPy, Numba and pandas only. `uticket_lite.training` (torch, snnTorch) and
`uticket_lite.explore` (Altair, ipywidgets) load when they are imported.
"""

from uticket_lite.hardware.accelerator import MAPPINGS, Accelerator
from uticket_lite.hardware.energy import GATINGS, pe_energy
from uticket_lite.simulation.comparison import compare
from uticket_lite.simulation.lost import Lost, lost
from uticket_lite.simulation.memory import memory_accesses, system_energy
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import balance, simulate
from uticket_lite.simulation.spikes import SpikeReport, simulate_spikes, spike_costs
from uticket_lite.simulation.sweeps import sweep
from uticket_lite.strategies import MASK_STRATEGIES, STRATEGIES, Strategy, register
from uticket_lite.tickets.layer import Layer
from uticket_lite.tickets.magnitudes import magnitude_ladder
from uticket_lite.tickets.recorded import (
    load_history,
    load_seeds,
    load_spikes,
    load_ticket,
    recorded_tickets,
)
from uticket_lite.tickets.synthetic import synthetic_ticket
from uticket_lite.tickets.ticket import Ticket

__version__ = "0.1.0"

__all__ = [
    "GATINGS",
    "MAPPINGS",
    "MASK_STRATEGIES",
    "STRATEGIES",
    "Accelerator",
    "Layer",
    "Lost",
    "Report",
    "SpikeReport",
    "Strategy",
    "Ticket",
    "balance",
    "compare",
    "load_history",
    "load_seeds",
    "load_spikes",
    "load_ticket",
    "lost",
    "magnitude_ladder",
    "memory_accesses",
    "pe_energy",
    "recorded_tickets",
    "register",
    "simulate",
    "simulate_spikes",
    "spike_costs",
    "sweep",
    "synthetic_ticket",
    "system_energy",
]
