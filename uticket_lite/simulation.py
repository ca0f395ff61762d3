"""Run a ticket on an accelerator: `simulate` → `Report`; also `balance` and `compare`."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from uticket_lite import metrics
from uticket_lite.accelerator import Accelerator
from uticket_lite.energy import pe_energy
from uticket_lite.errors import one_of, whole_number
from uticket_lite.strategies import STRATEGIES, Strategy
from uticket_lite.ticket import Layer, Ticket
from uticket_lite.workload import loads

CYCLES = {
    "full": "a non-zero costs one cycle per output position and timestep (the paper)",
    "weights": "a non-zero costs one cycle (the released code)",
}


@dataclass(frozen=True, eq=False)
class Report:
    """What `simulate` found; cycles are PE clock cycles in the unit that `cycles` names.

    ticket: as it ran (balanced, if the strategy changes masks). loads: layer name to the
    non-zeros of each PE in each wave, int64 (waves, n), after ordering. orders: layer name to
    the permutation of its filters, for strategies that have one.
    """

    ticket: Ticket
    accelerator: Accelerator
    strategy: Strategy
    cycles: str
    loads: Mapping[str, np.ndarray]
    orders: Mapping[str, np.ndarray]

    @cached_property
    def layers(self) -> pd.DataFrame:
        """One row per counted layer: parameters, nonzeros, sparsity, waves, work, idle, latency
        (cycles), utilization (exact), energy (Eq. 3; NaN without spike sparsity), empty."""
        return pd.DataFrame([self._row(name) for name in self.loads]).set_index("layer")

    def _row(self, name: str) -> dict[str, object]:
        layer, table = self.ticket.layers[name], self.loads[name]
        cycles = layer.positions * self.ticket.timesteps if self.cycles == "full" else 1
        work = metrics.work_cycles(table) * cycles
        latency = metrics.latency_cycles(table) * cycles
        idle = self.accelerator.n_pe * latency - work
        spikes = layer.spike_sparsity
        return {
            "layer": name,
            "parameters": layer.size,
            "nonzeros": layer.nonzeros,
            "sparsity": layer.sparsity,
            "waves": len(table),
            "work": work,
            "idle": idle,
            "latency": latency,
            "utilization": metrics.utilization(table),
            "energy": np.nan if spikes is None else pe_energy(work, idle, spikes),
            "empty": layer.nonzeros == 0,
        }

    @property
    def work(self) -> int:
        """PE-cycles spent working, over all layers."""
        return int(self.layers["work"].sum())

    @property
    def idle(self) -> int:
        """PE-cycles spent waiting for the slowest PE, over all layers."""
        return int(self.layers["idle"].sum())

    @property
    def latency(self) -> int:
        """Cycles from the first wave to the last; n·latency = work + idle."""
        return int(self.layers["latency"].sum())

    @property
    def energy(self) -> float:
        """Energy of the PE array (Eq. 3), in one PE's dynamic energy per input spike.

        NaN if the spike sparsity of a layer is not known.
        """
        return float(self.layers["energy"].sum(skipna=False))

    @property
    def utilization(self) -> float:
        """Eq. 2 as the paper averages it: exact means, layers weighted by parameters."""
        return self.utilization_as()

    def utilization_as(self, rounding: str = "exact", average: str = "parameters") -> float:
        """Eq. 2 under another convention.

        rounding: `exact` or `ceil` (see `metrics.wave_utilization`). average: `parameters`,
        `layers` (unweighted, the released code) or `cycles` (from total work and latency;
        it has no use for rounding).
        """
        one_of("rounding", rounding, metrics.ROUNDINGS)
        one_of("average", average, metrics.AVERAGES)
        if average == "cycles":
            return metrics.cycle_utilization(self.work, self.latency, self.accelerator.n_pe)
        values = [metrics.utilization(table, rounding) for table in self.loads.values()]
        weights = self.layers["parameters"] if average == "parameters" else None
        return float(np.average(values, weights=weights))

    def __repr__(self) -> str:
        return (
            f"Report({self.strategy.name} on {self.accelerator.n_pe} PEs: utilization "
            f"{self.utilization:.3f}, latency {self.latency:,}, work {self.work:,}, "
            f"idle {self.idle:,} cycles)"
        )


def balance(
    ticket: Ticket,
    accelerator: Accelerator,
    strategy: str = "uticket",
    seed: int = 0,
    layers: Iterable[str] | None = None,
) -> Ticket:
    """The ticket with the masks of its counted layers (or `layers`) changed by `strategy`.

    Strategies that leave masks alone return the masks as they are. A layer's result depends
    on the seed and the layer's name, not on the other layers.
    Raises ValueError for unknown names or a strategy that the mapping does not allow.
    """
    chosen = _strategy(strategy, accelerator)
    names = ticket.counted if layers is None else ticket.names(layers)
    changed = {
        name: chosen.balance(ticket.layers[name], accelerator, _rng(seed, name)) for name in names
    }
    if chosen.changes != "mask":
        return ticket
    how = {"strategy": strategy, "n_pe": accelerator.n_pe, "mapping": accelerator.mapping}
    return ticket.with_layers(changed, balanced={**how, "seed": seed})


def simulate(
    ticket: Ticket,
    accelerator: Accelerator,
    strategy: str = "none",
    seed: int = 0,
    *,
    cycles: str = "full",
    layers: Iterable[str] | None = None,
) -> Report:
    """Run the ticket's counted layers (or `layers`) on the accelerator.

    strategy: a name from `STRATEGIES`; it may change the masks, the order of filters or the
    schedule. seed: for strategies that choose at random. cycles: `full` (default, the paper:
    a non-zero costs positions·timesteps cycles) or `weights` (1 cycle, the released code).

    Raises ValueError for unknown names or a strategy that the mapping does not allow.
    """
    one_of("cycles", cycles, CYCLES)
    chosen = _strategy(strategy, accelerator)
    names = ticket.counted if layers is None else ticket.names(layers)
    ran = balance(ticket, accelerator, strategy, seed, names)
    tables: dict[str, np.ndarray] = {}
    orders: dict[str, np.ndarray] = {}
    for name in names:
        layer: Layer = ran.layers[name]
        order = chosen.order(layer, accelerator, _rng(seed, name))
        if order is not None:
            orders[name] = order
        tables[name] = loads(layer, accelerator, order)
    return Report(ran, accelerator, chosen, cycles, tables, orders)


def compare(
    ticket: Ticket,
    accelerator: Accelerator,
    strategies: Iterable[str] | None = None,
    seed: int = 0,
    *,
    cycles: str = "full",
) -> pd.DataFrame:
    """`simulate` under several strategies (default: all that the mapping allows), one row each."""
    if strategies is None:
        strategies = [n for n, s in STRATEGIES.items() if s.objection(accelerator) is None]
    rows = []
    for name in strategies:
        report = simulate(ticket, accelerator, name, seed, cycles=cycles)
        rows.append(
            {
                "strategy": name,
                "changes": report.strategy.changes,
                "utilization": report.utilization,
                "latency": report.latency,
                "work": report.work,
                "idle": report.idle,
                "energy": report.energy,
                "sparsity": report.ticket.sparsity,
            }
        )
    return pd.DataFrame(rows).set_index("strategy")


def _strategy(name: str, accelerator: Accelerator) -> Strategy:
    strategy = STRATEGIES[one_of("strategy", name, STRATEGIES)]
    if objection := strategy.objection(accelerator):
        raise ValueError(objection)
    return strategy


def _rng(seed: int, layer: str) -> np.random.Generator:
    name = int.from_bytes(hashlib.sha256(layer.encode()).digest()[:8], "big")
    return np.random.default_rng([whole_number("seed", seed, minimum=0), name])
