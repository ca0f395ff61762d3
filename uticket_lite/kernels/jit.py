"""`kernel`, the one decorator of every kernel: `numba.njit` with a cache that can be trusted.

Numba's own on-disk cache has two holes. It refuses to work where neither the package
nor the home directory is writable, and it does not notice that a kernel in *another*
file, which was inlined into a cached one, has changed. Here the cache directory is named
after a digest of all kernel sources and lies where the user can write.
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import config

# One parallel kernel at a time: Numba's `workqueue` threading layer kills the process when
# two threads enter it together, and widget callbacks do arrive on other threads.
PARALLEL_LOCK = threading.Lock()


def _writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def cache_directory() -> Path:
    """Where compiled kernels are kept.

    `NUMBA_CACHE_DIR` wins if set; otherwise the user's cache directory, or a temporary
    directory of this process where that cannot be written.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    leaf = Path("uticket-lite", digest.hexdigest()[:16])
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"]) / leaf
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if _writable(home / leaf):
        return home / leaf
    # Not a fixed name: Numba unpickles what it finds, so nobody else may choose it.
    return Path(tempfile.mkdtemp(prefix="uticket-lite-"))


_CACHE = str(cache_directory())


def kernel(**options: Any) -> Callable[[Callable], Callable]:
    """Compile a function with Numba (nopython, GIL released, cached); `options` go to `njit`."""

    def decorate(function: Callable) -> Callable:
        if config.DISABLE_JIT:  # type: ignore[attr-defined]
            return np.errstate(over="ignore")(function)  # as compiled: 64-bit integers wrap
        before = config.CACHE_DIR  # type: ignore[attr-defined]
        config.CACHE_DIR = _CACHE  # type: ignore[attr-defined]
        try:
            return numba.njit(cache=True, nogil=True, **options)(function)
        finally:
            # Other users of Numba keep their own cache.
            config.CACHE_DIR = before  # type: ignore[attr-defined]

    return decorate
