"""Cycles and utilization (Eq. 2) from loads, int64 (waves, n)."""

import numpy as np

from uticket_lite.kernels.jit import kernel


@kernel()
def utilization_of(total: int, largest: int, n: int, ceil: bool) -> float:
    """u = 1 − (M − A)/M · n/(n − 1) of a wave; NaN where M = 0, and 1 for n = 1.

    M, A: largest and mean of its n loads, `total` their sum; `ceil` rounds A up.
    """
    if largest == 0:
        return np.nan
    if n == 1:
        return 1.0
    mean = float(-(-total // n)) if ceil else total / n
    return 1 - (largest - mean) / largest * n / (n - 1)


@kernel()
def wave_utilization(loads: np.ndarray, ceil: bool) -> np.ndarray:
    """`utilization_of` each wave, float64 (waves,)."""
    waves, n = loads.shape
    result = np.empty(waves)
    for g in range(waves):
        total, largest = 0, 0
        for j in range(n):
            total += loads[g, j]
            largest = max(largest, loads[g, j])
        result[g] = utilization_of(total, largest, n, ceil)
    return result


@kernel()
def finish_times(loads: np.ndarray, ahead: int) -> np.ndarray:
    """When each PE finishes each wave, int64 (waves, n), if PEs may run `ahead` waves ahead.

    A PE starts wave g once it has finished wave g − 1 and all PEs have finished wave
    g − 1 − ahead; `ahead` = 0 is a barrier after every wave.
    """
    waves, n = loads.shape
    finish = np.empty((waves, n), np.int64)
    slowest = np.zeros(waves, np.int64)
    for g in range(waves):
        gate = slowest[g - 1 - ahead] if g > ahead else 0
        for j in range(n):
            start = max(gate, finish[g - 1, j]) if g > 0 else 0
            finish[g, j] = start + loads[g, j]
            slowest[g] = max(slowest[g], finish[g, j])
    return finish


@kernel()
def layer_totals(
    loads: np.ndarray, wave_starts: np.ndarray, ahead: int, ceil: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Work, latency (int64) and utilization (float64) of each layer, (layers,) each.

    Utilization is the mean over the waves that hold a non-zero, 1 if none does; where PEs may
    run ahead, waves overlap, and it is that of the layer's work and latency.
    """
    n, layers = loads.shape[1], wave_starts.size - 1
    work = np.zeros(layers, np.int64)
    latency = np.zeros(layers, np.int64)
    utilization = np.ones(layers)
    for layer in range(layers):
        first, last = wave_starts[layer], wave_starts[layer + 1]
        summed, counted = 0.0, 0
        for g in range(first, last):
            total, largest = 0, 0
            for j in range(n):
                total += loads[g, j]
                largest = max(largest, loads[g, j])
            work[layer] += total
            latency[layer] += largest
            if largest > 0:
                summed += utilization_of(total, largest, n, ceil)
                counted += 1
        if counted and ahead > 0:
            latency[layer] = 0
            for finish in finish_times(loads[first:last], ahead)[last - first - 1]:
                latency[layer] = max(latency[layer], finish)
            if n > 1:
                utilization[layer] = (work[layer] / latency[layer] - 1) / (n - 1)
        elif counted:
            utilization[layer] = summed / counted
    return work, latency, utilization
