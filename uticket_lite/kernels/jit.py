"""`kernel`, the one decorator of every kernel: `numba.njit` with a cache that can be trusted."""

import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.core import config

from uticket_lite.kernels.cache import KernelCache

# One parallel kernel at a time: Numba's `workqueue` threading layer kills the process when
# two threads enter it together, and widget callbacks do arrive on other threads.
PARALLEL_LOCK = threading.Lock()


def kernel(**options: Any) -> Callable[[Callable], Callable]:
    """Compile a function with Numba (nopython, GIL released, cached); `options` go to `njit`.

    A function whose name begins with an underscore can be called by kernels alone: what a call
    from Python needs is not compiled, which takes time.
    """

    def decorate(function: Callable) -> Callable:
        if config.DISABLE_JIT:  # type: ignore[attr-defined]
            return np.errstate(over="ignore")(function)  # as compiled: 64-bit integers wrap
        inner = function.__name__.startswith("_")
        options.update(nogil=True, no_cfunc_wrapper=True, no_cpython_wrapper=inner)
        dispatcher = numba.njit(**options)(function)
        dispatcher._cache = KernelCache(function)
        return dispatcher

    return decorate
