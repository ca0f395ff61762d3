"""What an energy cut is made of: waiting, fewer non-zeros, and the rest."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from uticket_lite.hardware.energy import pe_energy
from uticket_lite.paper.published import paper_table
from uticket_lite.paper.recorded import DATASET, METHODS, networks, report
from uticket_lite.paper.section import Row, Section


def energy_split() -> Iterator[Row]:
    """The parts of an energy cut, in points that add up to it: the paper's by its Tables I and
    II, and ours.

    waiting: if nobody waited and nothing else changed. nonzeros: if work then changed as much as
    the number of non-zeros. rest: non-zeros in other layers with other positions, other spikes.
    """
    paper = paper_table()
    for network, dataset in paper.index:
        row = paper.loc[(network, dataset)]
        tickets = (
            {
                "work": row["work", method],
                "idle": row["idle", method],
                "spike_sparsity": row["spike_sparsity", method] / 100,
                "nonzeros": 1 - row["sparsity", method] / 100,
            }
            for method in METHODS
        )
        yield {"network": network, "dataset": dataset, "whose": "paper"} | _split(*tickets)
    for network in networks():
        layers = (report(network, method).layers for method in METHODS)
        yield {"network": network, "dataset": DATASET, "whose": "ours"} | _split(*layers)


def _split(lth: Any, uticket: Any) -> Row:
    """The points, from work, idle, spike_sparsity and nonzeros of tickets, or of their layers."""

    def energy(ticket: Any, idle: Any) -> float:
        return float(np.sum(pe_energy(ticket["work"], idle, ticket["spike_sparsity"])))

    whole, last = (energy(ticket, ticket["idle"]) for ticket in (lth, uticket))
    no_waiting = energy(lth, 0 * lth["idle"])
    fewer = no_waiting * float(np.sum(uticket["nonzeros"]) / np.sum(lth["nonzeros"]))
    steps = zip((whole, no_waiting, fewer), (no_waiting, fewer, last), strict=True)
    points = [100 * (before - after) / whole for before, after in steps]
    return dict(zip(("waiting", "nonzeros", "rest"), points, strict=True)) | {"all": sum(points)}


SECTION = Section("split", "What an energy cut is made of, in points", 75, energy_split)
