"""Threads of torch and Numba, set where this package owns the process: on the command line.

One thread unless asked for more: results depend on torch's number of threads in their last bits,
and so in the end on all of them, and should not depend on the machine. Threads that wait sleep:
spinning ones make training many times slower beside one busy neighbour.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from uticket_lite.edge.checks import whole_number
from uticket_lite.edge.processors import processors


def sleep_while_waiting() -> None:
    """Tell OpenMP, before torch loads it, that waiting threads sleep; what users set stays."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Within it torch and Numba use that many threads, or as many as are granted."""
    import numba
    import torch
    from numba.core import config

    granted = processors()
    granted_numba = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    if whole_number("threads", number) > granted:
        print(f"uticket: {number} threads asked for, {granted} granted", file=sys.stderr)
    number = min(number, granted)
    before = torch.get_num_threads(), numba.get_num_threads()
    try:
        numba.set_num_threads(min(number, granted_numba))
        torch.set_num_threads(number)
        yield
    finally:
        numba.set_num_threads(before[1])
        torch.set_num_threads(before[0])
