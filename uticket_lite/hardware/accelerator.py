"""The PE array that a ticket runs on."""

from dataclasses import dataclass

from uticket_lite.edge.checks import instance, one_of, whole_number
from uticket_lite.tickets.ticket import Ticket

MAPPINGS = {
    "output-channel": "output channels (a filter per PE)",
    "input-channel": "input channels (a filter across PEs)",
}
"""Mapping name to description: which weights a PE holds in a wave (see `loads.loads`)."""

MOST_PES = 2**20
"""More than any array has, and few enough that a wave of them fits memory."""
PE_COUNTS = (2, 4, 8, 16, 32, 64)
"""Numbers of PEs that the paper compares (Table III)."""


@dataclass(frozen=True)
class Accelerator:
    """`n_pe` processing elements that work in parallel and wait for the slowest of them.

    n_pe: number of PEs, 1 to `MOST_PES`. Default 16, the paper's array.
    mapping: `output-channel` (default; the paper's, "sata" in its released code) or
    `input-channel` ("systolic" there).

    Raises TypeError or ValueError for anything else.
    """

    n_pe: int = 16
    mapping: str = "output-channel"

    def __post_init__(self) -> None:
        n_pe = whole_number("n_pe (number of PEs)", self.n_pe, maximum=MOST_PES)
        object.__setattr__(self, "n_pe", n_pe)
        object.__setattr__(self, "mapping", one_of("mapping", self.mapping, MAPPINGS))


def check(ticket: Ticket, accelerator: Accelerator) -> None:
    """TypeError unless both are what they should be."""
    instance("ticket", ticket, Ticket, 'ut.load_ticket("digits-lth"), say')
    instance("accelerator", accelerator, Accelerator, "ut.Accelerator(n_pe=16), say")
