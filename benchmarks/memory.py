"""Memory of processes, as Linux counts it."""

import re
from collections.abc import Iterable
from pathlib import Path

MEGABYTE = 1e6


def peak(process: int) -> float:
    """The most that a process has held in memory so far, pages shared with others included, MB."""
    return _field(process, "status", "VmHWM")


def together(processes: Iterable[int]) -> float:
    """What processes hold now, MB; a page that several share counts once (in parts)."""
    return sum(_field(process, "smaps_rollup", "Pss") for process in processes)


def _field(process: int, file: str, name: str) -> float:
    text = Path("/proc", str(process), file).read_text(encoding="utf-8")
    (kilobytes,) = re.findall(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    return int(kilobytes) * 1024 / MEGABYTE
