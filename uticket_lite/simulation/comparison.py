"""Several strategies on one ticket, side by side."""

from collections.abc import Iterable

import pandas as pd

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.run import check, simulate
from uticket_lite.strategies import STRATEGIES
from uticket_lite.tickets.ticket import Ticket


def compare(
    ticket: Ticket,
    accelerator: Accelerator,
    strategies: Iterable[str] | None = None,
    seed: int = 0,
    *,
    cycles: str = "full",
) -> pd.DataFrame:
    """`simulate` under several strategies (default: all that the mapping allows), one row each.

    Columns: changes, utilization, latency, work, idle, energy, sparsity, and the price (see
    `Report.price`).
    """
    check(ticket, accelerator)
    if isinstance(strategies, str):
        strategies = [strategies]
    if strategies is None:
        strategies = [n for n, s in STRATEGIES.items() if s.objection(accelerator) is None]
    rows = {}
    for name in strategies:
        report = simulate(ticket, accelerator, name, seed, cycles=cycles)
        rows[name] = {
            "changes": report.strategy.changes,
            **report.figures,
            **report.price,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")
