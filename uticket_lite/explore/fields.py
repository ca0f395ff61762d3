"""Fields of states that explorers of runs share: each is a control, see `controls`."""

from collections.abc import Callable
from typing import Any

from uticket_lite.explore.controls import Options, State, menu, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.runs import Runs, layer_label, runs_of, ticket_of
from uticket_lite.hardware.accelerator import MAPPINGS
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.ticket import Ticket

MAX_PE = 64


def _mappings(state: State, runs: Runs) -> Options:
    known = [(label, name) for name, label in MAPPINGS.items()]
    return known[:1] if ticket_of(state, runs).counts_only else known


def _only_counts(state: State, runs: Runs) -> str:
    counts_only = ticket_of(state, runs).counts_only
    return "of this round only counts of filters are recorded, not of channels" * counts_only


def _layers(state: State, runs: Runs) -> Options:
    return [(layer_label(name), name) for name in ticket_of(state, runs).counted]


def strategy_options(state: State, runs: Runs) -> Options:
    """Every strategy, by its label."""
    return [(strategy.label, name) for name, strategy in runs.strategies.items()]


PE_OPTIONS: Options = [(str(n), n) for n in range(1, MAX_PE + 1)]


def run_menu() -> Any:
    """`run`: which tickets."""
    return menu("ticket", lambda state, runs: [(name, name) for name in runs])


def round_slider() -> Any:
    """`round`: which ticket of the run; its label is the run's."""
    return slider(
        lambda state, runs: runs[state.run].step,
        lambda state, runs: runs[state.run].rounds,
        help="0 is the densest",
        closed=lambda state, runs: runs[state.run].closed,
    )


def pe_slider(default: int = 16) -> Any:
    """`n_pe`: the number of PEs."""
    about = "processing elements"
    return slider("number of PEs", lambda state, source: PE_OPTIONS, default, help=about)


def strategy_menu(default: str) -> Any:
    """`strategy`: how the ticket is balanced."""
    return menu("strategy", strategy_options, default)


def mapping_menu() -> Any:
    """`mapping`: how filters go to PEs."""
    return menu("mapping", _mappings, "output-channel", closed=_only_counts)


def layer_menu() -> Any:
    """`layer`: one that is counted, at first the last."""
    return menu("layer", _layers, last=True)


def over_runs(
    kind: str,
    make: Callable[[Any, Runs], Frame],
    state: type,
    ticket: Ticket | str | None,
    strategy: Strategy | str | None,
) -> Explorer:
    """An explorer of `runs_of(ticket, strategy)`, at its first run; state: the class of states."""
    runs = runs_of(ticket, strategy)
    name, run = next(iter(runs.items()))
    own = {"strategy": runs.own.name} if runs.own else {}
    return Explorer(kind, make, state(run=name, round=run.first, **own), runs)
