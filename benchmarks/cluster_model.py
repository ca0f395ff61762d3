"""How long a sweep takes on any number of workers: a simulation, event by event."""

import heapq
import math
from typing import NamedTuple


class Constants(NamedTuple):
    """Seconds, measured by the suite `sweeps`.

    chunk: of a worker's time to run a chunk. handing: of the client's and scheduler's time to
    hand out a chunk and fetch its rows. write: to write them to disk. fetch: until a worker has
    the tickets.
    """

    chunk: float
    handing: float
    write: float
    fetch: float


def sweep_seconds(chunks: int, workers: int, constants: Constants, ahead: int = 2) -> float:
    """Seconds until all chunks are written.

    Each worker has up to `ahead` chunks. One process hands them out, fetches and writes, one
    after the other: it is what limits many workers. A worker first waits for the tickets.
    """
    desk = 0.0  # when the process that hands out is free
    free = [constants.fetch] * workers
    finishing: list[tuple[float, int]] = []
    left = chunks

    def hand_out(worker: int) -> None:
        nonlocal desk, left
        desk += constants.handing
        free[worker] = max(free[worker], desk) + constants.chunk
        heapq.heappush(finishing, (free[worker], worker))
        left -= 1

    for turn in range(min(ahead * workers, chunks)):
        hand_out(turn % workers)
    while finishing:
        finished, worker = heapq.heappop(finishing)
        desk = max(desk, finished) + constants.write
        if left:
            hand_out(worker)
    return desk


def most_workers(constants: Constants) -> int:
    """Workers that one process keeps busy; more of them wait for it."""
    return math.floor(constants.chunk / (constants.handing + constants.write))
