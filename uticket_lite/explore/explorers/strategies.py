"""The strategies explorer: every way to balance one ticket, and what each costs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from uticket_lite.explore.charts.palette import PAID
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.fields import (
    mapping_menu,
    over_runs,
    pe_slider,
    round_slider,
    run_menu,
    strategy_menu,
)
from uticket_lite.explore.runs import (
    Runs,
    counted_layers,
    plural,
    possible,
    ticket_of,
    which_ticket,
)
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.comparison import compare
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.ticket import Ticket


@dataclass(frozen=True)
class StrategiesState:
    """Where the controls stand.

    run, round: which ticket. strategy: the one told about. n_pe, mapping: the accelerator.
    """

    run: str = run_menu()
    round: int = round_slider()
    strategy: str = strategy_menu("uticket")
    n_pe: int = pe_slider()
    mapping: str = mapping_menu()


def strategies(
    ticket: Ticket | str | None = None, *, strategy: Strategy | str | None = None
) -> Explorer:
    """Compare all strategies on one ticket.

    ticket: your own `Ticket`, or a recorded run's name; default all recorded runs. strategy: the
    one to show first; a `Strategy` object need not be registered. Raises ValueError for unknown
    names, TypeError for what is neither ticket nor name.
    """
    return over_runs("strategies", strategies_frame, StrategiesState, ticket, strategy)


def strategies_frame(state: StrategiesState, runs: Runs) -> Frame:
    """Everything the explorer shows for a state; rounds of which only counts are recorded show
    the strategies that need no more."""
    ticket = ticket_of(state, runs)
    accelerator = Accelerator(state.n_pe, state.mapping)
    known = runs.strategies
    allowed = [s for s in known.values() if not possible(s, ticket, accelerator)[1]]
    table = compare(ticket, accelerator, allowed)
    left_out = [strategy for strategy in known.values() if strategy not in allowed]
    return {
        "data": {
            "strategies": _columns(table, state, known),
            "prices": _prices(table, ticket, state, known),
        },
        "figures": _figures(table, state),
        "summary": _summary(table, state, runs),
        "message": _left_out(state, runs, left_out),
        "clicks": ["strategy"],
    }


def _left_out(state: StrategiesState, runs: Runs, strategies: list[Strategy]) -> str:
    if not strategies:
        return ""
    listed = ", ".join(strategy.name for strategy in strategies)
    objection = "only counts of filters are recorded of this round, no masks to change"
    if state.mapping == "input-channel":
        objection = "with this mapping a filter is cut over all PEs, so its place does not matter"
    return f"Not possible here: {listed}; {objection}."


def _columns(
    table: pd.DataFrame, state: StrategiesState, known: dict[str, Strategy]
) -> dict[str, list[Any]]:
    return {
        "strategy": table.index.tolist(),
        "changes": table["changes"].tolist(),
        "latency": table["latency"].tolist(),
        "working": (table["work"] / state.n_pe).tolist(),
        "idle": table["idle"].tolist(),
        "energy": [None if np.isnan(e) else e for e in table["energy"]],
        "touched": table["touched"].tolist(),
        "price": [_price(known[str(name)], row) for name, row in table.iterrows()],
        "chosen": [name == state.strategy for name in table.index],
    }


def _prices(
    table: pd.DataFrame, ticket: Ticket, state: StrategiesState, known: dict[str, Strategy]
) -> dict[str, list[Any]]:
    """What is paid by each strategy, by kind: how much of all there is, and in a few letters."""
    filters = sum(layer.shape[0] for layer in counted_layers(ticket))
    rows = []
    rows_of = {str(name): row for name, row in table.iterrows()}
    for name, row in rows_of.items():
        strategy = known[name]
        paid = {
            "touched": (row["touched"], f"{row['touched']:.0%}"),
            "permuted": (row["permuted"] / filters, f"{int(row['permuted']):,}"),
            "timing": (float(strategy.changes == "schedule"), ""),
            "hardware": (float(bool(hardware := _hardware(strategy))), hardware),
        }
        rows += [(name, kind, share, text) for kind, (share, text) in paid.items() if share]
    names, kinds, shares, texts = ([row[i] for row in rows] for i in range(4))
    return {
        "strategy": names,
        "kind": kinds,
        "changes": [PAID[kind] for kind in kinds],
        "share": [float(share) for share in shares],
        "text": texts,
        "price": [_price(known[name], rows_of[name]) for name in names],
        "chosen": [name == state.strategy for name in names],
    }


def _hardware(strategy: Strategy) -> str:
    if strategy.ahead:
        return f"{strategy.ahead} buffers"
    if strategy.each > 1:
        return f"{strategy.each} per PE"
    if strategy.parts > 1:
        return "sums"
    return "other PEs" if strategy.changes == "hardware" else ""


def _price(strategy: Strategy, row: pd.Series) -> str:
    """The kinds of price and how much of each, in a few words: nothing but `none` is free."""
    kinds = []
    if strategy.changes == "mask":
        kinds.append(f"{row['touched']:.0%} of non-zeros touched, retraining")
    if strategy.changes == "schedule":
        kinds.append("a schedule, inputs at different times")
    elif strategy.changes == "order" or row["permuted"]:
        kinds.append(f"{plural(int(row['permuted']), 'filter')} permuted")
    if strategy.each > 1:
        kinds.append(f"room for {strategy.each} filters per PE")
    if strategy.parts > 1:
        kinds.append("partial sums")
    if strategy.ahead:
        kinds.append(f"buffers for {plural(strategy.ahead, 'wave')}")
    if strategy.changes == "hardware" and not kinds:
        kinds.append("another PE array")
    return ", ".join(kinds) or "nothing"


def _figures(table: pd.DataFrame, state: StrategiesState) -> list[list[str]]:
    if state.strategy not in table.index:
        return []
    row, plain = table.loc[state.strategy], table.loc["none"]
    energy = "unknown" if np.isnan(row["energy"]) else f"{1 - row['energy'] / plain['energy']:.1%}"
    return [
        ["cycles saved", f"{1 - row['latency'] / plain['latency']:.1%}"],
        ["energy saved", energy],
        ["latency (cycles)", f"{row['latency']:,}"],
        ["waiting (PE-cycles)", f"{row['idle']:,}"],
        ["utilization", f"{row['utilization']:.1%}"],
        ["non-zeros touched", f"{row['touched']:.1%}"],
        ["extra non-zeros", f"{row['extra']:+.1%}"],
        ["filters permuted", f"{row['permuted']:,.0f}"],
    ]


def _summary(table: pd.DataFrame, state: StrategiesState, runs: Runs) -> str:
    strategy = runs.strategies[state.strategy]
    quickest = table["latency"].astype(int).sort_values(kind="stable")
    first = f"{quickest.index[0]} with {quickest.iloc[0]:,} cycles"
    free = table["touched"].eq(0) & table.index.isin(quickest.index)
    best_free = quickest[free.reindex(quickest.index)].index[0]
    return (
        f"{which_ticket(state, runs)}, {plural(state.n_pe, 'PE')}: the quickest is "
        f"{first}; of those that touch no weight, {best_free} with {quickest[best_free]:,}; "
        f"without balancing it is {quickest['none']:,}. {strategy.label} changes: "
        f"{strategy.changes}. Cost: {strategy.cost} Source: {strategy.source}."
    )
