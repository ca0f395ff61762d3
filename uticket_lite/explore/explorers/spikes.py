"""The spikes explorer: a weight costs a cycle only when a spike meets it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from uticket_lite.explore.explorer import Explorer, Frame, menu, slider
from uticket_lite.explore.runs import MAX_PE, clip, pe_control
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.run import simulate
from uticket_lite.simulation.spikes import BARRIERS, SpikeReport, simulate_spikes
from uticket_lite.tickets.recorded import DATA, load_ticket, recorded_tickets, weights_file

IMAGES = 10

Spikes = Callable[[str, int], dict[str, np.ndarray]]
"""Run and image to the input spikes of each layer, uint8 (T, C, H, W)."""


@dataclass(frozen=True)
class SpikesState:
    """Where the controls stand.

    run: a recorded run with weights. image: of the test set. n_pe: PEs. layer: the one shown.
    barrier: a name in `BARRIERS`.
    """

    run: str
    image: int = 0
    n_pe: int = 16
    layer: str = ""
    barrier: str = "wave"


def spikes() -> Explorer:
    """See where the spikes of real images put the work, on recorded networks.

    Loads torch, and runs a network once for every image that is looked at.
    """
    runs = [name for name in recorded_tickets() if weights_file(DATA / name).exists()]
    tickets = {name: load_ticket(name) for name in runs}
    state = SpikesState(runs[0], layer=tickets[runs[0]].counted[-1])
    make = partial(spikes_frame, runs=runs, recorded=_recorder())
    return Explorer("spikes", make, state)


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


def spikes_frame(state: SpikesState, runs: list[str], recorded: Spikes) -> Frame:
    """Everything the explorer shows for a state."""
    run = state.run if state.run in runs else runs[0]
    ticket = load_ticket(run)
    layer = state.layer if state.layer in ticket.counted else ticket.counted[-1]
    state = replace(
        state,
        run=run,
        layer=layer,
        n_pe=clip(state.n_pe, 1, MAX_PE),
        image=clip(state.image, 0, IMAGES - 1),
    )
    accelerator = Accelerator(state.n_pe)
    given = recorded(state.run, state.image)[state.layer]
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
        "state": state,
        "controls": [
            menu("run", "ticket", [(name, name) for name in runs]),
            slider("image", "image", [(f"test image {i}", i) for i in range(IMAGES)]),
            menu("layer", "layer", [(name, name) for name in ticket.counted]),
            pe_control(),
            menu("barrier", "barrier", [(f"per {k}: {text}", k) for k, text in BARRIERS.items()]),
        ],
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
            f"{state.run}, {layer}, test image {state.image}, {n} PEs: {silent:.1%} of the inputs "
            f"are silent. By its weights the layer uses {weighed:.1%} of its PEs; with "
            f"the spikes of this image and a barrier per {state.barrier}, "
            f"{chosen.utilization:.1%}: {BARRIERS[state.barrier]}."
        ),
    }


def _shares(values: np.ndarray) -> list[float]:
    """Of the mean."""
    mean = values.mean()
    return (values / mean if mean else values.astype(float)).tolist()
