"""What decides the PEs' share of all energy: which traffic counts, and what an access costs."""

from collections.abc import Iterator

from uticket_lite.paper.fig9b import shares
from uticket_lite.paper.recorded import networks
from uticket_lite.paper.section import Row, Section
from uticket_lite.simulation.memory import COSTS

TRAFFIC = {
    "SRAM": ("dram_weights", "dram_spikes"),
    "SRAM, DRAM for spikes": ("dram_weights",),
    "SRAM, DRAM": (),
}
"""What is counted: words to columns of `memory_accesses` that cost nothing."""


def readings() -> Iterator[Row]:
    """The PEs' share and what u-Ticket saves, in percent, for all readings and traffic."""
    for network in networks():
        for costs in COSTS:
            for counted, left_out in TRAFFIC.items():
                share, saved = shares(network, costs, left_out)
                yield {
                    "network": network,
                    "an access costs": costs,
                    "counted": counted,
                    "pe_share": share,
                    "saved": saved,
                }


SECTION = Section("memory", "The PEs' share, by what memory is said to cost, in %", 105, readings)
