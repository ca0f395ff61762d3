"""A lock file that a killed owner does not leave locked: the operating system holds the lock."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class InUse(ValueError):
    """Somebody else holds the lock."""


@contextmanager
def locked(path: Path, owner: str) -> Iterator[None]:
    """Hold the lock `path`, between processes and threads; the file is removed afterwards.

    owner: what holds it otherwise, for the error. Raises InUse, a ValueError, if somebody else
    holds it, OSError where the file cannot be made. A file system that knows no locks (some
    network shares) guards nothing.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(handle):
            os.close(handle)
            raise InUse(f"there is {owner} already; wait for it, or choose another directory")
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                break
        os.close(handle)  # the owner before has just removed it: make a new one
    try:
        yield
    finally:
        if sys.platform == "win32":  # an open file cannot be removed
            os.close(handle)
            with suppress(OSError):
                path.unlink()
        else:
            path.unlink(missing_ok=True)
            os.close(handle)


def _lock(handle: int) -> bool:
    """Whether the file is now locked by this handle, or cannot be locked by anybody."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
