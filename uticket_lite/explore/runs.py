"""What the explorers explore: runs of tickets, one per pruning round, and controls over them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from uticket_lite.explore.explorer import State, menu, numbers, slider
from uticket_lite.hardware.accelerator import MAPPINGS, Accelerator
from uticket_lite.strategies import STRATEGIES
from uticket_lite.tickets.magnitudes import magnitude_ladder
from uticket_lite.tickets.recorded import load_history, load_ticket, recorded_tickets
from uticket_lite.tickets.ticket import Ticket

MAX_PE = 64


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

    step: what leads from one to the next.
    """

    tickets: Sequence[Ticket]
    sparsities: Sequence[float]
    step: str = "pruning round"

    def rounds(self) -> Iterator[tuple[str, int]]:
        """Options of a slider."""
        for number, sparsity in enumerate(self.sparsities):
            yield f"{number}: {sparsity:.2%} pruned", number


Runs = Mapping[str, Run]


def recorded_run(name: str) -> Run:
    """A recorded run; ValueError for an unknown name."""
    sparsities = load_history(name)["sparsity"].tolist()
    return Run(RecordedTickets(name, len(sparsities)), sparsities)


def runs_of(ticket: Ticket | str | None) -> Runs:
    """Runs to explore: of your own ticket, of a recorded run, or all that are recorded.

    Your ticket can be pruned further if it knows the magnitudes of its weights.
    """
    if isinstance(ticket, Ticket):
        if all(layer.magnitudes is not None for layer in ticket.layers.values()):
            ladder = magnitude_ladder(ticket)
            return {"your ticket": Run(ladder, [rung.sparsity for rung in ladder], "sparsity")}
        return {"your ticket": Run([ticket], [ticket.sparsity])}
    names = recorded_tickets() if ticket is None else (ticket,)
    return {name: recorded_run(name) for name in names}


def clip(value: int, low: int, high: int) -> int:
    """The nearest value between the two."""
    return min(max(value, low), high)


def fitted(state: State, runs: Runs) -> State:
    """The state with round, layer and number of PEs inside what there is."""
    if state.run not in runs:
        state = replace(state, run=next(iter(runs)))
    tickets = runs[state.run].tickets
    state = replace(state, round=clip(state.round, 0, len(tickets) - 1))
    if hasattr(state, "n_pe"):
        state = replace(state, n_pe=clip(state.n_pe, 1, MAX_PE))
    if tickets[state.round].counts_only and hasattr(state, "mapping"):
        state = replace(state, mapping="output-channel")  # channels are not known
    counted = tickets[state.round].counted
    if getattr(state, "layer", counted[-1]) not in counted:
        state = replace(state, layer=counted[-1])
    return state


def possible(strategy: str, ticket: Ticket, accelerator: Accelerator) -> tuple[str, str]:
    """The strategy and "", or `none` and why the strategy cannot be shown."""
    objection = STRATEGIES[strategy].objection(accelerator)
    if ticket.counts_only and STRATEGIES[strategy].changes == "mask":
        objection = "Of this round only counts are recorded, no masks to change"
    return ("none", f"{objection}. Shown: strategy 'none'.") if objection else (strategy, "")


def run_controls(state: State, runs: Runs) -> list[dict[str, Any]]:
    """Controls for `run` and `round`."""
    run = runs[state.run]
    return [
        menu("run", "ticket", [(name, name) for name in runs]),
        slider("round", run.step, run.rounds(), "0 is the densest"),
    ]


def pe_control() -> dict[str, Any]:
    """A slider for `n_pe`."""
    return slider("n_pe", "number of PEs", numbers(range(1, MAX_PE + 1)), "processing elements")


def strategy_control(name: str = "strategy", label: str = "strategy") -> dict[str, Any]:
    """A menu of strategies."""
    return menu(name, label, [(s.label, key) for key, s in STRATEGIES.items()])


def mapping_control(state: State, runs: Runs) -> dict[str, Any]:
    """A menu of the mappings that the state's ticket can run with."""
    known = [(label, name) for name, label in MAPPINGS.items()]
    counts_only = runs[state.run].tickets[state.round].counts_only
    return menu("mapping", "mapping", known[:1] if counts_only else known)


def layer_control(state: State, runs: Runs) -> dict[str, Any]:
    """A menu of the counted layers of the state's ticket."""
    counted = runs[state.run].tickets[state.round].counted
    return menu("layer", "layer", [(name, name) for name in counted])


def last_round(runs: Runs) -> dict[str, Any]:
    """`run`, `round` and `layer` of the sparsest ticket of the first run, for a first state."""
    name, run = next(iter(runs.items()))
    number = len(run.tickets) - 1
    return {"run": name, "round": number, "layer": run.tickets[number].counted[-1]}
