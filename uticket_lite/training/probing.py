"""A look at utilization while the first round trains: what pruning at once would leave."""

from dataclasses import replace

from uticket_lite.tickets.ticket import Ticket
from uticket_lite.training.checkpoint import State
from uticket_lite.training.loop import batch_sizes, evaluate
from uticket_lite.training.pruning import prune_smallest
from uticket_lite.training.setup import Setup

PROBED = frozenset({0, *(round(2 ** (k / 2)) for k in range(60))})
"""Steps of the first round before which `Settings.probe` looks, two in each doubling."""
PROBE_IMAGES = 500
"""Test images on which a probe measures accuracy."""


def probe(
    setup: Setup,
    state: State,
    probes: dict[int, Ticket],
    *,
    epoch: int,
    step: int,
    last: bool = False,
) -> None:
    """Add to `probes` what pruning the network as it is to `Settings.probe` would leave, under
    the number of its steps, if that is in `PROBED` or it is the last; no weight changes."""
    settings, data = setup.settings, setup.data
    steps = len(batch_sizes(len(data.train_images), settings.batch)) * epoch + step
    if settings.probe is None or (steps not in PROBED and not last):
        return
    weights = {name: layer.weight for name, layer in setup.layers.items()}
    masks = prune_smallest(weights, state.masks, settings.probe, settings.scope)
    images, labels = data.test_images[:PROBE_IMAGES], data.test_labels[:PROBE_IMAGES]
    few = replace(data, test_images=images, test_labels=labels)
    accuracy, _ = evaluate(setup.network, few, settings.precision)
    about = {"step": steps, "accuracy": accuracy}
    probes[steps] = setup.ticket(masks, state.timesteps, about=about)
