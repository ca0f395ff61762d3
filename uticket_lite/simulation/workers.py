"""Who runs the chunks of a sweep: this thread, threads, processes, or a Dask cluster."""

import multiprocessing
import signal
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from uticket_lite.simulation.grid import Grid, Span
from uticket_lite.simulation.points import run_points
from uticket_lite.simulation.rows import encode

if TYPE_CHECKING:
    from distributed import Client

AHEAD = 2
"""Chunks handed out per worker: one that runs, and one that waits for it."""

KEPT = "finished chunks are kept where the sweep has a folder: run it again, to go on from there"

Results: TypeAlias = Iterator[tuple[Span, Any]]


def run_chunk(grid: Grid, span: Span, encoded: bool) -> Any:
    """The rows of a chunk; as a Parquet file's content if `encoded`, which is the worker's work
    then, and not that of the one process that writes all files."""
    table = run_points(grid, *span)
    return encode(table) if encoded else table


def run_here(
    grid: Grid, spans: Iterable[Span], encoded: bool, workers: int, processes: bool
) -> Results:
    """The chunks with their results, as they finish, by threads or processes of this machine."""
    if workers == 1 and not processes:
        for span in spans:
            yield span, run_chunk(grid, span, encoded)
        return
    pool: Executor
    if processes:
        pool, submit = _processes(grid, encoded, workers)
    else:
        pool = ThreadPoolExecutor(workers)

        def submit(span: Span) -> Future:
            return pool.submit(run_chunk, grid, span, encoded)

    try:
        yield from flow(spans, submit, wait, _results, lambda: AHEAD * workers)
    except BrokenProcessPool:
        raise ChildProcessError(
            f"a worker process died (killed, or out of memory?); {KEPT}"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def flow(
    spans: Iterable[Span],
    submit: Callable[[Span], Any],
    wait: Callable[..., Any],
    results: Callable[[Sequence[Any]], Sequence[Any]],
    width: Callable[[], int],
) -> Results:
    """Keep `width` chunks handed out, and yield the finished ones with their results.

    wait, results: of futures, as in `concurrent.futures`.
    """
    coming, pending = iter(spans), dict[Any, Span]()
    while True:
        for span in islice(coming, max(width() - len(pending), 0)):
            pending[submit(span)] = span
        if not pending:
            return
        done = list(wait(list(pending), return_when=FIRST_COMPLETED).done)
        for future, result in zip(done, results(done), strict=True):
            yield pending.pop(future), result


def _results(futures: Sequence[Future]) -> list[Any]:
    return [future.result() for future in futures]


_given: tuple[Grid, bool]


def _processes(
    grid: Grid, encoded: bool, workers: int
) -> tuple[Executor, Callable[[Span], Future]]:
    """Processes that got the grid once. Spawned: a fork may copy a lock that a thread holds."""
    try:
        import cloudpickle  # takes strategies that were written in a notebook, too
    except ImportError:
        raise ImportError(
            "processes need cloudpickle: pip install 'uticket-lite[cluster]'"
        ) from None
    pool = ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=_receive,
        initargs=(cloudpickle.dumps((grid, encoded)),),
    )
    return pool, lambda span: pool.submit(_run_given, span)


def _receive(pickled: bytes) -> None:
    global _given
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    import cloudpickle

    _given = cloudpickle.loads(pickled)


def _run_given(span: Span) -> Any:
    return run_chunk(_given[0], span, _given[1])


def run_on_cluster(grid: Grid, spans: Iterable[Span], encoded: bool, client: "Client") -> Results:
    """The same by the workers of a Dask cluster.

    The grid travels as the result of a task, which a worker asks another one for when it needs
    it first: once to each worker, and it can be had again when all workers died that had it. (A
    worker that has nothing to do for a while may lose its copy to Dask's active memory manager,
    and ask again.)
    Raises ConnectionError if the scheduler is lost, ChildProcessError if a chunk kills workers.
    """
    from distributed import KilledWorker
    from distributed import wait as wait_for
    from distributed.comm import CommClosedError

    address, token = client.scheduler.address, uuid.uuid4().hex[:8]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")  # it is sent once
        travelling = client.submit(_same, grid, key=f"tickets-{token}")

    def submit(span: Span) -> Any:
        return client.submit(
            run_chunk, travelling, span, encoded, key=f"sweep-{token}-{span[0]}-{span[1]}"
        )

    def width() -> int:
        return max(AHEAD * sum(client.nthreads().values()), AHEAD)

    try:
        yield from flow(spans, submit, wait_for, client.gather, width)
    except KilledWorker as error:
        raise ChildProcessError(
            f"several workers died of the same chunk, one after the other (out of memory?); {KEPT}"
        ) from error
    except (CancelledError, OSError) as error:
        if isinstance(error, CommClosedError | CancelledError) or client.status != "running":
            raise ConnectionError(
                f"the cluster's scheduler at {address} is lost; {KEPT}"
            ) from error
        raise


def _same(grid: Grid) -> Grid:
    return grid
