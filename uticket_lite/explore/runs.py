"""What the explorers explore: runs of tickets, one per pruning round."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from uticket_lite.edge.checks import one_of, told
from uticket_lite.explore.controls import Options, State
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import simulate
from uticket_lite.strategies import STRATEGIES, Strategy, chosen
from uticket_lite.tickets.layer import Layer
from uticket_lite.tickets.magnitudes import magnitude_ladder
from uticket_lite.tickets.recorded import load_history, load_ticket, recorded_tickets
from uticket_lite.tickets.ticket import Ticket

ROUND, SPARSITY = "pruning round", "sparsity"
"""What leads from one ticket to the next."""


class RecordedTickets(Sequence[Ticket]):
    """The tickets of a recorded run, each read when it is first looked at."""

    def __init__(self, name: str, rounds: int) -> None:
        self._name, self._rounds = name, rounds
        self._read: dict[int, Ticket] = {}

    def __len__(self) -> int:
        return self._rounds

    def __getitem__(self, number: Any) -> Any:
        number = range(self._rounds)[number]
        if number not in self._read:
            self._read[number] = load_ticket(self._name, number)
        return self._read[number]


@dataclass(frozen=True)
class Run:
    """Tickets from dense to sparse, and the share of weights pruned in each.

    step: what leads from one to the next. closed: why there is but one, or "". start: which to
    show first, default the last. seed: with which they were trained, if that is recorded. begin:
    the number of the first.
    """

    tickets: Sequence[Ticket]
    sparsities: Sequence[float]
    step: str = ROUND
    closed: str = ""
    start: int | None = None
    seed: int | None = None
    begin: int = 0

    @cached_property
    def rounds(self) -> Options:
        """Options of a slider; each label says a sparsity of its own."""
        return [(f"{self.begin + i}: {self.pruned(i)}", i) for i in range(len(self))]

    def pruned(self, number: int) -> str:
        """The sparsity of one, in words that differ from those of all others."""
        return f"{self.sparsities[number]:.{self._digits}%} pruned"

    def told(self, number: int) -> str:
        """Which one it is, in words: its round and seed, or else its sparsity."""
        seed = "" if self.seed is None else f" of seed {self.seed}"
        return f"round {self.begin + number}{seed}" if self.step == ROUND else self.pruned(number)

    @cached_property
    def _digits(self) -> int:
        return next(
            digits
            for digits in range(2, 9)
            if digits == 8 or len({f"{s:.{digits}%}" for s in self.sparsities}) == len(self)
        )

    @property
    def first(self) -> int:
        """Where to begin: at the sparsest ticket, of a ladder the sparsest that leaves every
        counted layer a weight per filter."""
        return len(self) - 1 if self.start is None else self.start

    def __len__(self) -> int:
        return len(self.sparsities)


class Runs(dict[str, Run]):
    """Name to run, and the strategies to choose from.

    own: one that is known to this explorer alone, or the one to show first.
    """

    own: Strategy | None = None

    @property
    def strategies(self) -> dict[str, Strategy]:
        """Name to strategy: those that are registered, and the explorer's own."""
        return {**STRATEGIES, **({self.own.name: self.own} if self.own else {})}


def recorded_run(name: str) -> Run:
    """A recorded run; ValueError for an unknown name."""
    history = load_history(name)
    sparsities, seed = history["sparsity"].tolist(), int(history["seed"].iloc[0])
    return Run(RecordedTickets(name, len(sparsities)), sparsities, seed=seed)


def runs_of(ticket: Ticket | str | None, strategy: Strategy | str | None = None) -> Runs:
    """Runs to explore: of your own ticket, of a recorded run, or all that are recorded.

    Your ticket can be pruned further if it knows the magnitudes of its weights. strategy: the one
    to show first; an object need not be registered. ValueError for unknown names, TypeError for
    what is neither ticket nor name.
    """
    if ticket is not None and not isinstance(ticket, Ticket | str):
        raise TypeError(
            f"ticket must be a Ticket or the name of a recorded run "
            f"({', '.join(recorded_tickets())}), not {told(ticket)}; "
            "ut.load_ticket(name, round) and ut.load_ticket(path) give tickets"
        )
    if isinstance(ticket, Ticket):
        runs = Runs({"your ticket": _own_run(ticket)})
    else:
        names = recorded_tickets() if ticket is None else (ticket,)
        runs = Runs({name: recorded_run(name) for name in names})
    runs.own = None if strategy is None else chosen(strategy)
    return runs


def names_of_runs(names: str | Iterable[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """One run or several, None for all that are known, as their names.

    ValueError for an unknown name or none at all, TypeError for what is no name.
    """
    allowed = f"the name of a recorded run or several ({', '.join(known)})"
    if names is None:
        return tuple(known)
    listed = [names] if isinstance(names, str) or not np.iterable(names) else list(names)
    for name in listed:
        if not isinstance(name, str):
            hint = "explore.workload(ticket) opens a ticket of your own"
            raise TypeError(f"names must be {allowed}, not {told(names)}; {hint}")
    if not listed:
        raise ValueError(f"names is empty; it must be {allowed}")
    return tuple(one_of("recorded run", name, known) for name in listed)


def _own_run(ticket: Ticket) -> Run:
    if all(layer.magnitudes is not None for layer in ticket.layers.values()):
        return _pruned_further(ticket)
    closed = "its weights are not known, only which are pruned"
    number = ticket.provenance.get("round")
    if not isinstance(number, int):
        return Run([ticket], [ticket.sparsity], SPARSITY, closed)
    return Run([ticket], [ticket.sparsity], closed=closed, begin=number)


def _pruned_further(ticket: Ticket) -> Run:
    """The rungs of the ticket's ladder that differ and leave something: not all do in a small
    network. At first the sparsest is shown that leaves every counted layer a weight per filter."""
    rungs = [ticket]
    for rung in magnitude_ladder(ticket):
        if rungs[-1].sparsity < rung.sparsity < 1:
            rungs.append(rung)
    visible = [i for i, rung in enumerate(rungs) if all(map(_visible, counted_layers(rung)))]
    sparsities = [rung.sparsity for rung in rungs]
    return Run(rungs, sparsities, SPARSITY, start=max(visible, default=0))


def counted_layers(ticket: Ticket) -> Iterator[Layer]:
    """The layers that count."""
    return (ticket.layers[name] for name in ticket.counted)


def _visible(layer: Layer) -> bool:
    return layer.nonzeros >= layer.shape[0]


def possible(strategy: Strategy, ticket: Ticket, accelerator: Accelerator) -> tuple[Strategy, str]:
    """The strategy and "", or `none` and why the strategy cannot be shown."""
    objection = strategy.objection(accelerator)
    if ticket.counts_only and strategy.changes == "mask":
        objection = "Of this round only counts are recorded, no masks to change"
    if not objection:
        return strategy, ""
    none = STRATEGIES["none"]
    return none, f"{objection}. Shown instead: “{none.label}”."


class Key:
    """A strategy by which a result is kept, though a learner's may have fields without a hash."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy

    def __hash__(self) -> int:
        return id(self.strategy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.strategy is other.strategy


@lru_cache(maxsize=4)  # a move asks several times: for its controls, too
def simulated(ticket: Ticket, accelerator: Accelerator, key: Key) -> Report:
    """`simulate`, kept for a while."""
    return simulate(ticket, accelerator, key.strategy)


def plural(number: float, what: str) -> str:
    """How many of what, in words: "1 PE", "1,000 PEs"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def layer_label(name: str) -> str:
    """A layer's name, in words where it is but a number, as in torch's Sequential."""
    return f"layer {name}" if name[:1].isdigit() else name


def ticket_of(state: State, runs: Runs) -> Ticket:
    """The ticket that a state's `run` and `round` name."""
    return runs[state.run].tickets[state.round]


def which_ticket(state: State, runs: Runs) -> str:
    """The ticket in words; with its seed, since other pictures show means of several."""
    return f"{state.run}, {runs[state.run].told(state.round)}"
