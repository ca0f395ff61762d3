"""The workload explorer: how a ticket's non-zeros spread over the PEs, and who waits."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets as widgets
import numpy as np

from uticket_lite.accelerator import MAPPINGS, Accelerator
from uticket_lite.explore.charts import workload_chart
from uticket_lite.explore.view import ChartView, Frame
from uticket_lite.metrics import layer_totals
from uticket_lite.recorded import load_history, load_ticket, recorded_tickets
from uticket_lite.simulation import Report, simulate
from uticket_lite.strategies import STRATEGIES
from uticket_lite.ticket import Ticket
from uticket_lite.workload import Workload

ALL_WAVES = -1
MAX_PE = 64
MAP_ROWS = 64  # more waves are averaged in groups: rows thinner than 3 pixels show nothing

Runs = Mapping[str, Sequence[Ticket]]
"""Name of a run to its tickets, one per pruning round."""


@dataclass(frozen=True)
class State:
    """Where the controls stand.

    run, round: which ticket. n_pe, mapping: the accelerator. strategy: how it is balanced.
    layer: the layer drawn. wave: the wave whose loads are drawn as bars, from 0, or ALL_WAVES
    for their sum.
    """

    run: str
    round: int
    n_pe: int = 16
    mapping: str = "output-channel"
    strategy: str = "none"
    layer: str = ""
    wave: int = ALL_WAVES


def workload_report(state: State, runs: Runs) -> tuple[Report, str]:
    """The simulation that the state asks for, and why it differs from it ("" if it doesn't).

    A strategy that the mapping rules out is explained and `none` is simulated instead.
    """
    accelerator = Accelerator(state.n_pe, state.mapping)
    ticket = runs[state.run][state.round]
    objection = STRATEGIES[state.strategy].objection(accelerator)
    strategy = "none" if objection else state.strategy
    message = f"{objection}. Shown: strategy 'none'." if objection else ""
    return simulate(ticket, accelerator, strategy), message


def workload_frame(state: State, runs: Runs) -> Frame:
    """Everything the explorer shows for a state: data, figures, summary and message."""
    report, message = workload_report(state, runs)
    table = report.loads[state.layer]
    row = report.layers.loc[state.layer]
    if row["empty"]:
        message = (
            f"{message} Layer {state.layer} has no non-zeros left: it takes no cycles.".strip()
        )
    shown = table if state.wave == ALL_WAVES else table[[min(state.wave, len(table) - 1)]]
    bounds = np.array([0, len(shown)])
    totals = layer_totals(Workload(shown, bounds), report.strategy.ahead)
    work, longest = shown.sum(axis=0), int(totals.latency[0])
    return {
        "data": {
            "bars": _bars(work, longest),
            "rules": _rules(float(work.mean()), longest),
            "waves": _waves(table),
        },
        "figures": _figures(report, state.layer),
        "summary": _summary(state, report, work, longest),
        "message": message,
    }


def _bars(work: np.ndarray, longest: int) -> dict[str, list[Any]]:
    n, loads, end = work.size, work.tolist(), [longest] * work.size
    return {
        "pe": list(range(n)) * 2,
        "kind": ["work"] * n + ["idle"] * n,
        "start": [0] * n + loads,
        "end": loads + end,
        "amount": loads + (longest - work).tolist(),
    }


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
        "wave": np.repeat(labels, n).tolist(),
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
        [f"{layer}: utilization", f"{row['utilization']:.1%}"],
        [f"{layer}: latency", f"{row['latency']:,}"],
    ]


def _summary(state: State, report: Report, work: np.ndarray, longest: int) -> str:
    waves = len(report.loads[state.layer])
    span = f"{work.min():,}" if work.min() == work.max() else f"{work.min():,} to {work.max():,}"
    which = (
        f"all {waves} waves"
        if state.wave == ALL_WAVES
        else f"wave {min(state.wave, waves - 1)} of {waves}"
    )
    waiting = 1 - work.sum() / (longest * work.size) if longest else 0
    return (
        f"{state.run}, round {state.round}, {state.n_pe} PEs, {report.strategy.label}: in "
        f"{state.layer}, {which}, PEs hold {span} non-zeros and wait "
        f"{waiting:.0%} of the time. The network uses {report.utilization:.1%} of its PEs and "
        f"takes {report.latency:,} cycles. Cost of the strategy: {report.strategy.cost}"
    )


class WorkloadExplorer(widgets.VBox):
    """Controls and a view; `state` may be read and set."""

    def __init__(self, runs: Runs, sparsities: Mapping[str, Sequence[float]]) -> None:
        self._runs, self._sparsities = runs, sparsities
        self._lock = threading.RLock()  # callbacks may arrive on several threads
        self._quiet = False
        first = next(iter(runs))
        ticket = runs[first][-1]
        state = State(first, len(runs[first]) - 1, layer=ticket.counted[-1])
        self._controls = _controls(state, runs)
        self._round_label = widgets.Label()
        self.view = ChartView(workload_chart(), workload_frame(state, runs))
        self._fit(state)
        for control in self._controls.values():
            control.observe(self._moved, "value")
        grid = widgets.GridBox(
            list(self._controls.values()),
            layout=widgets.Layout(grid_template_columns="repeat(2, minmax(0, 430px))"),
        )
        super().__init__([grid, self._round_label, self.view])

    @property
    def state(self) -> State:
        """Where the controls stand."""
        return State(**{name: control.value for name, control in self._controls.items()})

    @state.setter
    def state(self, state: State) -> None:
        with self._lock:
            workload_frame(state, self._runs)  # raises before anything moves
            self._quiet = True
            try:
                self._fit(state)
                for name, control in self._controls.items():
                    control.value = getattr(state, name)
            finally:
                self._quiet = False
            self._moved()

    def _fit(self, state: State) -> None:
        """Limit the controls to what exists for this run, layer and accelerator."""
        tickets = self._runs[state.run]
        rounds, layer, wave = (self._controls[name] for name in ("round", "layer", "wave"))
        rounds.max = len(tickets) - 1
        rounds.disabled = len(tickets) == 1
        ticket = tickets[min(state.round, len(tickets) - 1)]
        if tuple(layer.options) != ticket.counted:
            layer.options = ticket.counted
        name = state.layer if state.layer in ticket.counted else ticket.counted[-1]
        report, _ = workload_report(replace(state, round=min(state.round, rounds.max)), self._runs)
        waves = len(report.loads[name])
        if len(wave.options) != waves + 1:
            kept = min(state.wave, waves - 1)
            wave.options = _wave_options(waves)
            wave.value = kept
        sparsity = self._sparsities[state.run][min(state.round, len(tickets) - 1)]
        self._round_label.value = (
            f"Round {state.round} of {state.run}: {sparsity:.2%} of all weights are pruned."
        )

    def _moved(self, change: Any = None) -> None:
        with self._lock:
            if self._quiet:
                return
            self._quiet = True
            try:
                self._fit(self.state)
                self.view.show(workload_frame(self.state, self._runs))
            except Exception as error:  # a callback's error would vanish in a log
                self.view.show({**self.view.frame, "message": f"{type(error).__name__}: {error}"})
            finally:
                self._quiet = False


def _controls(state: State, runs: Runs) -> dict[str, Any]:
    """The controls, by the name of the field of `State` they set."""
    common = {
        "style": {"description_width": "110px"},
        "layout": widgets.Layout(width="auto"),
    }

    def menu(description: str, options: Any, value: Any) -> widgets.Dropdown:
        return widgets.Dropdown(options=options, value=value, description=description, **common)

    def slider(description: str, low: int, high: int, value: int, tip: str) -> widgets.IntSlider:
        return widgets.IntSlider(
            value, low, high, description=description, tooltip=tip, continuous_update=True, **common
        )

    layers = runs[state.run][state.round].counted
    strategies = [(strategy.label, name) for name, strategy in STRATEGIES.items()]
    mappings = [(label, name) for name, label in MAPPINGS.items()]
    return {
        "run": menu("ticket", list(runs), state.run),
        "strategy": menu("strategy", strategies, state.strategy),
        "round": slider("pruning round", 0, state.round, state.round, "0 is the dense network"),
        "mapping": menu("mapping", mappings, state.mapping),
        "n_pe": slider("number of PEs", 1, MAX_PE, state.n_pe, "processing elements"),
        "layer": menu("layer", layers, state.layer),
        "wave": widgets.SelectionSlider(options=_wave_options(1), description="wave", **common),
    }


def _wave_options(waves: int) -> list[tuple[str, int]]:
    return [("all", ALL_WAVES), *((str(wave), wave) for wave in range(waves))]


def workload(ticket: Ticket | str | None = None) -> WorkloadExplorer:
    """Explore how a ticket's non-zeros spread over the PEs.

    ticket: your own `Ticket`, or a recorded run's name; default all recorded runs.
    Raises ValueError for an unknown name.
    """
    if isinstance(ticket, Ticket):
        return WorkloadExplorer({"your ticket": [ticket]}, {"your ticket": [ticket.sparsity]})
    names = recorded_tickets() if ticket is None else (ticket,)
    histories = {name: load_history(name) for name in names}
    runs = {
        name: [load_ticket(name, number) for number in history["round"]]
        for name, history in histories.items()
    }
    return WorkloadExplorer(
        runs, {name: list(history["sparsity"]) for name, history in histories.items()}
    )
