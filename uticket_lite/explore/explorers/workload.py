"""The workload explorer: how a ticket's non-zeros spread over the PEs, and who waits."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from uticket_lite.explore.controls import Options, menu, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.fields import (
    layer_menu,
    mapping_menu,
    over_runs,
    pe_slider,
    round_slider,
    run_menu,
    strategy_menu,
    strategy_options,
)
from uticket_lite.explore.runs import (
    Key,
    Runs,
    layer_label,
    plural,
    possible,
    simulated,
    ticket_of,
    which_ticket,
)
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.energy import nanojoules
from uticket_lite.hardware.loads import Workload
from uticket_lite.hardware.metrics import layer_totals
from uticket_lite.kernels.cycles import finish_times
from uticket_lite.simulation.report import Report
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.ticket import Ticket

ALL_WAVES = -1
NOTHING = ""
BAR_PARTS = 16  # more waves are drawn in groups
APART = 0.11  # labels of lines, as a share of the plot's height
MAP_ROWS = 64  # more waves are averaged in groups: rows thinner than 3 pixels show nothing


def _others(state: Any, runs: Runs) -> Options:
    return [("–", NOTHING), *strategy_options(state, runs)]


def _waves_to_choose(state: Any, runs: Runs) -> Options:
    # Masks decide how full a wave is, not how many there are.
    strategy = "none" if runs.strategies[state.strategy].changes == "mask" else state.strategy
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


def workload(
    ticket: Ticket | str | None = None, *, strategy: Strategy | str | None = None
) -> Explorer:
    """Explore how a ticket's non-zeros spread over the PEs.

    ticket: your own `Ticket` (made from weights, it can be pruned further), or a recorded run's
    name; default all recorded runs. strategy: the one to show first; a `Strategy` object need not
    be registered. Raises ValueError for unknown names, TypeError for what is neither ticket nor
    name.
    """
    return over_runs("workload", workload_frame, WorkloadState, ticket, strategy)


def workload_frame(state: WorkloadState, runs: Runs) -> Frame:
    """Everything the explorer shows for a state.

    A strategy that the mapping rules out is explained and `none` is shown instead.
    """
    report, message = _simulated(state, state.strategy, runs)
    table = report.loads[state.layer]
    if not table.any():
        empty = layer_label(state.layer)
        message = f"{message} No non-zeros are left in {empty}: it takes no cycles."
    number, drawn, longest = _shown(report, state)
    work = drawn.sum(axis=0)
    ends: dict[str, tuple[float, str]] = {"end": (longest, f"ends {longest:,}")}
    ends["even"] = (float(work.mean()), f"if even {work.mean():,.1f}")
    figures, other = _figures(report, state.layer), None
    if state.versus != NOTHING:
        other, more = _simulated(state, state.versus, runs)
        if state.wave == ALL_WAVES or len(other.loads[state.layer]) == len(table):
            end = _shown(other, state)[2]
            ends["versus"] = (end, f"{other.strategy.name} {end:,}")
        else:
            more = (
                f"{more} “{other.strategy.label}” has other waves than “{report.strategy.label}”: "
                "to compare them, set wave to all."
            )
        message = f"{message} {more}"
        before = _figures(other, state.layer)
        figures = [[k, f"{a} vs {b}"] for (k, a), (_, b) in zip(figures, before, strict=True)]
        figures.insert(0, ["compared", f"{report.strategy.name} vs {other.strategy.name}"])
    return {
        "data": {
            "bars": _bars(drawn, longest, report.strategy.ahead, number),
            "rules": _rules(ends),
            "waves": _waves(table),
        },
        "figures": figures,
        "summary": _summary(state, runs, report, other, work, longest),
        "message": message.strip(),
        "clicks": ["wave"],
    }


def _simulated(state: WorkloadState, name: str, runs: Runs) -> tuple[Report, str]:
    """The simulation that the state asks for, and why it differs from it ("" if it doesn't)."""
    accelerator = Accelerator(state.n_pe, state.mapping)
    ticket = ticket_of(state, runs)
    strategy, message = possible(runs.strategies[name], ticket, accelerator)
    return simulated(ticket, accelerator, Key(strategy)), message


def _shown(report: Report, state: WorkloadState) -> tuple[int, np.ndarray, int]:
    """The first wave drawn, the loads of those drawn (waves, n), and how long they take."""
    table = report.loads[state.layer]
    first = 0 if state.wave == ALL_WAVES else state.wave
    drawn = table if state.wave == ALL_WAVES else table[[state.wave]]
    totals = layer_totals(Workload(drawn, np.array([0, len(drawn)])), report.strategy.ahead)
    return first, drawn, int(totals.latency[0])


def _bars(loads: np.ndarray, longest: int, ahead: int, first: int) -> dict[str, list[Any]]:
    """Work and waiting of each PE, one wave after the other; of more than BAR_PARTS waves, those
    of a group together. A PE waits until its next wave begins, and at last for the slowest."""
    waves, n = loads.shape
    group = -(-waves // BAR_PARTS)
    starts = np.arange(0, waves, group)
    begin = (finish_times(np.ascontiguousarray(loads), ahead) - loads)[starts]
    end = np.vstack([begin[1:], np.full((1, n), longest)])
    done = begin + np.add.reduceat(loads, starts, axis=0)
    cells = begin.size
    return {
        "pe": np.tile(np.arange(n), 2 * len(starts)).tolist(),
        "waves": np.repeat(_wave_labels(starts, waves, first), n).tolist() * 2,
        "wave": np.repeat(first + starts, n).tolist() * 2,
        "kind": ["work"] * cells + ["waiting"] * cells,
        "start": [*begin.ravel().tolist(), *done.ravel().tolist()],
        "end": [*done.ravel().tolist(), *end.ravel().tolist()],
        "amount": [*(done - begin).ravel().tolist(), *(end - done).ravel().tolist()],
    }


def _wave_labels(starts: np.ndarray, waves: int, first: int = 0) -> list[str]:
    """The waves of each group, "3" or "3–5"."""
    ends = np.append(starts[1:], waves) - 1
    pairs = zip(first + starts, first + ends, strict=True)
    return [str(a) if a == b else f"{a}–{b}" for a, b in pairs]


def _rules(ends: dict[str, tuple[float, str]]) -> dict[str, list[Any]]:
    """Lines where something ends, and their labels' places: apart, from the highest down."""
    apart = APART * max(value for value, _ in ends.values())
    places: dict[str, float] = {}
    below = np.inf
    for what, (value, _) in sorted(ends.items(), key=lambda each: -each[1][0]):
        below = places[what] = min(value, below - apart)
    if below < 0:  # no room at the bottom: from there up
        above = -apart
        for what in reversed(list(places)):
            above = places[what] = max(places[what], above + apart)
    return {
        "what": list(ends),
        "value": [value for value, _ in ends.values()],
        "label": [label for _, label in ends.values()],
        "place": [places[what] for what in ends],
    }


def _waves(table: np.ndarray) -> dict[str, list[Any]]:
    """Columns for the heat map; more than MAP_ROWS waves are averaged in equal groups."""
    group = -(-len(table) // MAP_ROWS)
    first = np.arange(0, len(table), group)
    sizes = np.diff(np.append(first, len(table)))
    means = np.add.reduceat(table, first, axis=0) / sizes[:, None]
    n = table.shape[1]
    return {
        "waves": np.repeat(_wave_labels(first, len(table)), n).tolist(),
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
        ["waiting (PE-cycles)", f"{report.idle:,}"],
        ["work (PE-cycles)", f"{report.work:,}"],
        ["energy (E_dyn)", "unknown" if np.isnan(energy) else f"{energy:,.0f}"],
        ["energy (nJ per image)", "unknown" if np.isnan(energy) else nanojoules(energy)],
        ["sparsity", f"{report.ticket.sparsity:.2%}"],
        [f"{layer_label(layer)}: utilization", f"{row['utilization']:.1%}"],
        [f"{layer_label(layer)}: latency (cycles)", f"{row['latency']:,}"],
    ]


def _summary(
    state: WorkloadState,
    runs: Runs,
    report: Report,
    other: Report | None,
    work: np.ndarray,
    longest: int,
) -> str:
    waves = len(report.loads[state.layer])
    span = f"{work.min():,}" if work.min() == work.max() else f"{work.min():,} to {work.max():,}"
    every = f"all {waves} waves" if waves > 1 else "its only wave"
    waves_said = every if state.wave == ALL_WAVES else f"wave {state.wave} of {waves}"
    waiting = 1 - work.sum() / (longest * work.size) if longest else 0
    paid = report.price
    price = (
        f"{paid['touched']:.1%} of the non-zeros touched, {plural(paid['permuted'], 'filter')} "
        f"permuted, {plural(paid['buffered'], 'wave')} buffered."
        if any(paid[each] for each in ("touched", "permuted", "buffered"))
        else "none."
    )
    text = (
        f"{which_ticket(state, runs)}, {plural(state.n_pe, 'PE')}, "
        f"{report.strategy.label}: in {layer_label(state.layer)}, {waves_said}, PEs hold {span} "
        f"non-zeros and wait {waiting:.0%} of the time{_where(report, waves)}. "
        "Utilization by Eq. 2, where 0 % is one PE working alone: "
        f"{report.layers['utilization'][state.layer]:.1%} in this layer, "
        f"{report.utilization:.1%} in the network, which takes {report.latency:,} cycles. Price: "
        f"{price} Cost: {report.strategy.cost}"
    )
    if other is not None:
        change = report.latency / other.latency - 1 if other.latency else 0
        text += (
            f" Compared with {other.strategy.label}: {change:+.1%} cycles; the dotted line is "
            f"where {other.strategy.name} ends. Figures: {report.strategy.name} first."
        )
    return text


def _where(report: Report, waves: int) -> str:
    """For whom PEs wait, as the picture shows it."""
    if ahead := report.strategy.ahead:
        return f", {plural(ahead, 'wave')} ahead of the slowest and at the end"
    return ", in each wave for its slowest PE" if waves > 1 else ", for the last to end"
