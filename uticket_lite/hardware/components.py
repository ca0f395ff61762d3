"""What the parts of a PE cost: SATA_Sim's public figures, the only source used here.

SATA_Sim (Yin et al., arXiv 2204.05422) gives them for a clock of 400 MHz; it does not state the
technology node. Power at a fixed clock is energy per cycle: 1 mW at 400 MHz is 2.5 pJ a cycle.
The components listed do not add up to the stated totals of the ungated parts, 0.7196 pJ, and
of leakage, 0.0017 pJ a cycle; so the totals are taken as they are, and the components only
divide energy between parts.
"""

from dataclasses import asdict, dataclass

import pandas as pd

CLOCK = 400e6
"""Hz."""


@dataclass(frozen=True)
class Component:
    """A kind of circuit in a PE.

    part: `MAC`, `LIF` or `MEM`. count: how many a PE has. dynamic: mW while it switches in every
    cycle. leakage: µW. gated: whether its clock stops when it has nothing to do.
    """

    part: str
    name: str
    count: int
    dynamic: float
    leakage: float
    gated: bool

    @property
    def energy(self) -> float:
        """pJ for one cycle in which all `count` of them switch."""
        return self.count * self.dynamic * 1e-3 / CLOCK * 1e12

    @property
    def leakage_energy(self) -> float:
        """pJ that all `count` of them leak in one cycle."""
        return self.count * self.leakage * 1e-6 / CLOCK * 1e12


COMPONENTS = (
    Component("MAC", "AND, 8 bits", 1, 0.00235, 0.00481, gated=False),
    Component("MAC", "adder, 8 bits", 1, 0.01689, 0.0170, gated=False),
    Component("MAC", "accumulator: register, 16 bits", 1, 0.02511, 0.0402, gated=True),
    Component("LIF", "comparator, 16 bits", 1, 0.01955, 0.0182, gated=False),
    Component("LIF", "subtractor, 16 bits (as the adder)", 1, 0.0367, 0.0350, gated=False),
    Component("LIF", "membrane: register, 16 bits", 1, 0.02511, 0.0402, gated=True),
    Component("MEM", "scratchpad: registers, 8 bits", 9, 0.01249, 0.0201, gated=True),
)

PARTS = tuple(dict.fromkeys(component.part for component in COMPONENTS))

MAC_OPERATION = 0.0628
"""pJ, gated: spent only where there is an input spike."""
MEM_OPERATION = 0.281
"""pJ, gated likewise: the scratchpads of a PE."""
LIF_UPDATE = sum(c.energy for c in COMPONENTS if c.part == "LIF")
"""pJ, once per neuron and timestep."""
UNGATED_CYCLE = 0.7196
"""pJ a cycle of a PE's parts whose clock never stops, unless the whole PE's clock is stopped."""
LEAKAGE_CYCLE = 0.0017
"""pJ a cycle."""


def component_table() -> pd.DataFrame:
    """The components, one row each: part, name, count, dynamic (mW), leakage (µW), gated,
    energy (pJ for a cycle in which all of them switch), and leakage_energy (pJ a cycle)."""
    return pd.DataFrame(
        [{**asdict(c), "energy": c.energy, "leakage_energy": c.leakage_energy} for c in COMPONENTS]
    )


def leakage_shares() -> dict[str, float]:
    """Each part's share of a PE's leakage, by its components."""
    by_part = {part: sum(c.leakage_energy for c in COMPONENTS if c.part == part) for part in PARTS}
    return {part: leakage / sum(by_part.values()) for part, leakage in by_part.items()}
