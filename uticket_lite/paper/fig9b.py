"""Fig. 9b: the whole system."""

from collections.abc import Iterator

from uticket_lite.paper.recorded import METHODS, networks, report, saving
from uticket_lite.paper.section import Row, Section, rows
from uticket_lite.simulation.memory import system_energy


def shares(
    network: str, costs: str = "per-byte", left_out: tuple[str, ...] = ()
) -> tuple[float, float]:
    """The PEs' share of all energy with memory (LTH), and what u-Ticket saves of it, in percent.

    costs: of an access, a name in `COSTS`. left_out: traffic that costs nothing.
    """
    before, after = (
        system_energy(report(network, method), without=left_out, costs=costs) for method in METHODS
    )
    whole, then = sum(before.values()), sum(after.values())
    return 100 * before["PE"] / whole, saving(whole, then)


def system() -> Iterator[Row]:
    """`shares` with all traffic, as SATA_Sim multiplies what memory costs."""
    for network in networks():
        share, cut = shares(network)
        yield from rows(network, "lth", {"pe_share": share})
        yield from rows(network, "uticket", {"system_energy_cut": cut})


SECTION = Section(
    "Fig. 9b",
    "The whole system",
    100,
    system,
    {
        "pe_share": "The paper does not state what memory costs; ours follows the figures and the "
        "dataflow in `uticket_lite.simulation.memory`. How much they decide: `memory`.",
        "system_energy_cut": "The paper's is the PEs' share times what is saved in PEs, so memory "
        "takes no part in it. Ours has little in the PEs to save.",
    },
)
