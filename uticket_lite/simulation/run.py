"""Run a ticket on an accelerator: `balance` its masks, and `simulate` → `Report`."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache, partial

import numpy as np

from uticket_lite.edge.checks import one_of, whole_number
from uticket_lite.hardware.accelerator import Accelerator, check
from uticket_lite.hardware.loads import add_up, cut
from uticket_lite.simulation.report import CYCLES, Report, Schedule
from uticket_lite.strategies import MASK_STRATEGIES, Strategy, chosen
from uticket_lite.strategies.checked import balanced, dealt, ordered
from uticket_lite.tickets.ticket import Ticket


def balance(
    ticket: Ticket,
    accelerator: Accelerator,
    strategy: str | Strategy = "uticket",
    seed: int = 0,
    layers: Iterable[str] | None = None,
) -> Ticket:
    """The ticket with the masks of its counted layers (or `layers`) changed by `strategy`.

    strategy: one that changes masks, a name in `MASK_STRATEGIES` or a `Strategy`. A layer's
    result depends on the seed and the layer's name, not on the other layers.
    Raises ValueError for unknown names, a strategy that changes no mask or that the mapping does
    not allow, and for what a strategy of your own returns, if it is no mask of the layer.
    """
    check(ticket, accelerator)
    how = allowed(strategy, accelerator)
    if how.changes != "mask":
        raise ValueError(
            f"strategy {how.name!r} changes {how.changes}, not masks: the ticket would stay as it "
            f"is. Run it with simulate, or balance with one of: {', '.join(MASK_STRATEGIES)}"
        )
    names = ticket.counted if layers is None else ticket.names(layers)
    return _balanced(ticket, accelerator, how, whole_number("seed", seed, minimum=0), names)


def simulate(
    ticket: Ticket,
    accelerator: Accelerator,
    strategy: str | Strategy = "none",
    seed: int = 0,
    *,
    cycles: str = "full",
    layers: Iterable[str] | None = None,
) -> Report:
    """Run the ticket's counted layers (or `layers`) on the accelerator.

    strategy: a name from `STRATEGIES` or a `Strategy`; it may change the masks, the order of
    filters or the schedule. seed: for strategies that choose at random; one seed, one result.
    cycles: `full` (default, the paper: a non-zero costs positions·timesteps cycles) or `weights`
    (1 cycle, the released code).

    Raises ValueError for unknown names, a strategy that the mapping does not allow, and for what
    a strategy of your own returns, if it is no order, schedule or mask.
    """
    cycles = one_of("cycles", cycles, CYCLES)
    check(ticket, accelerator)
    how = allowed(strategy, accelerator)
    seed = whole_number("seed", seed, minimum=0)
    names, n = ticket.counted if layers is None else ticket.names(layers), accelerator.n_pe
    ran = ticket
    if how.changes == "mask":
        ran = _balanced(ticket, accelerator, how, seed, names)
    if accelerator.mapping == "input-channel":
        workload, schedule = cut([ran.layers[name] for name in names], n), None
    else:
        filters = ran.filters(names).cut(how.parts)
        counts, starts = filters.counts, filters.starts
        order = ordered(how, filters, partial(seeded_rng, seed, ""))
        if order is None:
            order = np.arange(counts.size)
        else:
            counts = counts[order]
        wave, pe = dealt(how, counts, starts, n)
        workload, schedule = add_up(counts, starts, wave, pe, n), Schedule(order, wave, pe)
    return Report(ticket, ran, accelerator, how, cycles, names, workload, schedule)


def allowed(strategy: str | Strategy, accelerator: Accelerator) -> Strategy:
    """The strategy; ValueError if it is not known or does nothing on the accelerator."""
    how = chosen(strategy)
    if objection := how.objection(accelerator):
        raise ValueError(objection)
    return how


def _balanced(
    ticket: Ticket, accelerator: Accelerator, how: Strategy, seed: int, names: tuple[str, ...]
) -> Ticket:
    changed = {
        name: balanced(how, ticket.layers[name], accelerator, seeded_rng(seed, name), name)
        for name in names
    }
    about = {"strategy": how.name, "n_pe": accelerator.n_pe, "mapping": accelerator.mapping}
    return ticket.with_layers(changed, balanced={**about, "seed": seed})


class _Seeded(np.random.bit_generator.ISeedSequence):
    """A seed of which the hashing was done before: most of the time that a generator takes."""

    def __init__(self, state: np.ndarray) -> None:
        self._state = state

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> np.ndarray:
        return self._state


@lru_cache
def _seeded(seed: int, layer: str) -> _Seeded:
    name = int.from_bytes(hashlib.sha256(layer.encode()).digest()[:8], "big")
    return _Seeded(np.random.SeedSequence([seed, name]).generate_state(4, np.uint64))


def seeded_rng(seed: int, layer: str) -> np.random.Generator:
    """A new generator, `np.random.default_rng` of the seed and the layer's name."""
    return np.random.Generator(np.random.PCG64(_seeded(seed, layer)))  # type: ignore[arg-type]
