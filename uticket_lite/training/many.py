"""Many runs at once: on processes of this machine, or on a Dask cluster."""

import multiprocessing
import os
import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from uticket_lite.edge.checks import instance, one_of, whole_number
from uticket_lite.edge.lock import InUse
from uticket_lite.edge.processors import processors, sleep_while_waiting
from uticket_lite.strategies import Strategy
from uticket_lite.training.lottery import find_tickets
from uticket_lite.training.record import LotteryRun
from uticket_lite.training.settings import Settings
from uticket_lite.training.setup import Balance

if TYPE_CHECKING:
    from distributed import Client

ATTEMPTS = 5
"""How often runs are begun again after their worker has died, before that is an error."""
WAIT = 0.5
"""Seconds between looks whether a run is still owned by another worker."""


def find_tickets_many(
    settings: Mapping[str, Settings],
    *,
    out: str | os.PathLike[str],
    client: "Client | None" = None,
    processes: int | None = None,
    threads: int = 1,
    strategy: Strategy | Balance | Mapping[str, Strategy | Balance] | None = None,
    progress: bool = True,
) -> dict[str, LotteryRun]:
    """`find_tickets` for several settings, seeds or methods or networks, at once.

    settings: name to settings. out: each run is kept in the directory `out/name`, with its own
    checkpoint; a run whose worker is killed goes on from there on another, and the same call
    goes on with what is not finished. On a cluster it is one that all workers see, under the same
    path, as data sets are. client: of a Dask cluster (`pip install "uticket-lite[cluster]"`);
    default processes of this machine, as many as there are cores, or `processes`. threads: of
    torch in each run; its tickets are those of `find_tickets` with as many. strategy: balances in
    the place of every method, as in `find_tickets`, or, by their names, of some runs'; it is sent
    to the workers, so that one written in a notebook may be taken (with cloudpickle, which the
    extra "cluster" brings).

    Returns name to run. An error in one lets the others end first. Raises ValueError for names
    that are no plain directory names or of no run, and as `find_tickets`; RuntimeError where
    workers die again and again.
    """
    whole_number("threads", threads)
    for name, one in settings.items():
        instance(f"settings of {name!r}", one, Settings, "Settings(seed=1), say")
        if not name or Path(name).name != name or name in (".", ".."):
            raise ValueError(f"the name of a run is that of its directory; {name!r} cannot be")
    root = Path(out).absolute()
    own = strategy if isinstance(strategy, Mapping) else dict.fromkeys(settings, strategy)
    for name in own:
        one_of("run", name, settings)
    calls = {
        name: (one, str(root / name), threads, _packed(own.get(name)))
        for name, one in settings.items()
    }
    if client is None:
        number = whole_number("processes", processes or min(processors(), max(len(calls), 1)))
        ends = _on_processes(calls, number)
    else:
        ends = _on_cluster(calls, client)
    errors: dict[str, BaseException] = {}
    with tqdm(total=len(calls), unit="run", disable=not progress) as bar:
        for name, error in ends:
            if error is not None:
                errors[name] = error
            bar.set_postfix_str(name, refresh=False)
            bar.update()
    for name, error in errors.items():
        error.add_note(f"in run {name!r}; {len(calls) - len(errors)} of {len(calls)} are finished")
        raise error
    return {name: LotteryRun.read(root / name) for name in calls}


Calls = Mapping[str, tuple[Settings, str, int, bytes]]
Ends = Iterator[tuple[str, BaseException | None]]


def one_run(settings: Settings, out: str, threads: int, sent: bytes) -> None:
    """A run in this process; waits for a worker that was given up but still trains it."""
    strategy = pickle.loads(sent)
    while True:
        try:
            find_tickets(settings, out=out, progress=False, threads=threads, strategy=strategy)
            return
        except InUse:
            time.sleep(WAIT)


def _packed(strategy: Strategy | Balance | None) -> bytes:
    """What workers unpack, also where they cannot import it."""
    if strategy is None:
        return pickle.dumps(None)
    try:
        import cloudpickle
    except ImportError:
        raise ImportError(
            "strategies travel with cloudpickle: pip install 'uticket-lite[cluster]'"
        ) from None
    return cloudpickle.dumps(strategy)


def _on_processes(calls: Calls, processes: int) -> Ends:
    left = dict(calls)
    for _ in range(ATTEMPTS):
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        with ProcessPoolExecutor(processes, context, initializer=sleep_while_waiting) as pool:
            futures = {pool.submit(one_run, *call): name for name, call in left.items()}
            for name, error in _ends(futures, as_completed):
                if not isinstance(error, BrokenProcessPool):
                    del left[name]
                    yield name, error
        if not left:
            return
    raise RuntimeError(
        f"worker processes died {ATTEMPTS} times, out of memory perhaps; {', '.join(left)} are not "
        "finished. Run the same again with fewer processes: it goes on from the checkpoints"
    )


def _on_cluster(calls: Calls, client: "Client") -> Ends:
    from distributed import as_completed as completed

    # Dask itself gives the task of a dead worker to another one.
    futures = {client.submit(one_run, *call, pure=False): name for name, call in calls.items()}
    return _ends(futures, completed)


def _ends(futures: Mapping[Any, str], completed: Callable[[Any], Iterator[Future[None]]]) -> Ends:
    for future in completed(list(futures)):
        yield futures[future], future.exception()
