"""Fig. 7a: energy saved."""

from collections.abc import Iterator

from uticket_lite.paper.recorded import METHODS, nearest_round, networks, report, saving
from uticket_lite.paper.section import Row, Section, rows


def energy_cuts() -> Iterator[Row]:
    """Energy that u-Ticket's ticket needs less than LTH's, in percent.

    same_round: both tickets from the round of the u-Ticket one, so of nearly equal sparsity.
    """
    for network in networks():
        before, after = (report(network, method).energy for method in METHODS)
        alike = report(network, "lth", nearest_round(network, "uticket")).energy
        cuts = {"energy_cut": saving(before, after), "same_round": saving(alike, after)}
        yield from rows(network, "uticket", cuts)


SECTION = Section(
    "Fig. 7a",
    "Energy saved",
    70,
    energy_cuts,
    {
        "energy_cut": "Made of waiting, fewer non-zeros and other work: see `split`.",
        "same_round": "Without the paper's choice of tickets of unlike sparsity.",
    },
    {"same_round": "%"},
)
