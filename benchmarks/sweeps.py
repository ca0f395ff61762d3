"""Sweeps: configurations a second, what a cluster adds, and what rows cost on disk.

All on counts of synthetic VGG-16 tickets. Speeds are per second of processor time, so that other
programs on the machine matter less.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uticket_lite as ut
from benchmarks.cluster_model import Constants, sweep_seconds
from benchmarks.measure import Figure
from uticket_lite.simulation.points import run_points
from uticket_lite.simulation.rows import Rows, encode
from uticket_lite.simulation.sweeps import make_grid
from uticket_lite.simulation.workers import flow

STRATEGIES = ("none", "sort", "shuffle", "pair", "lpt", "queue")
PES = range(2, 65, 2)
SLEEP, SLEEPS = 0.25, 48


def figures() -> Iterator[Figure]:
    """All figures of the suite; takes a few minutes."""
    ticket = ut.synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0.3)
    yield from in_one_process()
    seconds, write = yield from rows(ticket)
    yield from on_a_cluster(ticket, seconds, write)
    yield from memory()


def in_one_process() -> Iterator[Figure]:
    """Every combination of numbers of PEs, strategies and 20 tickets: one seed, so that no two
    configurations have the same answer. Each strategy alone, too."""
    tickets = {
        f"ticket {seed}": ut.synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0.3, seed=seed)
        for seed in range(20)
    }
    for name, strategies in (("", STRATEGIES), *((f", {s}", (s,)) for s in STRATEGIES)):
        grid = make_grid(tickets, PES, "output-channel", strategies, 0, "paper", "full")
        run_points(grid, 0, grid.points)
        took = min(processor_time(lambda g=grid: run_points(g, 0, g.points)) for _ in range(5))
        limit = None if name else 30_000
        rate = grid.points / took
        yield Figure(f"configurations a second{name}", rate, unit="1/s", limit=limit, at_least=True)


def rows(ticket: ut.Ticket) -> Iterator[Figure]:
    """What 10,000 rows, a chunk's, cost to encode and write; returns the seconds of both."""
    grid = make_grid(ticket, PES, "output-channel", STRATEGIES, range(53), "paper", "full")
    table = run_points(grid, 0, 10_000)
    encoded = encode(table)
    encoding = min(processor_time(lambda: encode(table)) for _ in range(5))
    with tempfile.TemporaryDirectory() as folder:
        kept = Rows(folder, grid)
        began = time.perf_counter()
        for turn in range(20):
            kept.write((turn, turn + 1), encoded)
        write = (time.perf_counter() - began) / 20
    yield Figure("10,000 rows as Parquet", len(encoded) / 1e6, unit="MB")
    yield Figure("10,000 rows in memory", table.memory_usage().sum() / 1e6, unit="MB")
    yield Figure("encoding 10,000 rows", encoding)
    yield Figure("writing 10,000 rows", write)
    return encoding, write


def on_a_cluster(ticket: ut.Ticket, encoding: float, write: float) -> Iterator[Figure]:
    """What two worker processes and a scheduler add, in processor time; and the model's answers
    for 1, 2 and 4 workers beside measured ones, of chunks that sleep: they need no processor."""
    from distributed import Client, LocalCluster, wait

    grid = make_grid(ticket, PES, "output-channel", STRATEGIES, range(200), "paper", "full")
    with tempfile.TemporaryDirectory() as folder:
        alone = processor_time(lambda: write_sweep(ticket, Path(folder) / "alone", None))
        for workers in (1, 2, 4):
            with (
                LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=":0"
                ) as cluster,
                Client(cluster) as client,
            ):
                run_points(grid, 0, 64)
                client.run(run_points, grid, 0, 64)  # compile, or load
                if workers == 2:
                    idle = sum(client.run(time.process_time).values())
                    here = processor_time(lambda: time.sleep(5))
                    idle = sum(client.run(time.process_time).values()) - idle + here
                    yield Figure("processor time of 5 s of an idle cluster, 2 workers", idle)
                    before = sum(client.run(time.process_time).values())
                    here = processor_time(
                        lambda c=client: write_sweep(ticket, Path(folder) / "cluster", c)
                    )
                    spent = sum(client.run(time.process_time).values()) - before + here
                    yield Figure(
                        f"processor time of {grid.points:,} configurations, 2 workers",
                        spent, alone, "one process", limit=1.1,
                    )  # fmt: skip
                if workers == 1:
                    handing = handing_out(client, wait)
                    yield Figure("handing out a chunk and fetching it", handing)
                took = asleep(client, workers, wait)
                model = Constants(SLEEP, handing, 0.0, 0.0)
                expected = sweep_seconds(SLEEPS, workers, model)
                yield Figure(
                    f"{SLEEPS} chunks that sleep {SLEEP} s, {workers} workers",
                    took, expected, "the model", limit=1.1,
                )  # fmt: skip


def memory() -> Iterator[Figure]:
    """The most that a process holds, for 10⁴ and for 10⁶ configurations streamed to disk."""
    for seeds in (50, 5_208):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peak, points = pool.apply(streamed, (seeds,))
        yield Figure(f"most memory, {points:,} configurations", peak, unit="MB")


def streamed(seeds: int) -> tuple[float, int]:
    """Run a sweep to disk; the most memory in MB that this process held, and how many points."""
    ticket = ut.synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0.3)
    with tempfile.TemporaryDirectory() as folder:
        write_sweep(ticket, Path(folder) / "rows", None, seeds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return peak, seeds * len(PES) * len(STRATEGIES)


def write_sweep(ticket: ut.Ticket, folder: Path, client: Any, seeds: int = 200) -> None:
    """A sweep to disk and nothing else."""
    ut.sweep(
        ticket, PES, strategies=STRATEGIES, seeds=range(seeds), folder=folder, collect=False,
        client=client, progress=False,
    )  # fmt: skip


def handing_out(client: Any, wait: Callable, chunks: int = 500) -> float:
    """Processor time of client and scheduler for a chunk that does nothing."""
    spans = ((number, number + 1) for number in range(chunks))

    def submit(span: tuple[int, int]) -> Any:
        return client.submit(time.sleep, 0, pure=False)

    def all_chunks() -> None:
        for _ in flow(spans, submit, wait, client.gather, lambda: 8):
            pass

    return processor_time(all_chunks) / chunks


def asleep(client: Any, workers: int, wait: Callable) -> float:
    """Seconds of the sweep's own way of handing out, with chunks that sleep."""
    began = time.perf_counter()
    spans = ((number, number + 1) for number in range(SLEEPS))

    def submit(span: tuple[int, int]) -> object:
        return client.submit(time.sleep, SLEEP, pure=False)

    for _ in flow(spans, submit, wait, client.gather, lambda: 2 * workers):
        pass
    return time.perf_counter() - began


def processor_time(call: Callable[[], object]) -> float:
    """Seconds of this process's processor time that a call takes."""
    began = time.process_time()
    call()
    return time.process_time() - began
