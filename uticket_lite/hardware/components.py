"""What the parts of a PE cost, by SATA_Sim's public configuration.

SATA_Sim (Yin et al., arXiv 2204.05422; `sata-config.yaml` and `hw_kernels.py` of its repository)
gives the parts and their power for a clock of 400 MHz; it does not state the technology node of
a PE. Its array has 8 × 16 of them. Power at a fixed clock is energy per cycle: 1 mW at 400 MHz is
2.5 pJ a cycle. Every figure of a PE follows from these parts: what a spike costs, what a neuron's
update costs, what a cycle costs while the clock runs, and what leaks.
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


BYTE = (0.01249, 0.0201)
"""mW and µW of a register of 8 bits, of which scratchpads are made."""
COMPONENTS = (
    Component("MAC", "AND, 8 bits", 1, 0.00235, 0.00481, gated=False),
    Component("MAC", "adder, 8 bits", 1, 0.01689, 0.0170, gated=False),
    Component("MAC", "accumulator: register, 16 bits", 1, 0.02511, 0.0402, gated=True),
    Component("LIF", "comparator, 16 bits", 1, 0.01955, 0.0182, gated=False),
    Component("LIF", "subtractor, 16 bits", 1, 0.0367, 0.0350, gated=False),
    Component("LIF", "threshold: register, 4 bits", 1, 0.00637, 0.0102, gated=True),
    Component("LIF", "membrane: register, 8 bits", 1, *BYTE, gated=True),
    Component("MEM", "scratchpad for spikes: registers, 8 bits", 9, *BYTE, gated=False),
    Component("MEM", "scratchpad for weights: registers, 8 bits", 9, *BYTE, gated=True),
    Component("MEM", "scratchpad for partial sums: registers, 8 bits", 8, *BYTE, gated=False),
)

PARTS = tuple(dict.fromkeys(component.part for component in COMPONENTS))


def _operation(part: str) -> float:
    """pJ: the part's gated circuits, which switch only when they have something to do."""
    return sum(c.energy for c in COMPONENTS if c.gated and c.part == part)


MAC_OPERATION, LIF_UPDATE, MEM_OPERATION = (_operation(part) for part in PARTS)
"""pJ: for an input spike; for a neuron's update, once per timestep; in the scratchpads, for an
input spike."""
UNGATED_CYCLE = sum(c.energy for c in COMPONENTS if not c.gated)
"""pJ a cycle of a PE's parts whose clock never stops, unless the whole PE's clock is stopped."""
LEAKAGE_CYCLE = sum(c.leakage_energy for c in COMPONENTS)
"""pJ a cycle."""


def component_table() -> pd.DataFrame:
    """The components, one row each: part, name, count, dynamic (mW), leakage (µW), gated,
    energy (pJ for a cycle in which all of them switch), and leakage_energy (pJ a cycle)."""
    return pd.DataFrame(
        [{**asdict(c), "energy": c.energy, "leakage_energy": c.leakage_energy} for c in COMPONENTS]
    )


def cycle_shares(clocked: bool) -> dict[str, float]:
    """Each part's share of what a PE spends in a cycle without a spike.

    clocked: whether the clock runs, so that parts that are not gated switch; else they leak only.
    """

    def spent(c: Component) -> float:
        return c.leakage_energy + (c.energy if clocked and not c.gated else 0)

    whole = sum(map(spent, COMPONENTS))
    return {part: sum(spent(c) for c in COMPONENTS if c.part == part) / whole for part in PARTS}
