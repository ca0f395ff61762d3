"""The spikes explorer: a weight costs a cycle only when a spike meets it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from uticket_lite.explore.controls import Options, menu, slider
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.fields import pe_slider
from uticket_lite.explore.runs import layer_label, names_of_runs, plural
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.run import simulate
from uticket_lite.simulation.spikes import BARRIERS, SpikeReport, simulate_spikes
from uticket_lite.tickets.recorded import load_spikes, load_ticket, runs_with_spikes

Recorded = dict[str, dict[str, np.ndarray]]
"""Runs and the spikes they make, see `load_spikes`."""


def _runs(state: Any, recorded: Recorded) -> Options:
    return [(name, name) for name in recorded]


def _images(state: Any, recorded: Recorded) -> Options:
    images = len(next(iter(recorded[state.run].values())))
    return [(f"test image {i}", i) for i in range(images)]


def _layers(state: Any, recorded: Recorded) -> Options:
    return [(layer_label(name), name) for name in load_ticket(state.run).counted]


def _barriers(state: Any, recorded: Recorded) -> Options:
    return [(f"per {name}", name) for name in BARRIERS]


@dataclass(frozen=True)
class SpikesState:
    """Where the controls stand.

    run: a recorded run with spikes. image: of the test set. layer: the one shown. n_pe: PEs.
    barrier: a name in `BARRIERS`.
    """

    run: str = menu("ticket", _runs)
    image: int = slider("image", _images)
    layer: str = menu("layer", _layers, last=True)
    n_pe: int = pe_slider()
    barrier: str = menu("barrier", _barriers, "wave")


def spikes(names: str | Iterable[str] | None = None) -> Explorer:
    """See where the spikes of real images put the work, on recorded networks.

    names: a run with recorded spikes or several, default all. Raises ValueError for an unknown
    name, TypeError for what is none.
    """
    recorded = {name: load_spikes(name) for name in names_of_runs(names, runs_with_spikes())}
    return Explorer("spikes", spikes_frame, SpikesState(next(iter(recorded))), recorded)


def spikes_frame(state: SpikesState, recorded: Recorded) -> Frame:
    """Everything the explorer shows for a state."""
    ticket, layer = load_ticket(state.run), state.layer
    accelerator = Accelerator(state.n_pe)
    given = recorded[state.run][layer][state.image]
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
    barriers = [("by weights", "weights", weighed, plain.latency)]
    barriers += [(f"per {b}", "spikes", r.utilization, r.latency) for b, r in reports.items()]
    return {
        "data": {
            "pes": {
                "pe": list(range(n)) * 2,
                "what": ["weights"] * n + ["spikes"] * n,
                "share": [*_shares(by_weights), *_shares(done)],
                "cycles": [*by_weights.tolist(), *done.tolist()],
            },
            "barriers": {
                "barrier": [f"{name}: {cycles:,} cycles" for name, _, _, cycles in barriers],
                "what": [what for _, what, _, _ in barriers],
                "utilization": [float(value) for _, _, value, _ in barriers],
                "latency": [int(cycles) for *_, cycles in barriers],
                "chosen": [name == f"per {state.barrier}" for name, *_ in barriers],
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
            f"{state.run}, {layer_label(layer)}, test image {state.image}, {plural(n, 'PE')}: "
            f"{silent:.1%} of the inputs are silent. Counted by its weights the layer's PEs are "
            f"used to {weighed:.1%} and it takes {plain.latency:,} cycles; with the spikes of this "
            f"image and a barrier per {state.barrier}, {chosen.utilization:.1%} and "
            f"{chosen.latency:,}: {BARRIERS[state.barrier]}."
        ),
    }


def _shares(values: np.ndarray) -> list[float]:
    """Of the mean."""
    mean = values.mean()
    return (values / mean if mean else values.astype(float)).tolist()
