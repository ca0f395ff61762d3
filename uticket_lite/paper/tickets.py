"""Every recorded ticket: what its network reads right, and what its utilization is lost to."""

from collections.abc import Iterator

from uticket_lite.paper.recorded import PES
from uticket_lite.paper.section import Row, Section
from uticket_lite.simulation.lost import lost
from uticket_lite.tickets.history import read_history
from uticket_lite.tickets.recorded import (
    DATA,
    history_file,
    load_history,
    load_ticket,
    recorded_tickets,
)


def by_round() -> Iterator[Row]:
    """A row for each round of each recorded run; sparsity and accuracy in percent, the parts of
    `lost` on 16 PEs."""
    for run in recorded_tickets():
        network = read_history(history_file(DATA / run))["settings"]["network"]
        for row in load_history(run).to_dict("records"):
            about = {"run": run, "network": network, "round": row["round"]}
            shares = {name: 100 * row[name] for name in ("sparsity", "accuracy")}
            yield {**about, **shares, **lost(load_ticket(run, row["round"]), PES).to_dict()}


SECTION = Section(
    "tickets", "Every recorded ticket: what its utilization is lost to", 140, by_round
)
