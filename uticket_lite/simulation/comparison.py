"""Several strategies on one ticket, side by side."""

from collections.abc import Iterable

import pandas as pd

from uticket_lite.hardware.accelerator import Accelerator, check
from uticket_lite.simulation.run import simulate
from uticket_lite.strategies import STRATEGIES, Strategy, chosen
from uticket_lite.tickets.ticket import Ticket


def compare(
    ticket: Ticket,
    accelerator: Accelerator,
    strategies: Iterable[str | Strategy] | str | Strategy | None = None,
    seed: int = 0,
    *,
    cycles: str = "full",
) -> pd.DataFrame:
    """`simulate` under several strategies (default: all that the mapping allows, and the ticket,
    if only counts are known of it), one row each.

    Columns: changes, utilization, latency, work, idle, energy, sparsity, and the price (see
    `Report.price`). Raises ValueError where `simulate` does, and for two strategies of one name.
    """
    check(ticket, accelerator)
    if strategies is None:
        known = not any(ticket.layers[name].counts_only for name in ticket.counted)
        strategies = [
            strategy
            for strategy in STRATEGIES.values()
            if strategy.objection(accelerator) is None and (known or strategy.changes != "mask")
        ]
    elif isinstance(strategies, str | Strategy):
        strategies = [strategies]
    rows: dict[str, dict[str, object]] = {}
    told: dict[str, Strategy] = {}
    for strategy in map(chosen, strategies):
        if told.setdefault(strategy.name, strategy) is not strategy:
            raise ValueError(f"two strategies are called {strategy.name!r}; rename one of them")
        report = simulate(ticket, accelerator, strategy, seed, cycles=cycles)
        rows[strategy.name] = {"changes": strategy.changes, **report.figures, **report.price}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")
