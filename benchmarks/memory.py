"""Memory of processes, and how long they worked, as Linux counts it."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

MEGABYTE = 1e6


def peak(process: int) -> float:
    """The most that a process has held in memory so far, pages shared with others included, MB."""
    return _field(process, "status", "VmHWM")


def worked(process: int) -> float:
    """Seconds that a process has spent on processors, on all its threads together."""
    fields = Path("/proc", str(process), "stat").read_text(encoding="utf-8").rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def together(processes: Iterable[int]) -> float:
    """What processes hold now, MB; a page that several share counts once (in parts)."""
    return sum(_field(process, "smaps_rollup", "Pss") for process in processes)


def _field(process: int, file: str, name: str) -> float:
    text = Path("/proc", str(process), file).read_text(encoding="utf-8")
    (kilobytes,) = re.findall(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    return int(kilobytes) * 1024 / MEGABYTE
