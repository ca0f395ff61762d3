"""The rows of a sweep as Parquet files of a folder, one a chunk, and what the sweep asked."""

import hashlib
import inspect
import io
import json
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from uticket_lite.edge.files import write_atomically
from uticket_lite.simulation.grid import Grid, Span
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.ticket import Ticket

QUESTION = "_sweep.json"
"""Readers of Parquet folders pass over names that begin with an underscore or a point."""
NAME = r"points-(\d{12})-(\d{12})\.parquet"
LISTED = 1000
"""Seeds or numbers of PEs that are listed in the question; of more, a digest."""


class Rows:
    """A folder with `_sweep.json`, the question, and `points-FIRST-LAST.parquet`, its answers.

    Files are written whole or not at all. Their names are in the order of the rows, so that any
    Parquet reader reads the folder as the table.
    """

    def __init__(self, folder: str | os.PathLike[str], grid: Grid) -> None:
        """Look at the folder, and change nothing; ValueError if it holds something else.

        Raises ImportError without pyarrow, FileNotFoundError where the folder around is missing.
        """
        try:
            import pyarrow.parquet as _  # noqa: F401
        except ImportError:
            raise ImportError(
                "writing a sweep to a folder needs pyarrow: pip install 'uticket-lite[cluster]'"
            ) from None
        self.folder, self.grid, self.question = Path(folder), grid, question(grid)
        if not self.folder.parent.is_dir():
            raise FileNotFoundError(
                f"no folder {self.folder.parent} to make {self.folder.name} in; make it first"
            )
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise NotADirectoryError(f"{self.folder} is a file; a sweep needs a folder")
        if (self.folder / QUESTION).is_file():
            self._compare(json.loads((self.folder / QUESTION).read_text(encoding="utf-8")))
        elif any(self.folder.iterdir()):
            raise ValueError(
                f"folder {self.folder} holds other things and no sweep; name a new one"
            )

    def _compare(self, other: dict[str, Any]) -> None:
        keys = {*self.question, *other}
        changed = sorted(k for k in keys if self.question.get(k) != other.get(k))
        if changed:
            raise ValueError(
                f"folder {self.folder} holds the rows of another sweep: {', '.join(changed)} "
                f"differ (see {QUESTION} there); name another folder, or delete this one"
            )

    def spans(self) -> list[Span]:
        """The points of the files there, ascending. A file that is not whole, or repeats what
        another one holds, counts for nothing and is deleted."""
        import pyarrow
        from pyarrow import parquet

        found: list[Span] = []
        for path in sorted(self.folder.glob("points-*.parquet")):
            numbers = re.fullmatch(NAME, path.name)
            if numbers is None:
                continue
            span = int(numbers[1]), int(numbers[2])
            try:
                rows = parquet.read_metadata(path).num_rows
            except (pyarrow.ArrowException, OSError):
                rows = -1
            whole = rows == (span[1] - span[0]) * len(self.grid.gating)
            if whole and (not found or found[-1][1] <= span[0]):
                found.append(span)
            else:
                path.unlink()
        return found

    def open(self) -> None:
        """Make the folder and its question, if they are not there."""
        self.folder.mkdir(exist_ok=True)
        text = json.dumps(self.question, indent=1) + "\n"
        write_atomically(self.folder / QUESTION, text.encode())

    def write(self, span: Span, encoded: bytes) -> None:
        """Keep the rows of a chunk, as `encode` gave them."""
        write_atomically(self._path(span), encoded)

    def read(self) -> pd.DataFrame:
        """All rows there, in their order."""
        tables = [pd.read_parquet(self._path(span)) for span in self.spans()]
        return pd.concat(tables, ignore_index=True)

    def _path(self, span: Span) -> Path:
        return self.folder / f"points-{span[0]:012d}-{span[1]:012d}.parquet"


def encode(table: pd.DataFrame) -> bytes:
    """The table as a Parquet file."""
    content = io.BytesIO()
    table.to_parquet(content, index=False, compression="zstd")
    return content.getvalue()


def question(grid: Grid) -> dict[str, Any]:
    """What decides the rows of a sweep, for JSON; of tickets and strategies a digest."""
    from uticket_lite import __version__

    return {
        "version": __version__,
        "tickets": {name: _ticket_digest(ticket) for name, ticket in grid.tickets.items()},
        "mappings": list(grid.mappings),
        "strategies": {s.name: _strategy_digest(s) for s in grid.strategies},
        "seeds": _axis(grid.seeds),
        "n_pe": _axis(grid.n_pe),
        "gating": list(grid.gating),
        "cycles": grid.cycles,
        "rows": grid.rows,
    }


def _axis(values: np.ndarray) -> Any:
    if len(values) <= LISTED:
        return values.tolist()
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    ends = {"first": int(values[0]), "last": int(values[-1])}
    return {"number": len(values), **ends, "sha256": digest}


def _ticket_digest(ticket: Ticket) -> str:
    digest = hashlib.sha256(repr((ticket.timesteps, ticket.ties)).encode())
    for name in ticket.counted:
        layer = ticket.layers[name]
        about = name, layer.shape, layer.positions, layer.spike_sparsity
        digest.update(repr(about).encode())
        digest.update(layer.counts.tobytes())
        if not layer.counts_only:
            digest.update(layer.bits.tobytes())
        if layer.magnitudes is not None:
            digest.update(layer.magnitudes.tobytes())
    return digest.hexdigest()


def _strategy_digest(strategy: Strategy) -> str:
    """Of its fields and, where it can be read, its source: a cell may have changed either."""
    digest = hashlib.sha256()
    for field in fields(strategy):
        value = getattr(strategy, field.name)
        digest.update(repr(getattr(value, "__qualname__", value)).encode())
    for part in type(strategy).__mro__:
        if issubclass(part, Strategy) and part is not Strategy:
            try:
                digest.update(inspect.getsource(part).encode())
            except (OSError, TypeError):  # typed into a prompt
                digest.update(part.__qualname__.encode())
    return digest.hexdigest()
