"""Threads of torch and Numba while a run trains.

One unless asked for more: sums depend on how many threads share them in their last bits, and so
in the end do tickets, which should not depend on the machine, nor on what else set a number:
torch, OMP_NUM_THREADS, a cluster's worker.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numba
import torch
from numba.core import config

from uticket_lite.edge.checks import whole_number
from uticket_lite.edge.processors import processors


@contextmanager
def using_threads(number: int) -> Iterator[None]:
    """Within it torch and Numba use that many threads, or as many as are granted."""
    granted = processors()
    granted_numba = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    if whole_number("threads", number) > granted:
        print(f"{number} threads asked for, {granted} granted", file=sys.stderr)
    number = min(number, granted)
    before = torch.get_num_threads(), numba.get_num_threads()
    try:
        numba.set_num_threads(min(number, granted_numba))
        torch.set_num_threads(number)  # last: Numba's start sets OpenMP's number, which torch has
        yield
    finally:
        numba.set_num_threads(before[1])
        torch.set_num_threads(before[0])
