"""The timeline explorer: when each PE works and waits in a layer."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from uticket_lite.explore.controls import Options, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.fields import (
    layer_menu,
    mapping_menu,
    over_runs,
    pe_slider,
    round_slider,
    run_menu,
    strategy_menu,
)
from uticket_lite.explore.runs import (
    Key,
    Runs,
    layer_label,
    plural,
    possible,
    ticket_of,
    which_ticket,
)
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import simulate
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.ticket import Ticket

STEPS = 60
"""Steps of the clock from the layer's start to its end."""
MAX_INTERVALS = 2000  # more are too thin to be seen


def _clock(state: Any, runs: Runs) -> Options:
    _, _, end, _ = _run(state, runs)
    return [(plural(round(end * step / STEPS), "cycle"), step) for step in range(STEPS + 1)]


@dataclass(frozen=True)
class TimelineState:
    """Where the controls stand.

    run, round: which ticket. strategy: how it is balanced; it decides whether PEs wait at
    barriers, at a queue's end, or for full buffers. n_pe, mapping: the accelerator. layer: the
    one shown. step: how far the clock has run, 0 to STEPS.
    """

    run: str = run_menu()
    round: int = round_slider()
    strategy: str = strategy_menu("none")
    n_pe: int = pe_slider(8)
    layer: str = layer_menu()
    mapping: str = mapping_menu()
    step: int = slider("clock", _clock, STEPS, help="cycles from the layer's start", play=True)


def timeline(
    ticket: Ticket | str | None = None, *, strategy: Strategy | str | None = None
) -> Explorer:
    """Watch PEs work and wait through a layer.

    ticket: your own `Ticket`, or a recorded run's name; default all recorded runs. strategy: the
    one to show first; a `Strategy` object need not be registered. Raises ValueError for unknown
    names, TypeError for what is neither ticket nor name.
    """
    return over_runs("timeline", timeline_frame, TimelineState, ticket, strategy)


def timeline_frame(state: TimelineState, runs: Runs) -> Frame:
    """Everything the explorer shows for a state."""
    report, intervals, end, message = _run(state, runs)
    now = round(end * state.step / STEPS)
    seen = intervals[intervals["start"] < now].copy()
    seen["end"] = seen["end"].clip(upper=now)
    seen["kind"] = seen["kind"].replace("wait", "waiting")
    waiting = sorted(intervals[_during(intervals, now) & (intervals["kind"] == "wait")]["pe"])
    lengths = (seen["end"] - seen["start"]).groupby(seen["kind"]).sum()
    work, wait = int(lengths.get("work", 0)), int(lengths.get("waiting", 0))
    return {
        "data": {
            "intervals": seen.to_dict("list"),
            "clock": {"now": [now], "end": [end]},
            "pes": {"pe": list(range(state.n_pe))},
        },
        "figures": [
            ["clock (cycles)", f"{now:,}"],
            ["layer takes (cycles)", f"{report.latency:,}"],
            ["worked so far (PE-cycles)", f"{work:,}"],
            ["waited so far (PE-cycles)", f"{wait:,}"],
            ["PEs waiting now", f"{len(waiting)}"],
        ],
        "summary": (
            f"{which_ticket(state, runs)}, {layer_label(state.layer)} on "
            f"{plural(state.n_pe, 'PE')}, "
            f"{report.strategy.label}: after {now:,} of {report.latency:,} cycles PEs have worked "
            f"{work:,} and waited {wait:,} PE-cycles. "
            f"{_who_waits(waiting, now, report.latency)} Cycles are those of one output position "
            "and timestep."
        ),
        "message": message,
    }


def _run(state: TimelineState, runs: Runs) -> tuple[Report, pd.DataFrame, int, str]:
    """The simulation, when each PE works and waits, the last cycle shown, and a message."""
    accelerator = Accelerator(state.n_pe, state.mapping)
    ticket = ticket_of(state, runs)
    strategy, message = possible(runs.strategies[state.strategy], ticket, accelerator)
    report, intervals, end = _timed(ticket, accelerator, Key(strategy), state.layer)
    if end < report.latency:
        message = f"{message} Shown: the first {end:,} cycles.".strip()
    return report, intervals, end, message


@lru_cache(maxsize=4)  # while the clock runs, all else stays
def _timed(
    ticket: Ticket, accelerator: Accelerator, key: Key, layer: str
) -> tuple[Report, pd.DataFrame, int]:
    report = simulate(ticket, accelerator, key.strategy, cycles="weights", layers=[layer])
    intervals = report.timeline(layer)
    if len(intervals) <= MAX_INTERVALS:
        return report, intervals, report.latency
    return report, intervals, int(np.sort(intervals["start"].to_numpy())[MAX_INTERVALS])


def _during(intervals: pd.DataFrame, now: int) -> pd.Series:
    return (intervals["start"] <= now) & (now < intervals["end"])


def _who_waits(waiting: list[int], now: int, end: int) -> str:
    if now >= end:
        return "The layer is done."
    if not waiting:
        return "No PE is waiting now."
    named = ", ".join(map(str, waiting[:8])) + (" …" if len(waiting) > 8 else "")
    return f"Waiting now: PE {named}."
