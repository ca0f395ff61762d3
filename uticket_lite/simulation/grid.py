"""The configurations of a sweep: every combination of its axes, numbered."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.filters import Filters
from uticket_lite.tickets.ticket import Ticket

Span: TypeAlias = tuple[int, int]
"""Points first … last − 1 of a grid, as (first, last)."""

COLUMNS = {
    "ticket": "the ticket's name",
    "ticket_sparsity": "pruned share of the weights of its counted layers, as given",
    "mapping": "which weights a PE holds, a name in `MAPPINGS`",
    "strategy": "the balancing strategy's name",
    "seed": "for strategies that choose at random",
    "n_pe": "number of PEs",
    "gating": "what a waiting cycle costs, a name in `GATINGS`; it decides `energy` alone",
    "utilization": "Eq. 2, 0 to 1, layers weighted by parameters",
    "latency": "cycles from the first wave to the last",
    "work": "PE-cycles spent working",
    "idle": "PE-cycles spent waiting; work + idle = n_pe · latency",
    "energy": "Eq. 3, in one PE's dynamic energy per input spike; NaN if spikes are not known",
    "sparsity": "pruned share of the weights of the counted layers, as the ticket ran",
}
"""Columns of a sweep's table to what they mean; one row a configuration."""


class Block(NamedTuple):
    """What stays the same over seeds and numbers of PEs."""

    ticket: str
    mapping: str
    strategy: Strategy


@dataclass(frozen=True, eq=False)
class Grid:
    """All combinations of the axes, except strategies on mappings where they do nothing.

    A *point* is a combination without the gating, which costs nothing to change. Points are
    numbered in the order of the axes below, the last one fastest; each has a row per gating.
    seeds, n_pe: int64 arrays.
    """

    tickets: Mapping[str, Ticket]
    mappings: tuple[str, ...]
    strategies: tuple[Strategy, ...]
    seeds: np.ndarray
    n_pe: np.ndarray
    gating: tuple[str, ...]
    cycles: str

    @cached_property
    def blocks(self) -> list[Block]:
        """Ticket, mapping and strategy of `per_block` points each."""
        return [
            Block(ticket, mapping, strategy)
            for ticket in self.tickets
            for mapping in self.mappings
            for strategy in self.strategies
            if strategy.objection(Accelerator(1, mapping)) is None
        ]

    @property
    def per_block(self) -> int:
        """Points of a block: seeds times numbers of PEs."""
        return len(self.seeds) * len(self.n_pe)

    @property
    def points(self) -> int:
        """All points."""
        return len(self.blocks) * self.per_block

    @property
    def rows(self) -> int:
        """Rows of the whole table: points times gatings."""
        return self.points * len(self.gating)

    def axes(self, block: Block, seeds: np.ndarray, n_pe: np.ndarray) -> dict[str, np.ndarray]:
        """The columns that say which configurations these are, a row per point and gating; names
        as their numbers in `names`.

        seeds, n_pe: of each point.
        """
        gatings, rows = len(self.gating), len(seeds) * len(self.gating)
        chosen = {
            "ticket": block.ticket,
            "mapping": block.mapping,
            "strategy": block.strategy.name,
        }
        return {
            **{name: np.full(rows, self._codes[name][value]) for name, value in chosen.items()},
            "ticket_sparsity": np.full(rows, self.sparsities[block.ticket]),
            "seed": np.repeat(seeds, gatings),
            "n_pe": np.repeat(n_pe, gatings),
            "gating": np.tile(np.arange(gatings), len(seeds)),
        }

    def table(self, columns: dict[str, np.ndarray]) -> pd.DataFrame:
        """The columns as a table, with names by their numbers: a byte each, where there are not
        many. Made once for many blocks, as pandas takes longer for it than they run."""
        kinds = {name: pd.CategoricalDtype(names) for name, names in self.names.items()}
        made = {
            name: pd.Categorical.from_codes(columns[name], dtype=kinds[name])
            if name in kinds
            else columns[name]
            for name in COLUMNS
        }
        return pd.DataFrame(made)

    @cached_property
    def filters(self) -> dict[str, Filters]:
        """The counted layers' filters of each ticket."""
        return {name: ticket.filters(ticket.counted) for name, ticket in self.tickets.items()}

    @cached_property
    def sparsities(self) -> dict[str, float]:
        """The sparsity of each ticket."""
        return {name: ticket.sparsity for name, ticket in self.tickets.items()}

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """What the columns of names can hold, in order."""
        return {
            "ticket": list(self.tickets),
            "mapping": list(self.mappings),
            "strategy": [strategy.name for strategy in self.strategies],
            "gating": list(self.gating),
        }

    @cached_property
    def _codes(self) -> dict[str, dict[str, int]]:
        return {
            column: {name: code for code, name in enumerate(names)}
            for column, names in self.names.items()
        }
