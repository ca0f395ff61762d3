"""Explorers: widgets to move sparsity, PEs and strategies and see the load of every PE."""

from uticket_lite.explore.rounds import rounds
from uticket_lite.explore.workload import workload

__all__ = ["rounds", "workload"]
