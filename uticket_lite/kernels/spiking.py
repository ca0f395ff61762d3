"""Accumulations that spikes cause: a non-zero costs a cycle only when a spike meets it."""

import numpy as np

from uticket_lite.kernels.bits import list_ones
from uticket_lite.kernels.jit import kernel


@kernel()
def accumulate(
    row: np.ndarray,
    start: int,
    stop: int,
    spikes: np.ndarray,
    first_channel: int,
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    ones: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Add to counts (T, H_out, W_out) the spikes that meet weights [start, stop) of a filter.

    row: the filter's mask, bits. spikes: uint8 (T, C, H, W); the filter's channels begin at
    first_channel. ones: scratch, as long as the filter.
    """
    timesteps, _, height, width = spikes.shape
    _, rows, columns = counts.shape
    area = window[0] * window[1]
    for i in ones[: list_ones(row, start, stop, ones)]:
        channel, place = first_channel + i // area, i % area
        down, right = place // window[1] - padding[0], place % window[1] - padding[1]
        for t in range(timesteps):
            for y in range(rows):
                from_y = y * stride[0] + down
                if 0 <= from_y < height:
                    for x in range(columns):
                        from_x = x * stride[1] + right
                        if 0 <= from_x < width:
                            counts[t, y, x] += spikes[t, channel, from_y, from_x]


@kernel()
def spike_loads(
    bits: np.ndarray,
    size: int,
    parts: np.ndarray,
    wave: np.ndarray,
    pe: np.ndarray,
    n: int,
    spikes: np.ndarray,
    first_channel: np.ndarray,
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    out_shape: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Accumulations of each PE in each wave, int64 (waves, n), and three latencies.

    parts: int64 (items, 3): filter, first and last + 1 weight of what an item holds; wave
    (ascending), pe: where each item runs, int64 (items,). first_channel: of each filter's
    inputs, int64 (filters,). Latencies, int64 (3,): with a barrier after every wave, after
    every timestep of a wave, after every output position of a timestep.
    """
    waves = wave[-1] + 1
    work = np.zeros((waves, n), np.int64)
    latency = np.zeros(3, np.int64)
    counts = np.zeros((n, spikes.shape[0], out_shape[0], out_shape[1]), np.int32)
    ones = np.empty(size, np.int64)
    item = 0
    for g in range(waves):
        counts[:] = 0
        while item < wave.size and wave[item] == g:
            k, start, stop = parts[item]
            accumulate(
                bits[k], start, stop, spikes, first_channel[k], window, stride, padding, ones,
                counts[pe[item]],
            )  # fmt: skip
            item += 1
        by_step = np.zeros(n, np.int64)
        for t in range(spikes.shape[0]):
            by_step[:] = 0
            for y in range(out_shape[0]):
                for x in range(out_shape[1]):
                    largest = 0
                    for j in range(n):
                        by_step[j] += counts[j, t, y, x]
                        largest = max(largest, counts[j, t, y, x])
                    latency[2] += largest
            latency[1] += by_step.max()
            work[g] += by_step
        latency[0] += work[g].max()
    return work, latency
