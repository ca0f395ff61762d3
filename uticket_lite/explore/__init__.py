"""Explorers: widgets to move sparsity, PEs and strategies and see the load of every PE."""

from uticket_lite.explore.rounds_view import rounds
from uticket_lite.explore.workload_view import workload

__all__ = ["rounds", "workload"]
