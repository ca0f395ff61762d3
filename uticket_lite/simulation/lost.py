"""Where utilization is lost: to small numbers, to unlike layers, or to unlike filters."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from uticket_lite.hardware.accelerator import Accelerator, check
from uticket_lite.hardware.chance import expected_utilization
from uticket_lite.hardware.loads import Workload, capacities, loads
from uticket_lite.hardware.metrics import layer_totals
from uticket_lite.tickets.ticket import Ticket


@dataclass(frozen=True)
class Lost:
    """What a ticket's filters, in their given order, lose of utilization (Eq. 2).

    utilization: as `Report.utilization`. noise: lost if all counted weights were kept with one
    probability, so only because small numbers scatter. layers: lost further because layers keep
    unlike shares; filters: because filters of a layer do. The four add up to 1.
    """

    utilization: float
    noise: float
    layers: float
    filters: float

    @property
    def floor(self) -> float:
        """Utilization to expect if the filters of each layer were alike: 1 − noise − layers."""
        return self.utilization + self.filters

    def to_dict(self) -> dict[str, float]:
        """utilization, floor, noise, layers, filters."""
        parts = asdict(self)
        return {"utilization": parts.pop("utilization"), "floor": self.floor, **parts}


def lost(ticket: Ticket, accelerator: Accelerator, layers: Iterable[str] | None = None) -> Lost:
    """Split what a ticket loses of utilization on an accelerator, without any balancing.

    layers: those to look at; default the counted ones. A balanced ticket gains instead:
    `filters` is then negative, the better of chance.
    """
    check(ticket, accelerator)
    names = ticket.counted if layers is None else ticket.names(layers)
    chosen = [ticket.layers[name] for name in names]
    room = [capacities(layer, accelerator) for layer in chosen]
    sizes = np.array([layer.size for layer in chosen])
    nonzeros = np.array([layer.nonzeros for layer in chosen])

    def average(values: np.ndarray) -> float:
        return float(values @ sizes / sizes.sum())

    def expected(densities: np.ndarray) -> float:
        pairs = zip(room, densities, strict=True)
        return average(np.array([expected_utilization(*each) for each in pairs]))

    alike = expected(np.full(len(chosen), nonzeros.sum() / sizes.sum()))
    floor = expected(nonzeros / sizes)
    tables = [loads(layer, accelerator) for layer in chosen]
    starts = np.cumsum([0, *map(len, tables)])
    reached = average(layer_totals(Workload(np.concatenate(tables), starts)).utilization)
    return Lost(reached, 1 - alike, alike - floor, floor - reached)
