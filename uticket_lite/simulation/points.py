"""Points of a sweep, run: on counts alone in one compiled kernel, or by `simulate`."""

from typing import Any

import numpy as np
import pandas as pd

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.energy import gating_ratio, pe_energy
from uticket_lite.kernels.sweeping import sweep_pes
from uticket_lite.simulation.grid import COLUMNS, Block, Grid
from uticket_lite.simulation.run import seeded_rng, simulate
from uticket_lite.strategies import Strategy
from uticket_lite.strategies.checked import ordered
from uticket_lite.tickets.filters import Filters

Seeds = list[tuple[int, np.ndarray]]
"""Seeds, each with the numbers of PEs that run with it, int64."""
Figures = dict[str, np.ndarray]
"""Column of `COLUMNS` to its values: a row per seed, number of PEs and gating."""


def on_counts(block: Block) -> bool:
    """Whether the compiled kernel runs the block: the filters' counts decide everything.

    So they do for strategies that choose an order and leave the dealing to `Strategy.deal`.
    """
    strategy, mapping = block.strategy, block.mapping
    own_deal = type(strategy).deal is not Strategy.deal
    whole = strategy.changes != "mask" and strategy.parts == 1
    return mapping == "output-channel" and whole and not own_deal


def run_points(grid: Grid, first: int, last: int) -> pd.DataFrame:
    """The rows of points first … last − 1; columns: `COLUMNS`."""
    parts = []
    while first < last:
        number, begin = divmod(first, grid.per_block)
        end = min(begin + last - first, grid.per_block)
        parts.append(_run_block(grid, grid.blocks[number], begin, end))
        first += end - begin
    return grid.table({name: np.concatenate([part[name] for part in parts]) for name in COLUMNS})


def _run_block(grid: Grid, block: Block, begin: int, end: int) -> Figures:
    """The rows of some points of one block."""
    seed, pe = np.divmod(np.arange(begin, end), len(grid.n_pe))
    seeds, n_pe = grid.seeds[seed], grid.n_pe[pe]
    # Points that share their seed: the filters' order is chosen once for all of them.
    cuts = np.flatnonzero(np.diff(seed)) + 1
    firsts = seeds[np.concatenate([[0], cuts])].tolist()
    together = list(zip(firsts, np.split(n_pe, cuts), strict=True))
    figures = _on_counts if on_counts(block) else _simulated
    return {**grid.axes(block, seeds, n_pe), **figures(grid, block, together)}


def _on_counts(grid: Grid, block: Block, together: Seeds) -> Figures:
    """What `Report` says, computed the same way, for many points at once."""
    filters = grid.filters[block.ticket]
    parts = _totals(block.strategy, filters, together)
    work, latency, utilization = (np.concatenate(part) for part in zip(*parts, strict=True))
    if grid.cycles == "full":
        cycles = filters.positions * grid.tickets[block.ticket].timesteps
        work, latency = work * cycles, latency * cycles
    n_pe = np.concatenate([n_pe for _, n_pe in together])
    idle = n_pe[:, None] * latency - work
    sizes, spikes = filters.sizes, filters.spike_sparsity
    energy = [pe_energy(work, idle, spikes, gating_ratio(name)).sum(axis=1) for name in grid.gating]
    once = {
        "utilization": (utilization * sizes).sum(axis=1) / sizes.sum(),
        "latency": latency.sum(axis=1),
        "work": work.sum(axis=1),
        "idle": idle.sum(axis=1),
    }
    figures = {name: np.repeat(values, len(grid.gating)) for name, values in once.items()}
    figures["energy"] = np.stack(energy, axis=1).ravel()
    figures["sparsity"] = np.full(len(figures["energy"]), grid.sparsities[block.ticket])
    return figures


def _totals(how: Strategy, filters: Filters, together: Seeds) -> list[Any]:
    """What `sweep_pes` says for each seed; found once where nothing random is drawn."""
    parts: list[Any] = []
    counts, fixed, before = filters.counts, False, np.empty(0)
    for seed, n_pe in together:
        if fixed and np.array_equal(n_pe, before):
            parts.append(parts[-1])
            continue
        if not fixed:
            order, fixed = _order(how, filters, seed)
            counts = filters.counts if order is None else filters.counts[order]
        before = n_pe
        parts.append(sweep_pes(counts, filters.starts, n_pe, how.each, how.barrier, how.ahead))
    return parts


def _order(strategy: Strategy, filters: Filters, seed: int) -> tuple[np.ndarray | None, bool]:
    """The order for a seed, and whether it is that for every other: nothing random was drawn."""
    rngs: list[np.random.Generator] = []

    def make() -> np.random.Generator:
        rngs.append(seeded_rng(seed, ""))
        return rngs[0]

    order = ordered(strategy, filters, make)
    return order, not rngs or _state(rngs[0]) == _state(seeded_rng(seed, ""))


def _state(rng: np.random.Generator) -> Any:
    return rng.bit_generator.state


def _simulated(grid: Grid, block: Block, together: Seeds) -> Figures:
    """The same, point by point."""
    ticket, rows = grid.tickets[block.ticket], []
    for seed, n_pe in together:
        for n in n_pe.tolist():
            accelerator = Accelerator(n, block.mapping)
            report = simulate(ticket, accelerator, block.strategy, seed, cycles=grid.cycles)
            for name in grid.gating:
                rows.append({**report.figures, "energy": report.energy_as(name)})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
