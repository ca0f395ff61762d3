"""Time several functions side by side; what a suite reports of them."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

COPIES = 13
"""Copies of the inputs to rotate among, so that they come from memory and not from a cache that
still holds them from the last call. A prime: functions that draw from one rotation by turns all
meet every copy, and never the one that another has just read."""

WARM_UP = 3


@dataclass(frozen=True)
class Figure:
    """A measured number, and what it has to keep.

    name: what was measured; with `against`, it occurs once in a suite. ours, reference: medians
    in `unit` (`s`, `1/s`, `×` or `MB`); reference is None if there is none. against: what the
    reference is. limit: of the ratio, or of ours without a reference; None if it is only
    reported. at_least: larger is better, and the ratio is the speed-up reference/ours;
    otherwise smaller is better and it is ours/reference.
    """

    name: str
    ours: float
    reference: float | None = None
    against: str = ""
    unit: str = "s"
    limit: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """ours/reference, or reference/ours if `at_least`; None without a reference."""
        if self.reference is None:
            return None
        return self.reference / self.ours if self.at_least else self.ours / self.reference

    @property
    def verdict(self) -> str:
        """`ok`, `over` (the wrong side of the limit), or nothing without a limit."""
        if self.limit is None:
            return ""
        value = self.ours if self.ratio is None else self.ratio
        return "ok" if (value >= self.limit if self.at_least else value <= self.limit) else "over"


@dataclass(frozen=True)
class Timed:
    """A function to time, and what it is called with, one after the other and without end.

    Taking the next input and throwing the result away is not timed.
    """

    call: Callable[[Any], object]
    inputs: Iterator[Any]


def medians(timed: Mapping[str, Timed], repeats: int = 41) -> dict[str, float]:
    """Median seconds of one call of each function, called by turns after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(WARM_UP + repeats):
            for name, what in timed.items():
                given = next(what.inputs)
                began = time.perf_counter()
                result = what.call(given)
                ended = time.perf_counter()
                del result
                if turn >= WARM_UP:
                    seconds[name].append(ended - began)
    finally:
        if collecting:
            gc.enable()
    return {name: statistics.median(values) for name, values in seconds.items()}
