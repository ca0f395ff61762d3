"""The rounds explorer: what pruning does, round after round, to accuracy and to the PEs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from uticket_lite.edge.checks import instance
from uticket_lite.explore.controls import Options, menu, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.runs import names_of_runs
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.lost import lost
from uticket_lite.tickets.recorded import (
    METHODS,
    load_seeds,
    load_ticket,
    recorded_tickets,
    tested_on,
)

FIGURES = ("utilization", "accuracy", "latency", "sparsity")
AXES = {"round": "pruning round", "sparsity": "weights pruned (%)"}


Tables = dict[str, pd.DataFrame]


def _networks(state: Any, tables: Tables) -> Options:
    return [(name, name) for name in dict.fromkeys(map(_network, tables))]


def _axes(state: Any, tables: Tables) -> Options:
    return [(title, name) for name, title in AXES.items()]


def _runs(state: Any, tables: Tables) -> Options:
    return [(run, run) for run in tables if _network(run) == state.network]


def _rounds(state: Any, tables: Tables) -> Options:
    return [(str(r), r) for r in range(int(tables[state.run]["round"].max()) + 1)]


@dataclass(frozen=True)
class RoundsState:
    """Where the controls stand.

    network: which runs, by the name they share. x: what the axis shows, `round` or `sparsity`.
    run, round: the point that the words tell about.
    """

    network: str = menu("network", _networks)
    x: str = menu("across", _axes, "round")
    run: str = menu("run", _runs)
    round: int = slider("pruning round", _rounds)


def rounds(names: str | Iterable[str] | None = None, *, opens: Explorer | None = None) -> Explorer:
    """Follow recorded runs through their rounds; bands span the lowest and the highest seed.

    names: a run or several, default all. opens: another explorer, `explore.workload()` say, that
    shows the round that is clicked on. Raises ValueError for an unknown name and for an explorer
    without rounds of runs, TypeError for what is no name or no explorer.
    """
    tables = {name: load_seeds(name) for name in names_of_runs(names, recorded_tickets())}
    run = next(iter(tables))
    last = int(tables[run]["round"].max())
    state = RoundsState(_network(run), run=run, round=last)
    explorer = Explorer("rounds", rounds_frame, state, tables)
    if opens is not None:
        instance("opens", opens, Explorer, "opens=explore.workload()")
        opens.nearest(run=state.run, round=state.round)  # it can

        def follow(state: RoundsState) -> None:
            opens.state = opens.nearest(run=state.run, round=state.round)

        explorer.on_move(follow)
    return explorer


def _network(run: str) -> str:
    """What a run's name says before its method: vgg16-cifar10 of vgg16-cifar10-lth."""
    return run.rsplit("-", 1)[0]


def _method(run: str) -> str:
    """What comes after, as it is written elsewhere."""
    last = run.rsplit("-", 1)[-1]
    return METHODS.get(last, last)


def rounds_frame(state: RoundsState, tables: Tables) -> Frame:
    """Everything the explorer shows for a state."""
    runs = [run for _, run in _runs(state, tables)]
    table = pd.concat([_spread(tables[run]).assign(run=run, method=_method(run)) for run in runs])
    ends = table["round"] == table.groupby("run")["round"].transform("max")
    table["name"] = table["method"].where(ends, "")
    table["x"] = table["round"] if state.x == "round" else 100 * table["sparsity"]
    row = table[(table["run"] == state.run) & (table["round"] == state.round)].iloc[0]
    seeds = tables[state.run]["seed"].nunique()
    return {
        "data": {
            "rounds": table.to_dict("list"),
            "chosen": {"x": [float(row["x"])], "title": [AXES[state.x]]},
        },
        "figures": [
            ["weights pruned", f"{row['sparsity']:.2%}"],
            ["utilization", f"{row['utilization']:.1%}"],
            ["accuracy", f"{row['accuracy']:.1%}"],
            ["latency (cycles per position and timestep)", f"{row['latency']:,.0f}"],
            ["mean of seeds", f"{seeds}"],
            *_lost(state.run, state.round),
        ],
        "summary": f"{_summary(state, table, runs, seeds)} {_careful(state, tables, row)}",
        "clicks": ["run", "round"],
    }


@cache
def _lost(run: str, number: int) -> list[list[str]]:
    """What a round's ticket (of the first seed) loses of utilization, and to what."""
    ticket = load_ticket(run, number)
    trained = ticket.provenance["settings"]
    parts = lost(ticket, Accelerator(trained["n_pe"], trained["mapping"]))
    won = parts.filters < 0
    return [
        ["lost to chance, small numbers", f"{parts.noise:.1%}"],
        ["lost because layers keep unlike shares", f"{parts.layers:.1%}"],
        [
            "won back by balancing" if won else "lost because filters are unlike",
            f"{abs(parts.filters):.1%}",
        ],
    ]


def _careful(state: RoundsState, tables: Tables, row: pd.Series) -> str:
    """What the picture must not be taken for."""
    words = ""
    if state.run in tables and tables[state.run]["seed"].nunique() > 1:
        one = tables[state.run].query("round == @state.round").iloc[0]
        words = (
            f"Other explorers open the tickets of seed {one['seed']:.0f}, which has utilization "
            f"{one['utilization']:.1%} and accuracy {one['accuracy']:.1%} here. "
        )
    images, share = tested_on(state.run), float(row["accuracy"])
    error = 2 * (share * (1 - share) / images) ** 0.5
    return (
        f"{words}The accuracy axis does not begin at 0: measured on {images:,} images, one "
        f"accuracy here is known to ±{100 * error:.1f} points (two standard errors), so smaller "
        "steps show nothing."
    )


def _spread(table: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest of the seeds in each round."""
    grouped = table.groupby("round")
    spread = grouped[list(FIGURES)].mean()
    for figure in ("utilization", "accuracy", "latency"):
        spread[f"{figure}_low"] = grouped[figure].min()
        spread[f"{figure}_high"] = grouped[figure].max()
    return spread.reset_index()


def _summary(state: RoundsState, table: pd.DataFrame, runs: list[str], seeds: int) -> str:
    words = []
    for run in runs:
        row = table[table["run"] == run].iloc[-1]
        words.append(
            f"{run} ends at {row['sparsity']:.1%} pruned with utilization "
            f"{row['utilization']:.1%} and accuracy {row['accuracy']:.1%}"
        )
    several = f" (means of {seeds} seeds)" if seeds > 1 else ""
    return f"{'; '.join(words)}{several}. Shown above: round {state.round} of {state.run}."
