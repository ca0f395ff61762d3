"""The spikes explorer: a weight costs a cycle only when a spike meets it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from uticket_lite.explore.controls import Options, menu, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.runs import counted, layer_label, pe_slider
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.run import simulate
from uticket_lite.simulation.spikes import BARRIERS, SpikeReport, simulate_spikes
from uticket_lite.tickets.recorded import DATA, load_ticket, recorded_tickets, weights_file

IMAGES = 10

Spikes = Callable[[str, int], dict[str, np.ndarray]]
"""Run and image to the input spikes of each layer, uint8 (T, C, H, W)."""


@dataclass(frozen=True)
class Recorded:
    """Runs with weights, and the spikes they make."""

    runs: list[str]
    spikes: Spikes


def _runs(state: Any, recorded: Recorded) -> Options:
    return [(name, name) for name in recorded.runs]


def _images(state: Any, recorded: Recorded) -> Options:
    return [(f"test image {i}", i) for i in range(IMAGES)]


def _layers(state: Any, recorded: Recorded) -> Options:
    return [(layer_label(name), name) for name in load_ticket(state.run).counted]


def _barriers(state: Any, recorded: Recorded) -> Options:
    return [(f"per {name}: {text}", name) for name, text in BARRIERS.items()]


@dataclass(frozen=True)
class SpikesState:
    """Where the controls stand.

    run: a recorded run with weights. image: of the test set. layer: the one shown. n_pe: PEs.
    barrier: a name in `BARRIERS`.
    """

    run: str = menu("ticket", _runs)
    image: int = slider("image", _images)
    layer: str = menu("layer", _layers, last=True)
    n_pe: int = pe_slider()
    barrier: str = menu("barrier", _barriers, "wave")


def spikes() -> Explorer:
    """See where the spikes of real images put the work, on recorded networks.

    Loads torch, and runs a network once for every image that is looked at.
    """
    runs = [name for name in recorded_tickets() if weights_file(DATA / name).exists()]
    return Explorer("spikes", spikes_frame, SpikesState(runs[0]), Recorded(runs, _recorder()))


def _recorder() -> Spikes:
    from uticket_lite.training import load_network, record_spikes
    from uticket_lite.training.datasets import load_dataset
    from uticket_lite.training.record import settings_of

    network = cache(load_network)
    data = cache(load_dataset)

    @cache
    def recorded(run: str, image: int) -> dict[str, np.ndarray]:
        images = data(settings_of(run).dataset)
        return record_spikes(network(run), images.prepare(images.test_images[image : image + 1])[0])

    return recorded


def spikes_frame(state: SpikesState, recorded: Recorded) -> Frame:
    """Everything the explorer shows for a state."""
    ticket, layer = load_ticket(state.run), state.layer
    accelerator = Accelerator(state.n_pe)
    given = recorded.spikes(state.run, state.image)[state.layer]
    kernel = ticket.layers[layer].shape[-1]

    def ran(barrier: str) -> SpikeReport:
        return simulate_spikes(
            ticket.layers[layer], given, accelerator, barrier=barrier, padding=kernel // 2
        )

    reports = {barrier: ran(barrier) for barrier in BARRIERS}
    chosen = reports[state.barrier]
    plain = simulate(ticket, accelerator, layers=[layer])
    by_weights = plain.loads[layer].sum(axis=0) * ticket.layers[layer].positions * ticket.timesteps
    weighed = plain.utilization_as(average="cycles")  # as the spikes' are
    done = chosen.accumulations.sum(axis=0)
    n = state.n_pe
    silent = 1 - given.mean()
    barriers = [("by weights", weighed)]
    barriers += [(f"per {name}", r.utilization) for name, r in reports.items()]
    return {
        "data": {
            "pes": {
                "pe": list(range(n)) * 2,
                "what": ["weights"] * n + ["spikes"] * n,
                "share": [*_shares(by_weights), *_shares(done)],
                "cycles": [*by_weights.tolist(), *done.tolist()],
            },
            "barriers": {
                "barrier": [name for name, _ in barriers],
                "utilization": [float(value) for _, value in barriers],
            },
        },
        "figures": [
            ["utilization by weights", f"{weighed:.1%}"],
            [f"by spikes, per {state.barrier}", f"{chosen.utilization:.1%}"],
            ["latency (cycles)", f"{chosen.latency:,}"],
            ["accumulations", f"{chosen.work:,}"],
            ["inputs without a spike", f"{silent:.1%}"],
        ],
        "summary": (
            f"{state.run}, {layer_label(layer)}, test image {state.image}, {counted(n, 'PE')}: "
            f"{silent:.1%} of the inputs are silent. By its weights the layer uses "
            f"{weighed:.1%} of its PEs; with the spikes of this image and a barrier "
            f"per {state.barrier}, {chosen.utilization:.1%}: {BARRIERS[state.barrier]}."
        ),
    }


def _shares(values: np.ndarray) -> list[float]:
    """Of the mean."""
    mean = values.mean()
    return (values / mean if mean else values.astype(float)).tolist()
