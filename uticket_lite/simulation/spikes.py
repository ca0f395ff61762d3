"""Spike-aware loads: in a spiking network a weight costs a cycle only when a spike meets it.

A ticket balanced by its weights still waits: which spikes arrive differs from PE to PE.
"""

from dataclasses import dataclass

import numpy as np

from uticket_lite.edge.checks import one_of, whole_number
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.loads import slice_size
from uticket_lite.hardware.metrics import cycle_utilization
from uticket_lite.kernels.scheduling import deal_in_turn
from uticket_lite.kernels.spiking import spike_loads
from uticket_lite.tickets.layer import Layer

BARRIERS = {
    "layer": "PEs wait once, at the end of the layer",
    "wave": "PEs wait after every wave, when all timesteps and positions are done",
    "timestep": "PEs wait after every timestep of a wave",
    "position": "PEs wait after every output position of a timestep",
}
"""Barrier name to what it means, from the most patient to the least."""


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
    *,
    barrier: str = "wave",
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    order: np.ndarray | None = None,
) -> SpikeReport:
    """Count every PE's accumulations for recorded input spikes of a layer.

    spikes: 0 or 1, (T, C, H, W) for a 2-D convolution, (T, C) for a linear layer; C is the
    layer's input channels times its groups. barrier: a name in `BARRIERS`. stride, padding: of
    the convolution. order: in which filters start, as in `Report.orders`; default as given.

    Raises ValueError for spikes that are not 0 or 1 or do not fit the layer, TypeError for a
    padding in words: "same" is kernel // 2 where kernels are odd and the stride is 1.
    """
    one_of("barrier", barrier, BARRIERS)
    spikes, window = _fit(layer, np.asarray(spikes))
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
    parts, wave, pe = _items(layer, accelerator, order)
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
        "wave": latencies[0],
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
        return spikes.astype(np.uint8)[:, :, None, None], (1, 1)
    return spikes.astype(np.uint8), (layer.shape[2], layer.shape[3])


def _pair(what: str, value: int | tuple[int, int], minimum: int) -> tuple[int, int]:
    both = value if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2:
        raise ValueError(f"{what} must be one whole number or two (rows, columns), not {value!r}")
    return (whole_number(what, both[0], minimum), whole_number(what, both[1], minimum))


def _items(
    layer: Layer, accelerator: Accelerator, order: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each PE holds in each wave: (filter, first, last + 1 weight), and its wave and PE."""
    n, filters = accelerator.n_pe, layer.shape[0]
    sequence = np.arange(filters) if order is None else np.asarray(order, np.int64)
    if not np.array_equal(np.sort(sequence), np.arange(filters)):
        raise ValueError(f"order is not a permutation of the layer's {filters} filters")
    if accelerator.mapping == "input-channel":
        cuts = np.minimum(np.arange(n + 1) * slice_size(layer, n), layer.filter_size)
        parts = np.empty((filters, n, 3), np.int64)
        parts[..., 0], parts[..., 1], parts[..., 2] = sequence[:, None], cuts[:-1], cuts[1:]
        wave, pe = np.divmod(np.arange(filters * n), n)
        return parts.reshape(-1, 3), wave, pe
    wave, pe = deal_in_turn(np.array([0, filters]), n, 1)
    whole = np.broadcast_to([0, layer.filter_size], (filters, 2))
    return np.column_stack([sequence, whole]), wave, pe
