"""How many processors this process may use."""

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processors() -> int:
    """Cores that the machine has and the scheduler and the container grant, 1 or more."""
    try:
        granted = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        granted = os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text(encoding="utf-8").split()
        granted = min(granted, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no container, or no limit ("max")
        pass
    return max(1, granted)
