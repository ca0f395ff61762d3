"""What the course measures on trained networks, in one call each."""

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.metrics import cycle_utilization
from uticket_lite.simulation.spikes import BARRIERS, simulate_spikes
from uticket_lite.tickets.recorded import load_spikes, load_ticket
from uticket_lite.tickets.ticket import Ticket

if TYPE_CHECKING:
    from uticket_lite.training import Settings


def accuracy_with(name: str, ticket: Ticket) -> float:
    """Share of test images that a recorded run's trained network reads right with other masks.

    Weights that the ticket prunes are 0; regrown ones have no trained value and are 0 too.
    """
    import torch

    from uticket_lite.training import load_network
    from uticket_lite.training.datasets import load_dataset
    from uticket_lite.training.loop import evaluate
    from uticket_lite.training.networks import prunable
    from uticket_lite.training.pruning import apply_masks
    from uticket_lite.training.record import settings_of

    network = load_network(name)
    masks = {layer: torch.from_numpy(mask) for layer, mask in ticket.masks().items()}
    apply_masks(prunable(network), masks)
    return evaluate(network, load_dataset(settings_of(name).dataset))[0]


def accuracy_trained_with(ticket: Ticket, settings: "Settings") -> float:
    """Share of test images that a network reads right after one round of training with a ticket.

    As in the lottery of `settings`: it is drawn by their seed, trained densely up to
    `rewind_epoch`, pruned by the ticket, and trained from there for `epochs`.
    """
    import torch

    from uticket_lite.training import steps
    from uticket_lite.training.setup import set_up
    from uticket_lite.training.threads import using_threads

    setup = set_up(settings)
    masks = {layer: torch.from_numpy(mask) for layer, mask in ticket.masks().items()}
    with using_threads(1):  # as `find_tickets`
        state = setup.first_state()
        while state.epoch < settings.rewind_epoch:
            state = steps.train(setup, state)
        state = steps.rewind(setup, state, masks, masks)
        while state.epoch < settings.epochs:
            state = steps.train(setup, state)
        return float(steps.record(setup, state).rows[-1]["accuracy"])


def spike_totals(names: Iterable[str], accelerator: Accelerator, images: int = 10) -> pd.DataFrame:
    """Accumulations of recorded runs' counted layers, by run, barrier and test image.

    Columns: work, latency (cycles, an accumulation each), utilization (Eq. 2 from both).
    """
    totals: dict[tuple[str, str, int], tuple[int, int]] = {}
    for name in dict.fromkeys(names):
        ticket, spikes = load_ticket(name), load_spikes(name)
        for layer, barrier in itertools.product(ticket.counted, BARRIERS):
            for image, given in enumerate(spikes[layer][:images]):
                report = simulate_spikes(
                    ticket.layers[layer], given, accelerator, barrier=barrier, padding=1
                )
                work, latency = totals.get((name, barrier, image), (0, 0))
                totals[name, barrier, image] = work + report.work, latency + report.latency
    rows = {
        key: {
            "work": work,
            "latency": latency,
            "utilization": cycle_utilization(work, latency, accelerator.n_pe),
        }
        for key, (work, latency) in totals.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["run", "barrier", "image"])
