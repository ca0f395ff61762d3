"""Run a ticket on an accelerator: `balance` its masks, and `simulate` → `Report`."""

import hashlib
from collections.abc import Iterable

import numpy as np

from uticket_lite.edge.checks import instance, one_of, whole_number
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.loads import add_up, cut
from uticket_lite.simulation.report import CYCLES, Report, Schedule
from uticket_lite.strategies import STRATEGIES, Strategy
from uticket_lite.tickets.ticket import Ticket


def balance(
    ticket: Ticket,
    accelerator: Accelerator,
    strategy: str = "uticket",
    seed: int = 0,
    layers: Iterable[str] | None = None,
) -> Ticket:
    """The ticket with the masks of its counted layers (or `layers`) changed by `strategy`.

    Strategies that leave masks alone return the ticket as it is. A layer's result depends
    on the seed and the layer's name, not on the other layers.
    Raises ValueError for unknown names or a strategy that the mapping does not allow.
    """
    check(ticket, accelerator)
    chosen = _strategy(strategy, accelerator)
    whole_number("seed", seed, minimum=0)
    names = ticket.counted if layers is None else ticket.names(layers)
    if chosen.changes != "mask":
        return ticket
    changed = {
        name: chosen.balance(ticket.layers[name], accelerator, _rng(seed, name)) for name in names
    }
    how = {"strategy": strategy, "n_pe": accelerator.n_pe, "mapping": accelerator.mapping}
    return ticket.with_layers(changed, balanced={**how, "seed": seed})


def simulate(
    ticket: Ticket,
    accelerator: Accelerator,
    strategy: str = "none",
    seed: int = 0,
    *,
    cycles: str = "full",
    layers: Iterable[str] | None = None,
) -> Report:
    """Run the ticket's counted layers (or `layers`) on the accelerator.

    strategy: a name from `STRATEGIES`; it may change the masks, the order of filters or the
    schedule. seed: for strategies that choose at random. cycles: `full` (default, the paper:
    a non-zero costs positions·timesteps cycles) or `weights` (1 cycle, the released code).

    Raises ValueError for unknown names or a strategy that the mapping does not allow.
    """
    one_of("cycles", cycles, CYCLES)
    check(ticket, accelerator)
    names = ticket.counted if layers is None else ticket.names(layers)
    ran = balance(ticket, accelerator, strategy, seed, names)
    chosen, n = STRATEGIES[strategy], accelerator.n_pe
    if accelerator.mapping == "input-channel":
        workload, schedule = cut([ran.layers[name] for name in names], n), None
    else:
        counts, starts = ran.filter_counts(names), ran.filter_starts(names)
        order = chosen.order(counts, starts, _rng(seed, "") if chosen.random else NO_RNG)
        if order is None:
            order = np.arange(counts.size)
        else:
            counts = counts[order]
        wave, pe = chosen.deal(counts, starts, n)
        workload, schedule = add_up(counts, starts, wave, pe, n), Schedule(order, wave, pe)
    return Report(ticket, ran, accelerator, chosen, cycles, names, workload, schedule)


NO_RNG = np.random.default_rng(0)  # for strategies that do not look at it


def check(ticket: Ticket, accelerator: Accelerator) -> None:
    """TypeError unless both are what they should be."""
    instance("ticket", ticket, Ticket, 'ut.load_ticket("digits-lth"), say')
    instance("accelerator", accelerator, Accelerator, "ut.Accelerator(n_pe=16), say")


def _strategy(name: str, accelerator: Accelerator) -> Strategy:
    strategy = STRATEGIES[one_of("strategy", name, STRATEGIES)]
    if objection := strategy.objection(accelerator):
        raise ValueError(objection)
    return strategy


def _rng(seed: int, layer: str) -> np.random.Generator:
    name = int.from_bytes(hashlib.sha256(layer.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, name])
