"""Every recorded ticket: what its network reads right, and what its utilization is lost to."""

from collections.abc import Iterator

from uticket_lite.paper.recorded import PES
from uticket_lite.paper.section import Row, Section
from uticket_lite.simulation.lost import lost
from uticket_lite.tickets.recorded import load_history, load_ticket, recorded_tickets


def by_round() -> Iterator[Row]:
    """A row for each round of each recorded run; sparsity and accuracy in percent, the parts of
    `lost` on 16 PEs."""
    for run in recorded_tickets():
        for row in load_history(run).to_dict("records"):
            split = lost(load_ticket(run, row["round"]), PES).to_dict()
            shares = {name: 100 * row[name] for name in ("sparsity", "accuracy")}
            yield {"run": run, "round": row["round"], **shares, **split}


SECTION = Section(
    "tickets", "Every recorded ticket: what its utilization is lost to", 140, by_round
)
