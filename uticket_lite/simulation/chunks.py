"""A sweep in chunks: how many points each, who runs them, and where their rows go."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from uticket_lite.simulation.grid import COLUMNS, Grid, Span
from uticket_lite.simulation.points import on_counts, run_points
from uticket_lite.simulation.rows import Rows
from uticket_lite.simulation.workers import run_here, run_on_cluster

if TYPE_CHECKING:
    from distributed import Client

SECONDS = 0.25
"""What a chunk should take: long beside what handing it out costs (3 ms on a cluster), short
beside what is lost when a worker dies."""
LONGEST, CHUNKS = 4.0, 1000
"""Sweeps of more than `CHUNKS` such chunks have longer ones, up to `LONGEST` seconds: one process
hands all of them out and writes their rows."""
MOST = 1 << 17
"""Points of a chunk at most, so that its rows take little memory."""


def run_chunks(
    grid: Grid,
    folder: str | os.PathLike[str] | None,
    collect: bool,
    workers: int,
    processes: bool,
    client: "Client | None",
    progress: bool,
) -> pd.DataFrame:
    """Run the grid; arguments and result as of `sweep`."""
    from tqdm.auto import tqdm

    rows = None if folder is None else Rows(folder, grid)
    done = [] if rows is None else rows.spans()
    left = list(gaps(done, grid.points))
    costs = seconds_per_point(grid) if left else np.empty(0)
    spans = cut(left, grid.per_block, costs, chunk_seconds(float(costs.sum()) * grid.per_block))
    if rows is not None:
        rows.open()
    encode = rows is not None
    if client is None:
        results = run_here(grid, spans, encode, workers, processes)
    else:
        results = run_on_cluster(grid, spans, encode, client)
        if progress:
            print(f"dashboard: {client.dashboard_link}")
    tables: dict[Span, pd.DataFrame] = {}
    with interrupts() as check, tqdm(
        desc="sweep", total=grid.points, initial=sum(last - first for first, last in done),
        unit=" points", unit_scale=True, delay=1, disable=not progress,
    ) as bar:  # fmt: skip
        for span, result in results:
            if rows is not None:
                rows.write(span, result)
            else:
                tables[span] = result
            bar.update(span[1] - span[0])
            check()
    if rows is None:
        return pd.concat([tables[span] for span in sorted(tables)], ignore_index=True)
    return rows.read() if collect else pd.DataFrame(columns=list(COLUMNS))


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Ctrl-C raises KeyboardInterrupt where the function given is called next; the second time, at
    once. Anywhere else, libraries that call back from C may swallow it or make another error of it.
    """
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        print("\nstopping after this chunk; Ctrl-C again: at once", file=sys.stderr)

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def found(grid: Grid) -> Iterator[pd.DataFrame]:
    """The rows of the grid, chunk after chunk, for those who look on."""
    spans = cut([(0, grid.points)], grid.per_block, seconds_per_point(grid), SECONDS)
    return (run_points(grid, *span) for span in spans)


def gaps(done: Iterable[Span], points: int) -> Iterator[Span]:
    """What ascending spans leave of 0 … points."""
    at = 0
    for first, last in [*done, (points, points)]:
        if at < first:
            yield at, first
        at = last


def chunk_seconds(work: float) -> float:
    """What a chunk should take in a sweep that takes one worker `work` seconds."""
    return min(max(SECONDS, work / CHUNKS), LONGEST)


def cut(
    left: Iterable[Span], per_block: int, seconds: np.ndarray, longest: float
) -> Iterator[Span]:
    """Cut spans into chunks of about `longest` seconds; seconds: of a point of each block."""
    for first, last in left:
        begin, at, spent = first, first, 0.0
        while at < last:
            block = at // per_block
            if begin < at and spent + seconds[block] > longest:
                yield begin, at
                begin, spent = at, 0.0
            fitting = max(int((longest - spent) / seconds[block]), 1)
            take = min(fitting, (block + 1) * per_block - at, begin + MOST - at, last - at)
            at += take
            spent += take * seconds[block]
            if at == begin + MOST or at == last:
                yield begin, at
                begin, spent = at, 0.0


def seconds_per_point(grid: Grid) -> np.ndarray:
    """What a point of each block takes, float64 (blocks,), from a trial of each combination of
    mapping and strategy on the first ticket; what a strategy does wrong shows here, before
    anything is written."""
    trials: dict[tuple[str, str], float] = {}
    sizes = []
    for number, block in enumerate(grid.blocks):
        key = block.mapping, block.strategy.name
        ticket = grid.tickets[block.ticket]
        many = on_counts(block)
        filters = ticket.filters(ticket.counted)
        sizes.append(float(filters.counts.size if many else filters.sizes.sum()))
        if key not in trials:
            first = number * grid.per_block
            trials[key] = _seconds(grid, first, len(grid.n_pe) if many else 1) / sizes[-1]
    rates = [trials[block.mapping, block.strategy.name] for block in grid.blocks]
    return np.array(rates) * sizes


def _seconds(grid: Grid, first: int, points: int) -> float:
    """Seconds of one of the points; the first run may compile."""
    run_points(grid, first, first + points)
    began = time.perf_counter()
    run_points(grid, first, first + points)
    return (time.perf_counter() - began) / points
