"""Points of a sweep, run: on counts alone in one compiled kernel, or by `simulate`."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.energy import gating_ratio, pe_energy
from uticket_lite.kernels.sweeping import sweep_pes
from uticket_lite.simulation.grid import Block, Grid
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
    tables = []
    while first < last:
        number, begin = divmod(first, grid.per_block)
        end = min(begin + last - first, grid.per_block)
        tables.append(_run_block(grid, grid.blocks[number], begin, end))
        first += end - begin
    return pd.concat(tables, ignore_index=True)


def _run_block(grid: Grid, block: Block, begin: int, end: int) -> pd.DataFrame:
    """The rows of some points of one block."""
    seed, pe = np.divmod(np.arange(begin, end), len(grid.n_pe))
    seeds, n_pe = grid.seeds[seed], grid.n_pe[pe]
    # Points that share their seed: the filters' order is chosen once for all of them.
    cuts = np.flatnonzero(np.diff(seed)) + 1
    firsts = seeds[np.concatenate([[0], cuts])].tolist()
    together = list(zip(firsts, np.split(n_pe, cuts), strict=True))
    figures = _on_counts if on_counts(block) else _simulated
    return pd.DataFrame({**grid.axes(block, seeds, n_pe), **figures(grid, block, together)})


def _on_counts(grid: Grid, block: Block, together: Seeds) -> Figures:
    """What `Report` says, computed the same way, for many points at once."""
    ticket, how = grid.tickets[block.ticket], block.strategy
    filters = ticket.filters(ticket.counted)
    parts = [
        sweep_pes(counts, filters.starts, n_pe, how.each, how.barrier, how.ahead)
        for counts, n_pe in _dealt_counts(grid, block, together)
    ]
    work, latency, utilization = (np.concatenate(part) for part in zip(*parts, strict=True))
    if grid.cycles == "full":
        cycles = filters.positions * ticket.timesteps
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
    figures["sparsity"] = np.full(len(figures["energy"]), ticket.sparsity)
    return figures


def _dealt_counts(
    grid: Grid, block: Block, together: Seeds
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The filters' counts in the order in which they are dealt, with the numbers of PEs."""
    ticket, fixed = grid.tickets[block.ticket], False
    filters = ticket.filters(ticket.counted)
    given = counts = filters.counts
    for seed, n_pe in together:
        if not fixed:
            order, fixed = _order(block.strategy, filters, seed)
            counts = given if order is None else given[order]
        yield counts, n_pe


def _order(strategy: Strategy, filters: Filters, seed: int) -> tuple[np.ndarray | None, bool]:
    """The order for a seed, and whether it is that for every other: nothing random was drawn."""
    rng = seeded_rng(seed, "")
    before = rng.bit_generator.state
    order = ordered(strategy, filters, lambda: rng)
    return order, rng.bit_generator.state == before


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
