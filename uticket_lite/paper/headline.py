"""The abstract's figures: how much less latency and energy, beside Tables I and II and ours."""

import math
from collections.abc import Iterator

from uticket_lite.hardware.energy import pe_energy
from uticket_lite.paper.published import paper_numbers, paper_table
from uticket_lite.paper.recorded import DATASET, METHODS, networks, report, saving
from uticket_lite.paper.section import Row, Section


def headline() -> Iterator[Row]:
    """Latency and energy that u-Ticket saves, in percent: by the paper's Tables I and II, and ours.

    abstract_latency, abstract_energy: what the abstract says, of the one it is true of. The
    tables print latency with two digits, so it is taken from work and idle.
    """
    paper, said = paper_table(), paper_numbers().query("source == 'abstract'")
    claims = {(row.network, row.dataset, row.quantity): row.value for row in said.itertuples()}
    for network, dataset in paper.index:
        of = paper.loc[(network, dataset)]
        both = [(of["work", m], of["idle", m], of["spike_sparsity", m] / 100) for m in METHODS]
        yield {
            "network": network,
            "dataset": dataset,
            "whose": "paper",
            "latency_cut": saving(*(work + idle for work, idle, _ in both)),
            "abstract_latency": claims.get((network, dataset, "latency_cut"), math.nan),
            "energy_cut": saving(*(pe_energy(*each) for each in both)),
            "abstract_energy": claims.get((network, dataset, "energy_cut"), math.nan),
        }
    for network in networks():
        ran = [report(network, method) for method in METHODS]
        yield {
            "network": network,
            "dataset": DATASET,
            "whose": "ours",
            "latency_cut": saving(*(each.latency for each in ran)),
            "abstract_latency": math.nan,
            "energy_cut": saving(*(each.energy for each in ran)),
            "abstract_energy": math.nan,
        }


SECTION = Section("abstract", "The largest savings, and where they come from", 0, headline)
