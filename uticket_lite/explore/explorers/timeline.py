"""The timeline explorer: when each PE works and waits in a layer."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from uticket_lite.explore.explorer import Explorer, Frame, slider
from uticket_lite.explore.runs import (
    Runs,
    clip,
    fitted,
    last_round,
    layer_control,
    mapping_control,
    pe_control,
    possible,
    run_controls,
    runs_of,
    strategy_control,
)
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.run import simulate
from uticket_lite.tickets.ticket import Ticket

STEPS = 60
"""Steps of the clock from the layer's start to its end."""
MAX_INTERVALS = 2000  # more are too thin to be seen


@dataclass(frozen=True)
class TimelineState:
    """Where the controls stand.

    run, round: which ticket. n_pe, mapping: the accelerator. strategy: how it is balanced; it
    decides whether PEs wait at barriers, at a queue's end, or for full buffers. layer: the one
    shown. step: how far the clock has run, 0 to STEPS.
    """

    run: str
    round: int
    n_pe: int = 8
    mapping: str = "output-channel"
    strategy: str = "none"
    layer: str = ""
    step: int = STEPS


def timeline(ticket: Ticket | str | None = None) -> Explorer:
    """Watch PEs work and wait through a layer.

    ticket: your own `Ticket`, or a recorded run's name; default all recorded runs. Raises
    ValueError for an unknown name.
    """
    runs = runs_of(ticket)
    state = TimelineState(**last_round(runs))
    return Explorer("timeline", partial(timeline_frame, runs=runs), state)


def timeline_frame(state: TimelineState, runs: Runs) -> Frame:
    """Everything the explorer shows for a state."""
    state = fitted(state, runs)
    state = replace(state, step=clip(state.step, 0, STEPS))
    accelerator = Accelerator(state.n_pe, state.mapping)
    ticket = runs[state.run].tickets[state.round]
    strategy, message = possible(state.strategy, ticket, accelerator)
    report = simulate(ticket, accelerator, strategy, cycles="weights", layers=[state.layer])
    intervals = report.timeline(state.layer)
    end = report.latency
    if len(intervals) > MAX_INTERVALS:
        end = int(np.sort(intervals["start"].to_numpy())[MAX_INTERVALS])
        message = f"{message} Shown: the first {end:,} cycles."
    now = round(end * state.step / STEPS)
    seen = intervals[intervals["start"] < now].copy()
    seen["end"] = seen["end"].clip(upper=now)
    waiting = sorted(intervals[_during(intervals, now) & (intervals["kind"] == "wait")]["pe"])
    lengths = (seen["end"] - seen["start"]).groupby(seen["kind"]).sum()
    work, wait = int(lengths.get("work", 0)), int(lengths.get("wait", 0))
    clock = [(f"{round(end * s / STEPS):,} cycles", s) for s in range(STEPS + 1)]
    return {
        "state": state,
        "controls": [
            *run_controls(state, runs),
            strategy_control(),
            pe_control(),
            layer_control(state, runs),
            slider("step", "clock", clock, "cycles from the layer's start", play=True),
            mapping_control(state, runs),
        ],
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
            f"{state.run}, round {state.round}, {state.layer} on {state.n_pe} PEs, "
            f"{report.strategy.label}: after {now:,} of {report.latency:,} cycles PEs have worked "
            f"{work:,} and waited {wait:,} PE-cycles. "
            f"{_who_waits(waiting, now, report.latency)} Cycles are those of one output position "
            "and timestep."
        ),
        "message": message.strip(),
    }


def _during(intervals: pd.DataFrame, now: int) -> pd.Series:
    return (intervals["start"] <= now) & (now < intervals["end"])


def _who_waits(waiting: list[int], now: int, end: int) -> str:
    if now >= end:
        return "The layer is done."
    if not waiting:
        return "No PE is waiting now."
    named = ", ".join(map(str, waiting[:8])) + (" …" if len(waiting) > 8 else "")
    return f"Waiting now: PE {named}."
