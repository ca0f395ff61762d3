"""The sweep explorer: a heat map of strategies × PEs × sparsity."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from uticket_lite.explore.cells import Cell, Cells, Folder, Key, pruned
from uticket_lite.explore.controls import Options, menu, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.runs import plural, runs_of
from uticket_lite.hardware.accelerator import PE_COUNTS
from uticket_lite.hardware.energy import GATINGS
from uticket_lite.simulation.chunks import found
from uticket_lite.simulation.grid import COLUMNS, Grid
from uticket_lite.simulation.sweeps import Tickets, make_grid
from uticket_lite.simulation.sweeps import sweep as run_sweep
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.recorded import recorded_tickets
from uticket_lite.tickets.ticket import Ticket

SHOWN = {
    "utilization": "utilization",
    "latency": "cycles: the quickest strategy's ÷ this one's",
    "energy": "energy: the thriftiest strategy's ÷ this one's",
}
"""What cells can show, each 1 at best."""
MOST = 40
"""Columns drawn of a heat map; of more, some are left out."""
LABELLED = 8
"""Columns up to which each cell says its number."""


def _runs(state: Any, cells: Cells) -> Options:
    return [(name, name) for name in cells.runs]


def _shown(state: Any, cells: Cells) -> Options:
    return [(label, name) for name, label in SHOWN.items()]


def _strategies(state: Any, cells: Cells) -> Options:
    return [(name, name) for name in cells.strategies]


def _pes(state: Any, cells: Cells) -> Options:
    return [(f"{n:,}", n) for n in cells.n_pe]


def _tickets(state: Any, cells: Cells) -> Options:
    tickets = cells.runs[state.run]
    labels = pruned(cells, tickets)
    return [(f"{labels[ticket]}% pruned", i) for i, ticket in enumerate(tickets)]


def _mappings(state: Any, cells: Cells) -> Options:
    return [(name, name) for name in cells.mappings]


def _gatings(state: Any, cells: Cells) -> Options:
    return [(name, name) for name in cells.gating]


@dataclass(frozen=True)
class SweepState:
    """Where the controls stand.

    run, round: which ticket. figure: what cells show. strategy, n_pe: with the ticket, the cell
    told about. mapping, gating: of all cells.
    """

    run: str = menu("tickets", _runs)
    figure: str = menu("shown", _shown, "utilization")
    n_pe: int = slider("number of PEs", _pes, 16, help="processing elements")
    round: int = slider("sparsity", _tickets, help="the ticket, from dense to sparse")
    strategy: str = menu("strategy", _strategies)
    mapping: str = menu("mapping", _mappings)
    gating: str = menu("a waiting PE", _gatings, help="decides energy alone")


def sweep(
    source: pd.DataFrame | str | os.PathLike[str] | Tickets | None = None,
    n_pe: int | Iterable[int] = PE_COUNTS,
    mappings: str | Iterable[str] = "output-channel",
    strategies: str | Strategy | Iterable[str | Strategy] | None = None,
    seeds: int | Iterable[int] = 0,
    gating: str | Iterable[str] = tuple(GATINGS),
) -> Explorer:
    """Look at a sweep as a heat map: strategies × PEs beside strategies × sparsity.

    source: what `ut.sweep` returned; the folder that it writes, which may be growing; or tickets,
    as `ut.sweep` takes them, or a recorded run's name, for all its rounds whose masks are known:
    these are swept in the background, with the other arguments as of `ut.sweep`, and cells are
    coloured as they are found. Default: the recorded digits runs. Seeds are averaged. Tickets
    whose names differ in a number at the end are of one run.

    Raises ValueError or TypeError for what is no sweep and cannot be swept.
    """
    if source is None:
        source = _digits()
    if isinstance(source, pd.DataFrame):
        return _of_table(source)
    if isinstance(source, os.PathLike) or (
        isinstance(source, str) and source not in recorded_tickets()
    ):
        return _of_folder(source)
    if isinstance(source, str | Ticket):
        source = _rounds(source)
    return _of_grid(make_grid(source, n_pe, mappings, strategies, seeds, gating, "full"))


def _rounds(source: str | Ticket) -> dict[str, Ticket]:
    """The tickets of a run whose masks are known."""
    ((name, run),) = runs_of(source).items()
    tickets = {f"{name} round {i}": ticket for i, ticket in enumerate(run.tickets)}
    known = {name: ticket for name, ticket in tickets.items() if not ticket.counts_only}
    return known or tickets


@cache
def _digits() -> pd.DataFrame:
    """What can be found in a second or two: every other round, what needs counts alone, and
    u-Ticket."""
    runs = [name for name in recorded_tickets() if name.startswith("digits")]
    tickets = {f"{name} round {r}": (name, r) for name in runs for r in range(0, 15, 2)}
    names = ["none", "uticket", "shuffle", "sort", "pair", "lpt", "queue", "fifo-d"]
    return run_sweep(tickets, PE_COUNTS, strategies=names, gating=list(GATINGS), progress=False)


def _of_table(table: pd.DataFrame) -> Explorer:
    missing = [name for name in COLUMNS if name not in table and name != "seed"]
    if missing or table.empty:
        what = f"it lacks {', '.join(missing)}" if missing else "it has no rows"
        raise ValueError(f"a table must be as ut.sweep returns it; {what}")
    cells = Cells(table["ticket"].unique().tolist())
    cells.add(table)
    return _opened(cells)


def _of_folder(source: str | os.PathLike[str]) -> Explorer:
    path = Path(source)
    if source == "" or not path.is_dir():
        runs = ", ".join(recorded_tickets())
        raise ValueError(
            f"{str(source)!r} is neither a folder of a sweep nor a recorded run ({runs})"
        )
    folder = Folder(path)
    if not folder.whole:
        return _of_table(pd.concat(folder.new()))
    cells = Cells(folder.names, whole=folder.whole)
    for table in folder.new():
        cells.add(table)
    explorer = _opened(cells)
    if cells.rows < cells.whole:
        coming = folder.coming(lambda: cells.rows < cells.whole)
        explorer.follow(coming, cells.add, ends=False)
    return explorer


def _of_grid(grid: Grid) -> Explorer:
    cells = Cells(list(grid.tickets), whole=grid.rows)
    cells.expect(
        {name: ticket.sparsity for name, ticket in grid.tickets.items()},
        list(grid.mappings),
        [strategy.name for strategy in grid.strategies],
        grid.n_pe.tolist(),
        list(grid.gating),
    )
    explorer = _opened(cells)
    explorer.follow(found(grid), cells.add)
    return explorer


def _opened(cells: Cells) -> Explorer:
    run, tickets = next(iter(cells.runs.items()))
    gating = "paper" if "paper" in cells.gating else cells.gating[0]
    state = SweepState(run, round=len(tickets) - 1, gating=gating)
    return Explorer("sweep", sweep_frame, state, cells)


class Column(NamedTuple):
    """A column of a heat map. value: of the control that a click on it sets. label: its name."""

    value: int
    ticket: str
    n_pe: int
    label: str


def sweep_frame(state: SweepState, cells: Cells) -> Frame:
    """Everything the explorer shows for a state."""
    tickets = cells.runs[state.run]
    labels = pruned(cells, tickets)
    chosen = Column(state.n_pe, tickets[state.round], state.n_pe, labels[tickets[state.round]])
    by_pe = [Column(n, chosen.ticket, n, str(n)) for n in cells.n_pe]
    by_round = [Column(i, name, state.n_pe, labels[name]) for i, name in enumerate(tickets)]
    cell = _cell(state, cells, chosen, state.strategy)
    return {
        "data": {
            "pes": _map(state, cells, "n_pe", _thinned(by_pe, cells.n_pe.index(state.n_pe))),
            "rounds": _map(state, cells, "round", _thinned(by_round, state.round)),
            "chosen": {
                "strategy": [state.strategy],
                "n_pe": [state.n_pe],
                "label": [chosen.label],
            },
        },
        "figures": _figures(cell, cells),
        "summary": _summary(state, cells, chosen, by_pe, by_round),
        "message": _message(state, cells, cell),
        "clicks": ["strategy", "n_pe", "round"],
    }


def _cell(state: SweepState, cells: Cells, column: Column, strategy: str) -> Cell | None:
    key = Key(column.ticket, state.mapping, strategy, column.n_pe, state.gating)
    return cells.cells.get(key)


def _thinned(columns: list[Column], chosen: int) -> list[Column]:
    """At most `MOST` columns and the chosen one, evenly spread."""
    if len(columns) <= MOST:
        return columns
    kept = {*np.linspace(0, len(columns) - 1, MOST).round().astype(int).tolist(), chosen}
    return [columns[i] for i in sorted(kept)]


def _shares(state: SweepState, cells: Cells, column: Column) -> dict[str, float]:
    """What the cells of a column show, by strategy: 1 at best. Those not known are left out."""
    found = {name: _cell(state, cells, column, name) for name in cells.strategies}
    means = {name: cell.mean(state.figure) for name, cell in found.items() if cell}
    known = {name: mean for name, mean in means.items() if not np.isnan(mean)}
    if state.figure == "utilization" or not known:
        return known
    least = min(known.values())
    return {name: least / mean if mean else 1.0 for name, mean in known.items()}


def _map(
    state: SweepState, cells: Cells, control: str, columns: list[Column]
) -> dict[str, list[Any]]:
    """A row for each cell, also where nothing is known yet: the picture keeps its shape."""
    rows = []
    shares = {column: _shares(state, cells, column) for column in columns}
    for strategy in cells.strategies:
        for column in columns:
            share = shares[column].get(strategy)
            cell = _cell(state, cells, column, strategy)
            said = "" if share is None or len(columns) > LABELLED else f"{100 * share:.0f}"
            rows.append(
                {
                    "strategy": strategy,
                    control: column.value,
                    "label": column.label,
                    "share": share,
                    "text": said,
                    "utilization": cell and cell.mean("utilization"),
                    "latency": cell and cell.mean("latency"),
                    "seeds": cell and cell.seeds,
                }
            )
    return {name: [row[name] for row in rows] for name in rows[0]}


def _figures(cell: Cell | None, cells: Cells) -> list[list[str]]:
    so_far = f"{cells.rows:,}" + (f" of {cells.whole:,}" if cells.rows < cells.whole else "")
    if cell is None:
        return [["configurations", so_far]]
    waiting, working = cell.mean("idle"), cell.mean("work")
    energy = cell.mean("energy")
    return [
        ["utilization", f"{cell.mean('utilization'):.1%}"],
        ["latency (cycles)", f"{cell.mean('latency'):,.0f}"],
        ["waiting, of all PE-cycles", f"{waiting / max(waiting + working, 1):.1%}"],
        ["energy (E_dyn)", "unknown" if np.isnan(energy) else f"{energy:,.0f}"],
        ["seeds", f"{cell.seeds:,}"],
        ["configurations", so_far],
    ]


def _message(state: SweepState, cells: Cells, cell: Cell | None) -> str:
    if cells.rows < cells.whole:
        return "Still sweeping: cells without a colour are to come."
    if cell is None:
        return (
            f"The sweep has no “{state.strategy}” here: it was not asked for, or has no effect "
            f"with mapping {state.mapping}."
        )
    if state.figure == "energy" and np.isnan(cell.mean("energy")):
        return "Energy is not known: of this ticket no spikes are."
    return ""


def _summary(
    state: SweepState, cells: Cells, chosen: Column, by_pe: list[Column], by_round: list[Column]
) -> str:
    """Who is best in the chosen column, and what becomes of the chosen strategy along both
    axes."""
    place = f"{chosen.ticket}, {chosen.label}% pruned, {plural(chosen.n_pe, 'PE')}"
    shares = _shares(state, cells, chosen)
    if not shares:
        return f"{place}: nothing is known yet."
    best = max(shares.values())
    leading = [name for name, share in shares.items() if share > best - 0.0005]
    what = SHOWN[state.figure].partition(":")[0]
    several = plural(len(shares), "strategy").replace("ys", "ies")
    words = [f"{place}: of {several}, best by {what}: {', '.join(leading)} ({best:.1%})."]
    ways = [_trend(state, cells, by_pe, "PE"), _trend(state, cells, by_round, "% pruned")]
    if state.strategy in shares:
        here = f"{state.strategy}: {shares[state.strategy]:.1%} here"
        words.append("; ".join([here, *filter(None, ways)]) + ".")
    return " ".join(words)


def _trend(state: SweepState, cells: Cells, columns: list[Column], unit: str) -> str:
    """What the chosen strategy does from the first to the last column in which it is known."""
    known = [
        (column, shares[state.strategy])
        for column in columns
        if state.strategy in (shares := _shares(state, cells, column))
    ]
    if len(known) < 2:
        return ""
    (first, before), (last, after) = known[0], known[-1]
    ends = [
        plural(column.n_pe, unit) if unit == "PE" else f"{column.label}{unit}"
        for column in (first, last)
    ]
    return f"{before:.1%} at {ends[0]} and {after:.1%} at {ends[1]}"
