"""What a sweep has found so far, a cell for each configuration: from a table, from a folder that
another process still fills, or as the sweep goes on here."""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from uticket_lite.simulation.rows import NAME, QUESTION

FIGURES = ("utilization", "latency", "energy", "idle", "work")
KEY = ("ticket", "mapping", "strategy", "n_pe", "gating")
LOOK = 1.0
"""Seconds between looks into a folder that is still written."""


class Key(NamedTuple):
    """Which configuration, whatever the seed; fields are columns of a sweep."""

    ticket: str
    mapping: str
    strategy: str
    n_pe: int
    gating: str


@dataclass
class Cell:
    """What several seeds found: how many, and sum, least and most of each of `FIGURES`."""

    seeds: int
    total: np.ndarray
    least: np.ndarray
    most: np.ndarray

    def mean(self, figure: str) -> float:
        """The mean over seeds; NaN where it is not known."""
        return float(self.total[FIGURES.index(figure)]) / self.seeds

    def span(self, figure: str) -> tuple[float, float]:
        """The least and the most."""
        at = FIGURES.index(figure)
        return float(self.least[at]), float(self.most[at])


@dataclass
class Cells:
    """Cells by their keys, and the axes that they span, each in the order in which it was met.

    names: of all tickets that there will be, as they are grouped to runs by these. runs: run to
    the tickets met, from dense to sparse. sparsities: ticket to the share of weights pruned.
    rows: how many were taken in; whole: how many there will be, 0 if that is not known.
    """

    names: Sequence[str]
    cells: dict[Key, Cell] = field(default_factory=dict)
    sparsities: dict[str, float] = field(default_factory=dict)
    runs: dict[str, list[str]] = field(default_factory=dict)
    mappings: list[str] = field(default_factory=list)
    strategies: list[str] = field(default_factory=list)
    n_pe: list[int] = field(default_factory=list)
    gating: list[str] = field(default_factory=list)
    rows: int = 0
    whole: int = 0

    def expect(
        self,
        sparsities: Mapping[str, float],
        mappings: list[str],
        strategies: list[str],
        n_pe: list[int],
        gating: list[str],
    ) -> None:
        """Widen the axes."""
        if sparsities.keys() - self.sparsities.keys():
            self.sparsities.update(sparsities)
            self.runs = {}
            for name, tickets in runs_among(self.names).items():
                met = [ticket for ticket in tickets if ticket in self.sparsities]
                if met:
                    self.runs[name] = sorted(met, key=self.sparsities.__getitem__)
        self.mappings.extend(name for name in mappings if name not in self.mappings)
        self.strategies.extend(name for name in strategies if name not in self.strategies)
        self.gating.extend(name for name in gating if name not in self.gating)
        self.n_pe = sorted({*self.n_pe, *n_pe})

    def add(self, table: pd.DataFrame) -> None:
        """Take in rows of a sweep."""
        met = {name: table[name].unique().tolist() for name in KEY}
        sparsities = table.drop_duplicates("ticket").set_index("ticket")["ticket_sparsity"]
        self.expect(
            {str(name): float(value) for name, value in sparsities.items()},
            met["mapping"],
            met["strategy"],
            met["n_pe"],
            met["gating"],
        )
        grouped = table.groupby(list(KEY), observed=True, sort=False)
        numbers = grouped.size().to_numpy()
        # Of energies one that is not known makes the mean unknown; pandas would pass over it.
        unknown = grouped["energy"].count().to_numpy() < numbers
        parts = [getattr(grouped[list(FIGURES)], how)() for how in ("sum", "min", "max")]
        keys = [Key(*key) for key in parts[0].index]
        arrays = [part.to_numpy(float) for part in parts]
        arrays[0][unknown, FIGURES.index("energy")] = np.nan
        for key, seeds, *found in zip(keys, numbers.tolist(), *arrays, strict=True):
            if cell := self.cells.get(key):
                cell.seeds += seeds
                cell.total = cell.total + found[0]
                cell.least = np.fmin(cell.least, found[1])
                cell.most = np.fmax(cell.most, found[2])
            else:
                self.cells[key] = Cell(seeds, *found)
        self.rows += len(table)


def runs_among(names: Iterable[str]) -> dict[str, list[str]]:
    """Runs to their tickets, by the tickets' names.

    Those that differ in a number at the end are of one run: `digits-lth round 3` of `digits-lth`.
    If no two do, all are of one run.
    """
    runs: dict[str, list[str]] = {}
    for name in names:
        run = re.sub(r"[\s:_-]*(round)?[\s:_-]*\d+$", "", name)
        runs.setdefault(run or "tickets", []).append(name)
    if all(len(tickets) == 1 for tickets in runs.values()):
        return {"tickets": [ticket for tickets in runs.values() for ticket in tickets]}
    return runs


def pruned(cells: Cells, tickets: Sequence[str]) -> dict[str, str]:
    """Each ticket's percentage of weights pruned, in as many digits as tell them apart; with its
    name where none do."""
    percent = {ticket: 100 * cells.sparsities[ticket] for ticket in tickets}
    for digits in (1, 2, 3):
        labels = {ticket: f"{value:.{digits}f}" for ticket, value in percent.items()}
        if len(set(labels.values())) == len(labels):
            return labels
    return {ticket: f"{ticket}: {value:.1f}" for ticket, value in percent.items()}


class Folder:
    """The Parquet files of a sweep, read as they come.

    Raises ValueError where there are none, as in a folder of other things; ImportError without
    pyarrow.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: set[Path] = set()
        question = folder / QUESTION
        asked = json.loads(question.read_text(encoding="utf-8")) if question.is_file() else {}
        self.whole = int(asked.get("rows", 0))
        """How many rows the sweep will have; 0 if that is not known."""
        self.names = list(asked.get("tickets", {}))
        """Its tickets'; none if they are not known."""
        if not self._new():
            raise ValueError(
                f"folder {folder} holds no rows of a sweep; if one has just begun, try again in a "
                "moment"
            )

    def _new(self) -> list[Path]:
        return sorted(
            path
            for path in self.folder.glob("*.parquet")
            if path not in self._read and (not self.whole or re.fullmatch(NAME, path.name))
        )

    def new(self) -> Iterator[pd.DataFrame]:
        """The rows of files that were not there before."""
        for path in self._new():
            self._read.add(path)
            yield pd.read_parquet(path)

    def coming(self, more: Callable[[], bool]) -> Iterator[pd.DataFrame]:
        """Rows, as files come, while there will be more."""
        while more():
            time.sleep(LOOK)
            yield from self.new()
