"""How many processors this process may use, and that threads which wait take none."""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
MINE = Path("/proc/self/cgroup")
MOST_ON_WINDOWS = 61
"""As many processes as a pool takes there."""


def sleep_while_waiting() -> None:
    """Tell OpenMP, before torch loads it, that waiting threads sleep; what users set stays.

    Spinning ones make training many times slower beside one busy neighbour.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def processors() -> int:
    """Cores that the machine has and the scheduler and the container grant, 1 or more."""
    try:
        granted = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        granted = os.cpu_count() or 1
    if sys.platform == "win32":
        granted = min(granted, MOST_ON_WINDOWS)
    return max(1, min([granted, *map(math.ceil, _quotas())]))


def _quotas() -> Iterator[float]:
    """What Linux's control groups grant this process: its own, and those around it."""
    for folder in _groups():
        with suppress(OSError, ValueError):  # no limit ("max"), or of another version
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
            yield int(quota) / int(period)
        with suppress(OSError, ValueError):
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text(encoding="utf-8")
                for name in ("quota", "period")
            )
            if int(quota) > 0:  # -1: no limit
                yield int(quota) / int(period)


def _groups() -> Iterator[Path]:
    """Folders of this process's groups that may limit processors; version 2 has one hierarchy,
    version 1 one for each kind of limit. Inside a container some of them are out of sight."""
    try:
        lines = MINE.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if not kinds or "cpu" in kinds.split(","):
            root = CONTROL_GROUPS / kinds
            own = root / path.strip("/")
            yield own
            yield from (folder for folder in own.parents if folder.is_relative_to(root))
