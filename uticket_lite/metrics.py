"""What uneven loads cost: cycles (work, idle, latency) and utilization (Eq. 2)."""

import numpy as np

from uticket_lite.errors import one_of

ROUNDINGS = {
    "exact": "mean load as it is (the paper)",
    "ceil": "mean load rounded up (the released code)",
}
AVERAGES = {
    "parameters": "layers weighted by their number of weights (the paper)",
    "layers": "every layer counts the same (the released code)",
    "cycles": "from the network's total work and latency",
}


def work_cycles(loads: np.ndarray) -> int:
    """Σ loads: PE-cycles in which a PE works, for one position and timestep."""
    return int(loads.sum())


def latency_cycles(loads: np.ndarray) -> int:
    """Σ over waves of the largest load: a wave lasts as long as its slowest PE."""
    return int(loads.max(axis=1).sum())


def wave_utilization(loads: np.ndarray, rounding: str = "exact") -> np.ndarray:
    """Eq. 2 for each wave, float64 (waves,); NaN for a wave without non-zeros.

    loads: (waves, n). u = 1 − (M − A)/M · n/(n − 1) with M the largest and A the mean load of
    the wave: 1 if all PEs are equally loaded, 0 if one PE does everything. For n = 1, u = 1.
    rounding: `exact` (the paper) or `ceil` (the released code rounds A up).
    """
    one_of("rounding", rounding, ROUNDINGS)
    n = loads.shape[1]
    largest = loads.max(axis=1).astype(float)
    largest[largest == 0] = np.nan
    if n == 1:
        return np.where(np.isnan(largest), np.nan, 1.0)
    mean = loads.mean(axis=1)
    if rounding == "ceil":
        mean = np.ceil(mean)
    return 1 - (largest - mean) / largest * n / (n - 1)


def utilization(loads: np.ndarray, rounding: str = "exact") -> float:
    """A layer's utilization: the mean over its waves that hold a non-zero; 1 if none does."""
    waves = wave_utilization(loads, rounding)
    waves = waves[~np.isnan(waves)]
    return float(waves.mean()) if waves.size else 1.0


def cycle_utilization(work: float, latency: float, n: int) -> float:
    """Eq. 2 from total work and latency, u = (work/latency − 1)/(n − 1): with A = work/n."""
    if n == 1 or latency == 0:
        return 1.0
    return (work / latency - 1) / (n - 1)
