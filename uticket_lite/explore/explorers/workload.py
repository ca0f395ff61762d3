"""The workload explorer: how a ticket's non-zeros spread over the PEs, and who waits."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from uticket_lite.explore.controls import Options, menu, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.runs import (
    Runs,
    counted,
    first,
    layer_label,
    layer_menu,
    mapping_menu,
    pe_slider,
    possible,
    round_slider,
    run_menu,
    runs_of,
    strategy_menu,
    strategy_options,
    ticket_of,
)
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.loads import Workload
from uticket_lite.hardware.metrics import layer_totals
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import simulate
from uticket_lite.strategies import STRATEGIES
from uticket_lite.tickets.ticket import Ticket

ALL_WAVES = -1
NOTHING = ""
MAP_ROWS = 64  # more waves are averaged in groups: rows thinner than 3 pixels show nothing


def _others(state: Any, runs: Runs) -> Options:
    return [("–", NOTHING), *strategy_options()]


def _waves_to_choose(state: Any, runs: Runs) -> Options:
    # Masks decide how full a wave is, not how many there are.
    strategy = "none" if STRATEGIES[state.strategy].changes == "mask" else state.strategy
    waves = len(_simulated(state, strategy, runs)[0].loads[state.layer])
    return [("all", ALL_WAVES), *((str(wave), wave) for wave in range(waves))]


@dataclass(frozen=True)
class WorkloadState:
    """Where the controls stand.

    run, round: which ticket. strategy: how it is balanced. n_pe, mapping: the accelerator.
    versus: another strategy to compare with, or NOTHING. layer: the layer drawn. wave: the wave
    whose loads are drawn as bars, from 0, or ALL_WAVES for their sum.
    """

    run: str = run_menu()
    round: int = round_slider()
    strategy: str = strategy_menu("none")
    n_pe: int = pe_slider()
    versus: str = menu("compared with", _others, NOTHING)
    mapping: str = mapping_menu()
    layer: str = layer_menu()
    wave: int = slider("wave", _waves_to_choose, ALL_WAVES)


def workload(ticket: Ticket | str | None = None) -> Explorer:
    """Explore how a ticket's non-zeros spread over the PEs.

    ticket: your own `Ticket` (made from weights, it can be pruned further), or a recorded run's
    name; default all recorded runs. Raises ValueError for an unknown name.
    """
    runs = runs_of(ticket)
    return Explorer("workload", workload_frame, WorkloadState(**first(runs)), runs)


def workload_frame(state: WorkloadState, runs: Runs) -> Frame:
    """Everything the explorer shows for a state.

    A strategy that the mapping rules out is explained and `none` is shown instead.
    """
    report, message = _simulated(state, state.strategy, runs)
    table = report.loads[state.layer]
    if not table.any():
        empty = layer_label(state.layer)
        message = f"{message} No non-zeros are left in {empty}: it takes no cycles."
    work, longest = _shown(report, state)
    data = {
        "bars": _bars(work, longest),
        "rules": _rules(float(work.mean()), longest),
        "waves": _waves(table),
        "versus": _versus([], 0),
    }
    figures, other = _figures(report, state.layer), None
    if state.versus != NOTHING:
        other, more = _simulated(state, state.versus, runs)
        if state.wave == ALL_WAVES or len(other.loads[state.layer]) == len(table):
            data["versus"] = _versus(*_shown(other, state))
        else:
            more = (
                f"{more} “{other.strategy.label}” has other waves than “{report.strategy.label}”: "
                "to compare them, set wave to all."
            )
        message = f"{message} {more}"
        before = _figures(other, state.layer)
        figures = [[k, f"{b} → {a}"] for (k, b), (_, a) in zip(before, figures, strict=True)]
    return {
        "data": data,
        "figures": figures,
        "summary": _summary(state, report, other, work, longest),
        "message": message.strip(),
        "clicks": ["wave"],
    }


def _simulated(state: WorkloadState, strategy: str, runs: Runs) -> tuple[Report, str]:
    """The simulation that the state asks for, and why it differs from it ("" if it doesn't)."""
    accelerator = Accelerator(state.n_pe, state.mapping)
    ticket = ticket_of(state, runs)
    strategy, message = possible(strategy, ticket, accelerator)
    return simulate(ticket, accelerator, strategy), message


def _shown(report: Report, state: WorkloadState) -> tuple[np.ndarray, int]:
    """What each PE works in the waves drawn, and how long they take."""
    table = report.loads[state.layer]
    chosen = table if state.wave == ALL_WAVES else table[[state.wave]]
    totals = layer_totals(Workload(chosen, np.array([0, len(chosen)])), report.strategy.ahead)
    return chosen.sum(axis=0), int(totals.latency[0])


def _bars(work: np.ndarray, longest: int) -> dict[str, list[Any]]:
    n, loads, end = work.size, work.tolist(), [longest] * work.size
    return {
        "pe": list(range(n)) * 2,
        "kind": ["work"] * n + ["idle"] * n,
        "start": [0] * n + loads,
        "end": loads + end,
        "amount": loads + (longest - work).tolist(),
    }


def _versus(work: Any, longest: int) -> dict[str, list[Any]]:
    loads = list(map(int, work))
    return {"pe": list(range(len(loads))), "load": loads, "longest": [longest] * len(loads)}


def _rules(mean: float, longest: int) -> dict[str, list[Any]]:
    return {
        "what": ["mean", "max"],
        "value": [mean, longest],
        "label": [f"mean {mean:,.1f}", f"max {longest:,}"],
    }


def _waves(table: np.ndarray) -> dict[str, list[Any]]:
    """Columns for the heat map; more than MAP_ROWS waves are averaged in equal groups."""
    group = -(-len(table) // MAP_ROWS)
    first = np.arange(0, len(table), group)
    sizes = np.diff(np.append(first, len(table)))
    means = np.add.reduceat(table, first, axis=0) / sizes[:, None]
    n = table.shape[1]
    labels = [
        str(a) if size == 1 else f"{a}–{a + size - 1}" for a, size in zip(first, sizes, strict=True)
    ]
    return {
        "waves": np.repeat(labels, n).tolist(),
        "wave": np.repeat(first, n).tolist(),
        "pe": np.tile(np.arange(n), len(first)).tolist(),
        "load": means.ravel().tolist(),
    }


def _figures(report: Report, layer: str) -> list[list[str]]:
    """Label and text of the key figures: the whole network's, then the layer's."""
    row = report.layers.loc[layer]
    energy = report.energy
    return [
        ["utilization", f"{report.utilization:.1%}"],
        ["latency (cycles)", f"{report.latency:,}"],
        ["idle (PE-cycles)", f"{report.idle:,}"],
        ["work (PE-cycles)", f"{report.work:,}"],
        ["energy (E_dyn)", "unknown" if np.isnan(energy) else f"{energy:,.0f}"],
        ["sparsity", f"{report.ticket.sparsity:.2%}"],
        [f"{layer_label(layer)}: utilization", f"{row['utilization']:.1%}"],
        [f"{layer_label(layer)}: latency", f"{row['latency']:,}"],
    ]


def _summary(
    state: WorkloadState, report: Report, other: Report | None, work: np.ndarray, longest: int
) -> str:
    waves = len(report.loads[state.layer])
    span = f"{work.min():,}" if work.min() == work.max() else f"{work.min():,} to {work.max():,}"
    every = f"all {waves} waves" if waves > 1 else "its only wave"
    which = every if state.wave == ALL_WAVES else f"wave {state.wave} of {waves}"
    waiting = 1 - work.sum() / (longest * work.size) if longest else 0
    price = report.price
    text = (
        f"{state.run}, round {state.round}, {counted(state.n_pe, 'PE')}, "
        f"{report.strategy.label}: in {layer_label(state.layer)}, {which}, PEs hold {span} "
        f"non-zeros and wait {waiting:.0%} of the time. The network uses "
        f"{report.utilization:.1%} of its PEs and takes {report.latency:,} cycles. Price: "
        f"{price['touched']:.1%} of the non-zeros touched, {counted(price['permuted'], 'filter')} "
        f"permuted, {counted(price['buffered'], 'wave')} buffered. {report.strategy.cost}"
    )
    if other is not None:
        change = report.latency / other.latency - 1 if other.latency else 0
        text += (
            f" Compared with {other.strategy.label}: {change:+.1%} cycles; the diamonds are its "
            "loads, the dotted line its longest PE."
        )
    return text
