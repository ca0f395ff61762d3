"""What uneven loads cost: cycles (work, idle, latency) and utilization (Eq. 2)."""

from typing import NamedTuple

import numpy as np

from uticket_lite.edge.checks import one_of
from uticket_lite.hardware.loads import Workload
from uticket_lite.kernels import cycles

ROUNDINGS = {
    "exact": "mean load as it is (the paper)",
    "ceil": "mean load rounded up (the released code)",
}
AVERAGES = {
    "parameters": "layers weighted by their number of weights (the paper)",
    "layers": "every layer counts the same (the released code)",
    "cycles": "from the network's total work and latency",
}


class LayerTotals(NamedTuple):
    """One entry per layer: Σ loads; how long the slowest PE takes; Eq. 2."""

    work: np.ndarray
    latency: np.ndarray
    utilization: np.ndarray


def layer_totals(workload: Workload, ahead: int = 0, rounding: str = "exact") -> LayerTotals:
    """Work and latency (for one position and timestep) and utilization of each layer.

    A wave lasts as long as its slowest PE, and latency is Σ max; with `ahead`, PEs may run
    that many waves ahead of the slowest. Utilization is the mean of Eq. 2 over the waves that
    hold a non-zero, 1 if none does; with `ahead`, it is that of the layer's work and latency.
    """
    ceil = one_of("rounding", rounding, ROUNDINGS) == "ceil"
    return LayerTotals(*cycles.layer_totals(workload.loads, workload.starts, ahead, ceil))


def wave_utilization(loads: np.ndarray, rounding: str = "exact") -> np.ndarray:
    """Eq. 2 for each wave, float64 (waves,); NaN for a wave without non-zeros.

    loads: int64 (waves, n). u = 1 − (M − A)/M · n/(n − 1) with M the largest and A the mean
    load of the wave: 1 if all PEs are equally loaded, 0 if one PE does everything. For n = 1,
    u = 1. rounding: `exact` (the paper) or `ceil` (the released code rounds A up).
    """
    return cycles.wave_utilization(loads, one_of("rounding", rounding, ROUNDINGS) == "ceil")


def cycle_utilization(work: float, latency: float, n: int) -> float:
    """Eq. 2 from total work and latency, u = (work/latency − 1)/(n − 1): with A = work/n."""
    if n == 1 or latency == 0:
        return 1.0
    return (work / latency - 1) / (n - 1)
