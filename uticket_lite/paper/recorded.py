"""The recorded runs that stand beside the paper's.

Every number is computed from `data/` when it is asked for. The recorded networks were trained
with fewer timesteps than the paper's; cycles are counted with the paper's. The paper compares
tickets of unlike sparsity; so beside each of its tickets stands the round of ours that is pruned
nearest to it (`nearest_round`).
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.paper.published import paper_table
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import simulate
from uticket_lite.tickets.history import read_history
from uticket_lite.tickets.recorded import (
    DATA,
    METHODS,
    history_file,
    load_history,
    load_ticket,
    recorded_tickets,
)

DATASET = "cifar10"
NETWORKS = ("vgg16", "resnet19")
"""The paper's."""
PES, TIMESTEPS = Accelerator(16), 4


def run_name(network: str, method: str) -> str:
    """The recorded run that stands beside the paper's."""
    return f"{network}-{DATASET}-{method}"


def networks() -> tuple[str, ...]:
    """The paper's networks of which both methods are recorded."""
    known = recorded_tickets()
    return tuple(
        network
        for network in NETWORKS
        if all(run_name(network, method) in known for method in METHODS)
    )


def nearest_round(network: str, method: str, sparsity: float | None = None) -> int:
    """The recorded round pruned nearest to `sparsity`, in percent; default Table I's."""
    wanted = printed(network, method, "sparsity") if sparsity is None else sparsity
    history = load_history(run_name(network, method))
    return int((100 * history["sparsity"] - wanted).abs().argmin())


@cache
def report(
    network: str, method: str, number: int | None = None, n_pe: int = 16, strategy: str = "none"
) -> Report:
    """A recorded round on `n_pe` PEs, with the paper's timesteps.

    number: of the round; default the one that stands beside Table I's ticket.
    """
    number = nearest_round(network, method) if number is None else number
    ticket = load_ticket(run_name(network, method), number)
    return simulate(replace(ticket, timesteps=TIMESTEPS), Accelerator(n_pe), strategy)


def rounds(network: str, method: str) -> Iterator[tuple[int, float]]:
    """Rounds, and the share of weights pruned in each, in percent."""
    history = load_history(run_name(network, method))
    yield from zip(history["round"], 100 * history["sparsity"], strict=True)


def saving(before: float, after: float) -> float:
    """In percent."""
    return 100 * (1 - after / before)


def printed(network: str, method: str, quantity: str) -> float:
    """Of the paper's Tables I and II."""
    return float(paper_table()[quantity, method][network, DATASET])


def about(network: str, method: str = "lth") -> dict[str, Any]:
    """The `settings` and `images` of a recorded run."""
    content = read_history(history_file(DATA / run_name(network, method)))
    return {name: content[name] for name in ("settings", "images")}


def trained(network: str) -> str:
    """How the recorded runs of a network were trained, in words that begin with its name."""
    of = about(network)
    settings, images = of["settings"], of["images"]
    first = settings.get("dense_epochs") or settings["epochs"]
    steps = -(-images["train"] // settings["batch"])
    return (
        f"{network} with {images['train']:,} images ({images['test']:,} to test), "
        f"{settings['epochs'] * steps:,} steps a round, {first * steps:,} in the first, "
        f"T = {settings['timesteps']}, initialization {settings.get('init', 'torch')}"
    )
