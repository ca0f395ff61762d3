"""Where utilization is lost: to small numbers, to unlike layers, or to unlike filters."""

from dataclasses import asdict, dataclass

import numpy as np

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.chance import expected_utilization
from uticket_lite.hardware.loads import capacities
from uticket_lite.simulation.run import simulate
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


def lost(ticket: Ticket, accelerator: Accelerator) -> Lost:
    """Split what a ticket loses of utilization on an accelerator, without any balancing.

    A balanced ticket gains instead: `filters` is then negative, the better of chance.
    """
    report = simulate(ticket, accelerator)
    layers = [ticket.layers[name] for name in report.names]
    room = [capacities(layer, accelerator) for layer in layers]
    sizes = np.array([layer.size for layer in layers])
    nonzeros = np.array([layer.nonzeros for layer in layers])

    def expected(densities: np.ndarray) -> float:
        values = [expected_utilization(*each) for each in zip(room, densities, strict=True)]
        return float(np.array(values) @ sizes / sizes.sum())

    alike = expected(np.full(len(layers), nonzeros.sum() / sizes.sum()))
    floor = expected(nonzeros / sizes)
    return Lost(report.utilization, 1 - alike, alike - floor, floor - report.utilization)
