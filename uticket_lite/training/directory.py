"""The directory of a run: what lies where, and that one run at a time owns it.

    history.json            settings, images, versions, threads, a row per finished round; written
                            at the end or when interrupted
    round-NN.safetensors    the ticket of each finished round, see `Ticket.save`
    weights.safetensors     the network after the last finished round
    probes/step-NNNNNN.safetensors   counts of the ticket that a probe saw before that step
    checkpoint.safetensors  the whole state after the last epoch or part of one; removed at the end
    .lock                   locked by the process that trains; a killed one lets go of it

The checkpoint is the first file written and names the settings, so that a directory tells from
the first second whose it is. Files are replaced whole or not at all.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from uticket_lite.edge.lock import locked
from uticket_lite.tickets.recorded import history_file, round_file, weights_file
from uticket_lite.tickets.ticket import Ticket
from uticket_lite.training.checkpoint import State, load_checkpoint, save_checkpoint
from uticket_lite.training.record import (
    LotteryRun,
    read_probes,
    read_weights,
    strategy_name,
    write_probes,
)
from uticket_lite.training.settings import Settings
from uticket_lite.training.setup import Setup


def checkpoint_file(directory: Path) -> Path:
    """The file in a run's directory that holds its state."""
    return directory / "checkpoint.safetensors"


class RunDirectory:
    """A run's directory. finished: the run in it, if it is whole; state: else where it stands."""

    def __init__(
        self, path: str | os.PathLike[str], settings: Settings, strategy: object = None
    ) -> None:
        """Look what it holds; ValueError if that is a run with other settings or none that can go
        on. strategy: balances in the place of the settings' method."""
        self.path = Path(path)
        self.identity = asdict(settings) | {"strategy": strategy_name(strategy)}
        self.state: State | None = None
        self.finished: LotteryRun | None = None
        self._look()

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own it, made if missing; ValueError if another run does."""
        with ExitStack() as stack:
            with self._writing():
                self.path.mkdir(parents=True, exist_ok=True)
                owner = f"a run that is training in {self.path}"
                stack.enter_context(locked(self.path / ".lock", owner))
            self._look()  # again: its owner before may have gone on
            for left in (*self.path.glob(".*.part"), *self.path.glob("probes/.*.part")):
                left.unlink(missing_ok=True)  # by a write that was killed
            yield

    def resume(self, setup: Setup) -> State:
        """Where the run in the directory stands, or its beginning."""
        if self.state is None:
            self.keep(setup.first_state())
            assert self.state is not None
            return self.state
        rounds = range(self.state.round)
        trained = self.state.trained
        if rounds and not trained:  # early checkpoints left them to weights.safetensors
            trained = read_weights(weights_file(self.path))
        self.state = replace(
            self.state,
            trained=trained,
            tickets=[Ticket.load(round_file(self.path, number)) for number in rounds],
            probes=read_probes(self.path),
        )
        return self.state

    def keep(self, state: State) -> None:
        """Write what is new in a state, its checkpoint last."""
        before = self.state or State()
        with self._writing():
            for number in range(before.round, state.round):
                state.tickets[number].save(round_file(self.path, number))
            new = state.probes.keys() - before.probes.keys()
            write_probes(self.path, {steps: state.probes[steps] for steps in new})
            save_checkpoint(checkpoint_file(self.path), self.identity, state)
        self.state = state

    def finish(self, run: LotteryRun) -> None:
        """Write the finished rounds; the checkpoint of a whole run is no longer needed."""
        with self._writing():
            run.save(self.path)
            if len(run.rows) == run.settings.rounds:
                checkpoint_file(self.path).unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(
                error.errno,
                f"{self.path} could not be written ({error.strerror}); the last good checkpoint "
                "is kept. Make room and run the same again: it goes on from there",
            ) from error

    def _look(self) -> None:
        """Find out what the directory holds."""
        checkpoint, history = checkpoint_file(self.path), history_file(self.path)
        if checkpoint.exists():
            found, self.state = load_checkpoint(checkpoint)
            self._same(found, checkpoint)
        elif history.exists():
            run = LotteryRun.read(self.path)
            self._same(asdict(run.settings) | {"strategy": run.strategy}, history)
            if len(run.rows) < run.settings.rounds:
                self._refuse(f"{len(run.rows)} of {run.settings.rounds} rounds of a run")
            self.finished = run
        elif files := sorted(file.name for file in self.path.glob("*.safetensors")):
            self._refuse(f"{files[0]}, of a run")

    def _refuse(self, what: str) -> None:
        raise ValueError(
            f"{self.path} holds {what} without its checkpoint, so that it cannot go on; choose "
            "another directory, or delete this one to train that run again from its start"
        )

    def _same(self, found: dict[str, Any], file: Path) -> None:
        # Settings that came later have their default in earlier runs.
        known = {declared.name: declared.default for declared in fields(Settings)}
        found = {**known, **found}
        names = sorted(found.keys() | self.identity.keys())
        pairs = {name: (found.get(name), self.identity.get(name)) for name in names}
        differing = [f"{n} {a!r} there, {b!r} here" for n, (a, b) in pairs.items() if a != b]
        if differing:
            raise ValueError(
                f"{self.path} holds a run with other settings, says {file.name} "
                f"({', '.join(differing)}); choose another directory"
            )
