"""Spike-aware loads: in a spiking network a weight costs a cycle only when a spike meets it.

A ticket balanced by its weights still waits: which spikes arrive differs from PE to PE.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from uticket_lite.edge.arrays import to_array, to_integers
from uticket_lite.edge.checks import instance, one_of, whole_number
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.loads import slice_size
from uticket_lite.hardware.metrics import cycle_utilization
from uticket_lite.kernels.cycles import finish_times
from uticket_lite.kernels.spiking import spike_loads
from uticket_lite.simulation.run import allowed, seeded_rng
from uticket_lite.strategies import Strategy
from uticket_lite.strategies.checked import balanced, dealt, ordered
from uticket_lite.tickets.filters import Filters
from uticket_lite.tickets.layer import Layer

BARRIERS = {
    "layer": "PEs wait once, at the end of the layer",
    "wave": "PEs wait after every wave, when all timesteps and positions are done",
    "timestep": "PEs wait after every timestep of a wave",
    "position": "PEs wait after every output position of a timestep",
}
"""Barrier name to what it means, from the most patient to the least."""

MOST = 2**12
"""Of strides and paddings: more than any layer has."""


@dataclass(frozen=True)
class SpikeReport:
    """True accumulations of one layer for one input; one accumulation costs one cycle.

    accumulations: by each PE in each wave, int64 (waves, n). latency: cycles until the layer
    is done under `barrier`.
    """

    accumulations: np.ndarray
    latency: int
    barrier: str

    @property
    def work(self) -> int:
        """PE-cycles spent accumulating."""
        return int(self.accumulations.sum())

    @property
    def idle(self) -> int:
        """PE-cycles spent waiting: n·latency − work."""
        return self.accumulations.shape[1] * self.latency - self.work

    @property
    def utilization(self) -> float:
        """Eq. 2 from the layer's work and latency; 1 if no spike met a weight."""
        return cycle_utilization(self.work, self.latency, self.accumulations.shape[1])


def simulate_spikes(
    layer: Layer,
    spikes: np.ndarray,
    accelerator: Accelerator,
    strategy: str | Strategy = "none",
    *,
    barrier: str = "wave",
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    order: np.ndarray | None = None,
    costs: np.ndarray | None = None,
    seed: int = 0,
) -> SpikeReport:
    """Count every PE's accumulations for recorded input spikes of a layer.

    spikes: 0 or 1, (T, C, H, W) for a 2-D convolution, (T, C) for a linear layer; C is the
    layer's input channels times its groups. strategy: how filters are ordered and dealt, or the
    mask balanced (by `seed`); a name or a `Strategy`. barrier: a name in `BARRIERS`; where the
    strategy has no waves inside a layer, the layer is one. stride, padding: of the convolution.
    order: in which filters start, as in `Report.orders`, in place of the strategy's. costs: what
    the strategy takes each filter to cost, int64 (K,), in place of its non-zeros: `spike_costs`
    of other inputs makes every order and schedule aware of spikes.

    Raises ValueError for spikes that are not 0 or 1 or do not fit the layer, and for a barrier
    finer than waves where the strategy's PEs run ahead; TypeError for a padding in words: "same"
    is kernel // 2 where kernels are odd and the stride is 1.
    """
    instance("layer", layer, Layer, 'ut.load_ticket("digits-lth").layers["conv2"], say')
    instance("accelerator", accelerator, Accelerator, "ut.Accelerator(n_pe=16), say")
    barrier = one_of("barrier", barrier, BARRIERS)
    how, seed = allowed(strategy, accelerator), whole_number("seed", seed, minimum=0)
    if how.ahead and barrier not in ("layer", "wave"):
        raise ValueError(
            f"strategy {how.name!r} lets PEs run {how.ahead} waves ahead, so they do not wait per "
            f"{barrier}; take barrier 'wave' or 'layer'"
        )
    if how.changes == "mask":
        layer = balanced(how, layer, accelerator, seeded_rng(seed, ""), "")
    spikes, window = _fit(layer, to_array(spikes, "spikes: "))
    strides, pads = _pair("stride", stride, 1), _pair("padding", padding, 0)
    filters, groups = layer.shape[0], spikes.shape[1] // layer.shape[1]
    out_shape = tuple(
        (side + 2 * pad - size) // step + 1
        for side, pad, size, step in zip(spikes.shape[2:], pads, window, strides, strict=True)
    )
    if min(out_shape) < 1:
        raise ValueError(
            f"spikes {spikes.shape} with padding {pads} are smaller than the filters' {window}"
        )
    parts, wave, pe = _items(layer, accelerator, how, order, costs, seed)
    work, latencies = spike_loads(
        layer.bits,
        layer.filter_size,
        parts,
        wave,
        pe,
        accelerator.n_pe,
        spikes,
        np.arange(filters) // (filters // groups) * layer.shape[1],
        window,
        strides,
        pads,
        out_shape,
    )
    latency = {
        "layer": work.sum(axis=0).max(),
        "wave": finish_times(work, how.ahead)[-1].max() if how.ahead else latencies[0],
        "timestep": latencies[1],
        "position": latencies[2],
    }[barrier]
    return SpikeReport(work, int(latency), barrier)


def _fit(layer: Layer, spikes: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The spikes as uint8 (T, C, H, W) and the filters' window, if they fit each other."""
    if len(layer.shape) not in (2, 4):
        raise ValueError(f"a layer of shape {layer.shape} is neither linear nor a 2-D convolution")
    wanted = "(T, C)" if len(layer.shape) == 2 else "(T, C, H, W)"
    if spikes.ndim != len(layer.shape) or spikes.size == 0:
        raise ValueError(f"spikes of shape {spikes.shape} are not {wanted} with at least one entry")
    channels = layer.shape[1]
    if spikes.shape[1] % channels or layer.shape[0] % (spikes.shape[1] // channels):
        raise ValueError(
            f"spikes have {spikes.shape[1]} channels, the layer's filters {channels}; "
            "they must be equal, or a multiple of it for a grouped convolution"
        )
    if not np.isin(spikes, (0, 1)).all():
        raise ValueError("spikes must be 0 or 1; values between are not spikes but averages")
    if len(layer.shape) == 2:
        return spikes.astype(np.uint8, order="C")[:, :, None, None], (1, 1)
    return spikes.astype(np.uint8, order="C"), (layer.shape[2], layer.shape[3])


def _pair(what: str, value: int | tuple[int, int], minimum: int) -> tuple[int, int]:
    both = value if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2:
        raise ValueError(f"{what} must be one whole number or two (rows, columns), not {value!r}")
    rows, columns = (whole_number(what, each, minimum, MOST) for each in both)
    return rows, columns


def spike_costs(
    layer: Layer,
    recorded: Iterable[np.ndarray],
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
) -> np.ndarray:
    """Accumulations of each filter, int64 (K,), over recorded inputs, each as in
    `simulate_spikes`: what to expect of inputs like them."""
    alone = Accelerator(layer.shape[0])  # a PE for each filter
    reports = [
        simulate_spikes(layer, spikes, alone, stride=stride, padding=padding) for spikes in recorded
    ]
    if not reports:
        raise ValueError("costs need the recorded spikes of at least one input")
    return np.sum([report.accumulations[0] for report in reports], axis=0)


def _items(
    layer: Layer,
    accelerator: Accelerator,
    how: Strategy,
    order: np.ndarray | None,
    costs: np.ndarray | None,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each PE holds in each wave: (filter, first, last + 1 weight), and its wave and PE."""
    n, filters = accelerator.n_pe, layer.shape[0]
    given = Filters.of({"": layer})
    if costs is not None:
        costs = to_integers(costs, "costs: ")
        if costs.shape != (filters,) or costs.min() < 0:
            raise ValueError(f"costs must be a whole number from 0 for each of {filters} filters")
        given = replace(given, counts=costs)
    if accelerator.mapping == "input-channel":
        sequence = np.arange(filters) if order is None else _permutation(order, filters)
        cuts = np.minimum(np.arange(n + 1) * slice_size(layer, n), layer.filter_size)
        parts = np.empty((filters, n, 3), np.int64)
        parts[..., 0], parts[..., 1], parts[..., 2] = sequence[:, None], cuts[:-1], cuts[1:]
        wave, pe = np.divmod(np.arange(filters * n), n)
        return parts.reshape(-1, 3), wave, pe
    cut = given.cut(how.parts)
    if order is None:
        chosen = ordered(how, cut, lambda: seeded_rng(seed, ""))
        sequence = np.arange(cut.counts.size) if chosen is None else chosen
    else:
        whole = _permutation(order, filters)
        sequence = (whole[:, None] * how.parts + np.arange(how.parts)).ravel()
    wave, pe = dealt(how, cut.counts[sequence], cut.starts, n)
    by_wave = np.argsort(wave, kind="stable")
    return _weights(layer, how.parts)[sequence][by_wave], wave[by_wave], pe[by_wave]


def _weights(layer: Layer, parts: int) -> np.ndarray:
    """Filter, first and last + 1 weight of every part of every filter, int64 (K·parts, 3); parts
    have equally many non-zeros, or one more, as in `Filters.cut`."""
    filters = np.repeat(np.arange(layer.shape[0]), parts)
    ranges = np.full((layer.shape[0], parts + 1), layer.filter_size)
    ranges[:, 0] = 0
    shares = (layer.counts[:, None] + np.arange(parts)) // parts
    by_filter = np.split(layer.indices(), np.cumsum(layer.counts)[:-1]) if parts > 1 else []
    for k, positions in enumerate(by_filter):
        at = np.cumsum(shares[k])[:-1]
        known = np.append(positions, layer.filter_size)
        ranges[k, 1:-1] = known[at]
    return np.column_stack([filters, ranges[:, :-1].ravel(), ranges[:, 1:].ravel()])


def _permutation(order: np.ndarray, filters: int) -> np.ndarray:
    sequence = to_integers(order, "order: ")
    if not np.array_equal(np.sort(sequence), np.arange(filters)):
        raise ValueError(f"order is not a permutation of the layer's {filters} filters")
    return sequence
