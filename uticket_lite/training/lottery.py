"""The lottery: train → prune → balance → rewind, round after round (Algorithm 1)."""

import os
from collections.abc import Callable, Iterator

from tqdm.auto import tqdm

from uticket_lite.strategies import Strategy
from uticket_lite.training import steps
from uticket_lite.training.checkpoint import State
from uticket_lite.training.directory import RunDirectory
from uticket_lite.training.record import LotteryRun
from uticket_lite.training.settings import Settings
from uticket_lite.training.setup import Balance, Setup, set_up
from uticket_lite.training.threads import using_threads


def lottery(setup: Setup, state: State) -> Iterator[State]:
    """Algorithm 1, on from a state: yields the state after every epoch or part of a
    long one, and between rounds."""
    settings = setup.settings
    while state.round < settings.rounds:
        while state.epoch < settings.epochs_of(state.round):
            state = steps.train(setup, state)
            yield state
        state = steps.record(setup, state)
        if state.round < settings.rounds:
            pruned = steps.prune(setup, state)
            balanced = steps.balance(setup, state, pruned)
            state = steps.rewind(setup, state, pruned, balanced)
        yield state


def find_tickets(
    settings: Settings,
    *,
    out: str | os.PathLike[str] | None = None,
    progress: bool = True,
    threads: int = 1,
    strategy: Strategy | Balance | None = None,
    after_round: Callable[[LotteryRun], None] | None = None,
) -> LotteryRun:
    """Train, prune, balance and rewind for all rounds of `settings`.

    out: a directory for tickets, history, weights, and a checkpoint after every epoch, in long
    ones every five minutes (see `training.directory`). A run that was stopped or killed goes on
    from its checkpoint when it is called with the same settings and directory, and ends as if it
    had never stopped; a finished one is read. progress: show a bar with round, epoch, accuracy and
    time left. strategy: balances each round's ticket in the place of the method's; a `Strategy`, or
    a function of ticket, accelerator and seed that gives the balanced ticket, as `ut.balance` does.
    after_round: called with the run so far after each round, to draw it, say.
    Interrupting it (Ctrl-C, or stopping the cell) returns the finished rounds. Runs on a GPU if
    torch finds one.

    threads: of torch while it trains, at most as many as are granted; recorded. More are quicker
    for large networks, but add up in another order, and so in the end give other tickets: the
    same settings give the same tickets, stopped on the way or not, on the same kind of processor
    with the same versions and the same number of threads, whatever torch or OMP_NUM_THREADS say.

    Raises ValueError if `out` holds a run with other settings, another run is writing to it, or
    its checkpoint is damaged, and OSError where a checkpoint cannot be written.
    """
    directory = None if out is None else RunDirectory(out, settings, strategy)
    if directory is not None and directory.finished is not None:
        return directory.finished
    with using_threads(threads):
        setup = set_up(settings, strategy)
        if directory is None:
            return _play(setup, setup.first_state(), None, progress, after_round)
        with directory.owned():
            if directory.finished is None:
                return _play(setup, directory.resume(setup), directory, progress, after_round)
    return directory.finished


def _play(
    setup: Setup,
    state: State,
    directory: RunDirectory | None,
    progress: bool,
    after_round: Callable[[LotteryRun], None] | None,
) -> LotteryRun:
    """The lottery with a bar, kept in a directory, until its end or an interruption."""
    settings = setup.settings
    total = sum(map(settings.epochs_of, range(settings.rounds)))
    done = sum(map(settings.epochs_of, range(state.round))) + state.epoch
    run = _run(setup, state)
    try:
        with tqdm(total=total, initial=done, unit="epoch", disable=not progress) as bar:
            for after in lottery(setup, state):
                bar.set_postfix(_standing(after), refresh=False)
                bar.update(after.epoch - state.epoch if after.round == state.round else 0)
                new_round, state = after.round > state.round, after
                run = _run(setup, state)
                if directory is not None:
                    directory.keep(state)
                if new_round and after_round is not None:
                    after_round(run)
    except KeyboardInterrupt:
        print(_where(run, settings, directory))
    if directory is not None and run.rows:
        directory.finish(run)
    return run


def _run(setup: Setup, state: State) -> LotteryRun:
    """The finished rounds of a state."""
    images = {"train": len(setup.data.train_images), "test": len(setup.data.test_images)}
    return LotteryRun(
        setup.settings,
        images,
        list(state.tickets),
        list(state.rows),
        rewound=state.rewound,
        trained=state.trained,
        probes=dict(state.probes),
        strategy=setup.strategy,
    )


def _standing(state: State) -> dict[str, object]:
    """Round, epoch and the last round's accuracy, for the progress bar."""
    accuracy = state.rows[-1]["accuracy"] if state.rows else "?"
    return {"round": state.round, "epoch": state.epoch, "accuracy": accuracy}


def _where(run: LotteryRun, settings: Settings, directory: RunDirectory | None) -> str:
    """What an interrupted run says."""
    goes_on = "" if directory is None else "; the same call goes on from its checkpoint"
    if not run.rows:
        return f"interrupted before round 0 was finished: there is no ticket yet{goes_on}"
    return f"interrupted: {len(run.rows)} of {settings.rounds} rounds are finished{goes_on}"
