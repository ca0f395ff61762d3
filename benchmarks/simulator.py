"""The simulator: from masks to a report, balancing, moving sliders, sweeps.

All on a synthetic VGG-16 ticket, 98.2 % sparse, with 14.7 million weights, and 16 PEs.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

import uticket_lite as ut
from benchmarks.measure import COPIES, Figure, Timed, medians
from uticket_lite import reference

Masks = dict[str, np.ndarray]

SPARSITY = 0.982
PES = ut.Accelerator(16)
SLIDER_STRATEGIES = ("none", "sort", "pair", "lpt", "queue")
SWEEP_STRATEGIES = ("none", "sort", "shuffle", "pair", "lpt", "queue")
SWEEP = 10_000


def figures() -> Iterable[Figure]:
    """All figures of the suite; takes about half a minute."""
    ticket = ut.synthetic_ticket("vgg16", SPARSITY, filter_cov=0.3)
    masks = [ticket.masks() for _ in range(COPIES)]
    tickets = [from_masks(copy, ticket) for copy in masks]
    yield from reports(ticket, masks)
    yield from balancing(tickets, masks)
    yield from sliders(tickets, masks)
    yield from sparsities(masks)
    yield from speed_up(ticket, tickets, masks)
    yield from growth()
    yield from sweep(ticket)
    yield from loading()


def reports(ticket: ut.Ticket, masks: list[Masks]) -> Iterable[Figure]:
    """From dense masks to everything a report says, against reading the masks once."""
    turn = itertools.cycle(masks)

    def table(given: Masks) -> object:
        report = ut.simulate(from_masks(given, ticket), PES)
        return read(report), report.layers

    took = medians(
        {
            "report": Timed(lambda given: read(ut.simulate(from_masks(given, ticket), PES)), turn),
            "table": Timed(table, turn),
            "count": Timed(count_nonzeros, turn),
        }
    )
    against = took["count"], "count_nonzero"
    yield Figure("masks to report", took["report"], *against, limit=1.5)
    yield Figure("masks to report with its layers table", took["table"], *against, limit=1.5)


def balancing(tickets: list[ut.Ticket], masks: list[Masks]) -> Iterable[Figure]:
    """u-Ticket against copying the dense masks, into new memory and into memory in use."""
    turn = itertools.cycle(masks)
    used = {name: mask.copy() for name, mask in masks[0].items()}

    def copy_into_used(given: Masks) -> None:
        for name, mask in given.items():
            np.copyto(used[name], mask)

    took = medians(
        {
            "balance": Timed(lambda ticket: ut.balance(ticket, PES), forgetful(tickets)),
            "copy": Timed(lambda given: {name: mask.copy() for name, mask in given.items()}, turn),
            "copyto": Timed(copy_into_used, turn),
        }
    )
    yield Figure("balance (u-Ticket)", took["balance"], took["copy"], "mask.copy()", limit=1.0)
    # A new copy also waits for the system to hand out its pages; this one does not.
    yield Figure("balance (u-Ticket)", took["balance"], took["copyto"], "copyto used memory")


def sliders(tickets: list[ut.Ticket], masks: list[Masks]) -> Iterable[Figure]:
    """Another number of PEs with every call, on tickets that have been simulated before."""
    for ticket in tickets:
        ut.simulate(ticket, PES)

    def move(strategy: str) -> Timed:
        moves = zip(itertools.cycle(tickets), itertools.cycle(range(1, 65)), strict=False)
        return Timed(lambda to: read(ut.simulate(to[0], ut.Accelerator(to[1]), strategy)), moves)

    timed = {strategy: move(strategy) for strategy in SLIDER_STRATEGIES}
    # More repeats than elsewhere, because how long it takes depends on the number of PEs.
    took = medians({**timed, "": Timed(count_nonzeros, itertools.cycle(masks))}, repeats=128)
    for strategy in SLIDER_STRATEGIES:
        name = f"slider to another n, {strategy}"
        yield Figure(name, took[strategy], took[""], "count_nonzero", limit=0.25)


def sparsities(masks: list[Masks]) -> Iterable[Figure]:
    """Another threshold on |w| with every call, from magnitudes that were sorted once."""
    rng = np.random.default_rng(0)
    drawn = {n: rng.standard_normal(mask.shape, np.float32) for n, mask in masks[0].items()}
    weights = ut.Ticket.from_arrays(drawn)
    ladder = ut.magnitude_ladder(weights)
    for rung in ladder:
        ut.simulate(rung, PES)

    def move(strategy: str) -> Timed:
        turn = itertools.cycle(ladder)
        return Timed(lambda rung: read(ut.simulate(rung, PES, strategy)), turn)

    timed = {strategy: move(strategy) for strategy in SLIDER_STRATEGIES}
    took = medians({**timed, "": Timed(count_nonzeros, itertools.cycle(masks))}, repeats=128)
    for strategy in SLIDER_STRATEGIES:
        name = f"slider to another sparsity, {strategy}"
        yield Figure(name, took[strategy], took[""], "count_nonzero", limit=0.25)
    sorting = medians({"": Timed(ut.magnitude_ladder, itertools.repeat(weights))}, repeats=3)[""]
    yield Figure("sorting the magnitudes for it, once", sorting)


def speed_up(ticket: ut.Ticket, tickets: list[ut.Ticket], masks: list[Masks]) -> Iterable[Figure]:
    """How many times faster than loops in NumPy, which start from dense masks."""
    turn = itertools.cycle(masks)
    positions = {name: layer.positions for name, layer in ticket.layers.items()}
    about = positions, ticket.timesteps, ticket.counted, PES.n_pe
    rng = np.random.default_rng(0)
    check = medians(
        {
            "kept": Timed(lambda kept: read(ut.simulate(kept, PES)), itertools.cycle(tickets)),
            "masks": Timed(lambda given: read(ut.simulate(from_masks(given, ticket), PES)), turn),
            "loops": Timed(lambda given: reference.simulate(given, *about), turn),
        }
    )
    balance = medians(
        {
            "ours": Timed(lambda ticket: ut.balance(ticket, PES), forgetful(tickets)),
            "loops": Timed(
                lambda given: reference.balance_all(given, ticket.counted, PES.n_pe, rng), turn
            ),
        },
        repeats=15,
    )
    for name, ours, loops in (
        ("check of a ticket", check["kept"], check["loops"]),
        ("check of dense masks", check["masks"], check["loops"]),
        ("balance (u-Ticket)", balance["ours"], balance["loops"]),
    ):
        yield Figure(name, ours, loops, "NumPy loops", limit=300, at_least=True)


def growth() -> Iterable[Figure]:
    """How much longer twice, four and eight times the non-zeros take, counting them included."""
    factors = (1, 2, 4, 8)
    bases = {f: ut.synthetic_ticket("vgg16", 1 - f * (1 - SPARSITY), 0.3) for f in factors}
    nonzeros = {f: int(base.filters(base.counted).counts.sum()) for f, base in bases.items()}
    tickets = {f: [copied(base) for _ in range(COPIES)] for f, base in bases.items()}
    for name, call in (
        ("balance", lambda ticket: ut.balance(ticket, PES)),
        ("simulate", lambda ticket: read(ut.simulate(ticket, PES))),
    ):
        took = medians({str(f): Timed(call, forgetful(tickets[f])) for f in factors})
        for f in factors[1:]:
            yield Figure(
                f"growth of {name}, {f} × the non-zeros",
                took[str(f)] / took["1"],
                nonzeros[f] / nonzeros[1],
                "growth of non-zeros",
                unit="×",
                limit=1.0,
            )


def loading() -> Iterable[Figure]:
    """A recorded VGG-16 ticket from its file: the last round, and the densest with its masks."""
    name = "vgg16-cifar10-lth"
    for number in (14, 8):
        read_it = Timed(lambda number: ut.load_ticket(name, number), itertools.repeat(number))
        took = medians({"load": read_it}, repeats=15)["load"]
        yield Figure(f"load_ticket of VGG-16, round {number}", took, limit=0.1)


def sweep(ticket: ut.Ticket) -> Iterable[Figure]:
    """Configurations of PEs, strategy and seed that one core simulates in a second."""
    every = itertools.product(range(SWEEP), range(2, 65, 2), SWEEP_STRATEGIES)
    configurations = list(itertools.islice(every, SWEEP))

    def run(_: None) -> None:
        for seed, n, strategy in configurations:
            read(ut.simulate(ticket, ut.Accelerator(n), strategy, seed))

    took = medians({"sweep": Timed(run, itertools.repeat(None))}, repeats=3)["sweep"]
    name = f"sweep of {SWEEP:,} configurations"
    yield Figure(name, SWEEP / took, unit="1/s", limit=2000, at_least=True)


def read(report: ut.Report) -> tuple[float, int, int, int]:
    """What a learner looks at; it is computed only when it is read."""
    return report.utilization, report.work, report.idle, report.latency


def count_nonzeros(masks: Masks) -> int:
    """The least that anything that looks at every weight of dense masks has to do."""
    return sum(int(np.count_nonzero(mask)) for mask in masks.values())


def from_masks(masks: Masks, like: ut.Ticket) -> ut.Ticket:
    """A ticket of dense masks, with positions, timesteps and counted layers `like` another's."""
    positions = {name: layer.positions for name, layer in like.layers.items()}
    return ut.Ticket.from_arrays(
        masks, positions=positions, timesteps=like.timesteps, counted=like.counted
    )


def copied(ticket: ut.Ticket) -> ut.Ticket:
    """The same ticket in other memory."""
    return ticket.with_layers({k: replace(v, mask=v.bits.copy()) for k, v in ticket.layers.items()})


def forgetful(tickets: list[ut.Ticket]) -> Iterator[ut.Ticket]:
    """The tickets by turns, without end, each as if nobody had counted its non-zeros before."""
    for ticket in itertools.cycle(tickets):
        yield ticket.with_layers({k: replace(v) for k, v in ticket.layers.items()})
