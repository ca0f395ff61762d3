"""What balancing costs (a figure in the paper's text)."""

import time
from collections.abc import Iterator

from uticket_lite.paper.recorded import PES, networks, report, run_name
from uticket_lite.paper.section import Row, Section, rows
from uticket_lite.simulation.run import balance
from uticket_lite.tickets.recorded import load_history


def balancing_share() -> Iterator[Row]:
    """Balancing the LTH ticket, timed now, as a share of the recorded rounds' time."""
    for network in networks():
        ticket = report(network, "lth").ticket
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            balance(ticket, PES)
            seconds.append(time.perf_counter() - began)
        a_round = load_history(run_name(network, "lth"))["seconds"].median()
        yield from rows(network, "uticket", {"balancing_share": 100 * min(seconds) / a_round})


SECTION = Section(
    "text",
    "What balancing costs",
    110,
    balancing_share,
    {
        "balancing_share": "Compiled here, and timed on this machine against rounds on the one "
        "that trained: {trained}. The paper does not say how it balanced.",
    },
)
