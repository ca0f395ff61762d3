"""What running a ticket gives: cycles, utilization, energy, by layer and in all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from uticket_lite.edge.checks import one_of
from uticket_lite.hardware import metrics
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.energy import breakdown, gating_ratio, pe_energy
from uticket_lite.hardware.loads import Workload
from uticket_lite.hardware.timeline import timeline
from uticket_lite.simulation.lost import lost
from uticket_lite.simulation.spread import spread
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.filters import Filters
from uticket_lite.tickets.ticket import Ticket

CYCLES = {
    "full": "a non-zero costs one cycle per output position and timestep (the paper)",
    "weights": "a non-zero costs one cycle (the released code)",
}


@dataclass(frozen=True)
class Schedule:
    """Which PE runs which filter in which wave, for the filters of all layers, int64 (filters,).

    order: the filters, numbered through all layers, in the order in which they start; parts of
    filters, part p of filter k as k·parts + p, if the strategy cuts them. wave, pe: of each.
    """

    order: np.ndarray
    wave: np.ndarray
    pe: np.ndarray


@dataclass(frozen=True, eq=False)
class Report:
    """What `simulate` found. Cycles are PE clock cycles in the unit that `cycles` names.

    given: the ticket before, ticket: as it ran (balanced, if the strategy changes masks).
    names: the layers that were run. workload: their loads. schedule: None if each filter is
    spread over all PEs (mapping `input-channel`).
    """

    given: Ticket
    ticket: Ticket
    accelerator: Accelerator
    strategy: Strategy
    cycles: str
    names: tuple[str, ...]
    workload: Workload
    schedule: Schedule | None

    @cached_property
    def _filters(self) -> Filters:
        return self.ticket.filters(self.names)

    @cached_property
    def _totals(self) -> metrics.LayerTotals:
        return metrics.layer_totals(self.workload, self.strategy.ahead)

    @cached_property
    def _cycles(self) -> np.ndarray:
        """Cycles that one non-zero costs, int64 (layers,)."""
        if self.cycles == "weights":
            return np.ones(len(self.names), np.int64)
        cycles = self._filters.positions * self.ticket.timesteps
        most = self.accelerator.n_pe * self._totals.latency + np.diff(self._filters.starts)
        if float(most.astype(float) @ cycles.astype(float)) > 2**62:
            raise ValueError(
                f"cycles do not fit 64 bits with positions up to {self._filters.positions.max():,} "
                f"and {self.ticket.timesteps:,} timesteps; look at cycles='weights' instead"
            )
        return cycles

    @cached_property
    def work(self) -> int:
        """PE-cycles spent working, over all layers."""
        return int(self._totals.work @ self._cycles)

    @cached_property
    def latency(self) -> int:
        """Cycles from the first wave to the last; n·latency = work + idle."""
        return int(self._totals.latency @ self._cycles)

    @property
    def idle(self) -> int:
        """PE-cycles spent waiting for the slowest PE, over all layers."""
        return self.accelerator.n_pe * self.latency - self.work

    @cached_property
    def energy(self) -> float:
        """Energy of the PE array (Eq. 3), in one PE's dynamic energy per input spike.

        NaN if the spike sparsity of a layer is not known.
        """
        return self.energy_as()

    def energy_as(self, gating: str = "paper") -> float:
        """`energy` under another assumption about clocks; gating: a name in `GATINGS`."""
        ratio, table = gating_ratio(gating), self.layers
        work, idle, spikes = (table[name].to_numpy() for name in ("work", "idle", "spike_sparsity"))
        return float(pe_energy(work, idle, spikes, ratio).sum())

    def breakdown(self, gating: str = "paper") -> pd.DataFrame:
        """Where the energy of each layer goes (Fig. 8), rows (layer, part); see
        `energy.breakdown` for parts, columns and `gating`."""
        table = self.layers
        filters = np.array([self.ticket.layers[name].shape[0] for name in self.names])
        updates = filters * self._cycles
        parts = {
            name: breakdown(row["work"], row["idle"], row["spike_sparsity"], neurons, gating)
            for (name, row), neurons in zip(table.iterrows(), updates, strict=True)
        }
        return pd.concat(parts, names=["layer"])

    @cached_property
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
        if rounding == "exact":
            values = self._totals.utilization
        else:
            totals = metrics.layer_totals(self.workload, self.strategy.ahead, rounding)
            values = totals.utilization
        if average == "layers":
            return float(values.mean())
        weights = self._filters.sizes
        return float((values * weights).sum() / weights.sum())

    @property
    def figures(self) -> dict[str, float]:
        """The key figures by name: utilization, latency, work, idle, energy, and the sparsity of
        the ticket as it ran."""
        return {
            "utilization": self.utilization,
            "latency": self.latency,
            "work": self.work,
            "idle": self.idle,
            "energy": self.energy,
            "sparsity": self.ticket.sparsity,
        }

    @cached_property
    def loads(self) -> Mapping[str, np.ndarray]:
        """Layer name to the non-zeros of each PE in each wave, int64 (waves, n)."""
        starts = self.workload.starts[1:-1]
        return dict(zip(self.names, np.split(self.workload.loads, starts), strict=True))

    @cached_property
    def orders(self) -> Mapping[str, np.ndarray]:
        """Layer name to the order in which its filters start, a permutation int64 (K,).

        Empty if each filter is spread over all PEs (mapping `input-channel`).
        """
        if self.schedule is None:
            return {}
        starts = self._filters.starts
        order = self.schedule.order
        if self.strategy.parts > 1:  # a filter starts with its first part
            order = np.array(list(dict.fromkeys((order // self.strategy.parts).tolist())))
        split = np.split(order, starts[1:-1])
        return {name: o - s for name, o, s in zip(self.names, split, starts[:-1], strict=True)}

    @cached_property
    def layers(self) -> pd.DataFrame:
        """One row per layer: parameters, nonzeros, sparsity, spike_sparsity (NaN if not known),
        waves, work, idle, latency (cycles), utilization (exact), energy (Eq. 3), empty."""
        layers = [self.ticket.layers[name] for name in self.names]
        spikes = self._filters.spike_sparsity
        sizes, nonzeros = self._filters.sizes, np.array([x.nonzeros for x in layers])
        work, latency = self._totals.work * self._cycles, self._totals.latency * self._cycles
        idle = self.accelerator.n_pe * latency - work
        return pd.DataFrame(
            {
                "parameters": sizes,
                "nonzeros": nonzeros,
                "sparsity": 1 - nonzeros / sizes,
                "spike_sparsity": spikes,
                "waves": np.diff(self.workload.starts),
                "work": work,
                "idle": idle,
                "latency": latency,
                "utilization": self._totals.utilization,
                "energy": pe_energy(work, idle, spikes),
                "empty": nonzeros == 0,
            },
            index=pd.Index(self.names, name="layer"),
        )

    @cached_property
    def spread(self) -> pd.DataFrame:
        """How unlike the filters of each layer are, as the ticket ran: density, filter_cov, gini,
        floor; see `spread.spread`."""
        return spread(self.ticket, self.accelerator, self.names)

    def lost(self) -> dict[str, float]:
        """Where 1 − utilization comes from: `noise`, `layers` and `filters` of the ticket that
        was given, see `lost.Lost`, and what the `strategy` makes of it: negative where it wins
        utilization back. The four add up."""
        given = lost(self.given, self.accelerator, self.names)
        parts = {"noise": given.noise, "layers": given.layers, "filters": given.filters}
        return {**parts, "strategy": given.utilization - self.utilization}

    @cached_property
    def price(self) -> dict[str, float]:
        """What the strategy changed, next to the ticket that was given.

        touched: non-zeros dropped or regrown, as a share of those given. extra: non-zeros more
        than given, as a share of those. permuted: filters that do not start in their given
        place, to be folded into the next layer. buffered: waves that a PE may run ahead.
        """
        pairs = [(self.given.layers[name], self.ticket.layers[name]) for name in self.names]
        before = sum(old.nonzeros for old, _ in pairs)
        after = sum(new.nonzeros for _, new in pairs)
        common = sum(
            new.nonzeros if old is new else int(np.bitwise_count(old.bits & new.bits).sum())
            for old, new in pairs
        )
        return {
            "touched": (before + after - 2 * common) / max(before, 1),
            "extra": (after - before) / max(before, 1),
            "permuted": sum(
                int(np.count_nonzero(order != np.arange(order.size)))
                for order in self.orders.values()
            ),
            "buffered": self.strategy.ahead,
        }

    def timeline(self, layer: str) -> pd.DataFrame:
        """When each PE works and waits in a layer: rows of pe, wave, filter, kind, start, end.

        kind: `work` or `wait`; filter: the one being worked on, −1 while waiting. start, end:
        in cycles from the layer's start. Work adds up to the layer's work, waiting to its idle.
        Raises ValueError for a layer that was not run.
        """
        number = self.names.index(one_of("layer", layer, self.names))
        if self.schedule is None:
            wave, pe = np.divmod(np.arange(self.loads[layer].size), self.accelerator.n_pe)
            filters, counts = wave, self.loads[layer].ravel()
        else:
            parts = self.strategy.parts
            items = self._filters.cut(parts)
            first, last = items.starts[[number, number + 1]]
            wave, pe = self.schedule.wave[first:last], self.schedule.pe[first:last]
            order = self.schedule.order[first:last]
            counts, filters = items.counts[order], order // parts - self._filters.starts[number]
        cycles = int(self._cycles[number])
        n, ahead = self.accelerator.n_pe, self.strategy.ahead
        return timeline(filters, counts * cycles, wave, pe, n, ahead)

    def __repr__(self) -> str:
        return (
            f"Report({self.strategy.name} on {self.accelerator.n_pe} PEs: utilization "
            f"{self.utilization:.3f}, latency {self.latency:,}, work {self.work:,}, "
            f"idle {self.idle:,} cycles)"
        )
