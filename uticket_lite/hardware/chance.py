"""What chance alone costs: utilization to expect if weights are kept with one probability."""

import numpy as np


def expected_utilization(capacities: np.ndarray, density: float) -> float:
    """Eq. 2 to expect of a layer whose weights are non-zero independently with one probability.

    Its filters are then alike, and PEs wait only because small numbers scatter: for loads
    X_j ~ Bin(capacity_j, density) of a wave, with sum S and maximum M,
    E[S/M] = Σ_m (E[S; M ≤ m] − E[S; M ≤ m − 1]) / m, exactly. As in Eq. 2, waves without a
    non-zero do not count, and a layer without any has 1.

    capacities: weights that each PE could hold in each wave, int64 (waves, n). density: 0 to 1.
    """
    n = capacities.shape[1]
    if n == 1 or density <= 0:
        return 1.0
    kinds, times = np.unique(capacities, axis=0, return_counts=True)
    share, counts = zip(*(_of_wave(kind, density) for kind in kinds), strict=True)
    weights = times * np.array(counts)  # waves that hold a non-zero
    return float((np.array(share) - 1) @ weights / (n - 1) / weights.sum())


def _of_wave(capacities: np.ndarray, density: float) -> tuple[float, float]:
    """E[S/M] where a wave holds a non-zero, and how probable that is."""
    some = float(-np.expm1(capacities.sum() * np.log1p(-density))) if density < 1 else 1.0
    if some < 1e-9:  # one non-zero at most
        return 1.0, some
    top = int(capacities.max())
    m = np.arange(top + 1)
    sizes, pes = np.unique(capacities[capacities > 0], return_counts=True)
    each = [_binomial(int(size), density, top) for size in sizes]
    below = [np.cumsum(p) for p in each]  # P(X ≤ m)
    means = [np.cumsum(m * p) for p in each]  # E[X; X ≤ m]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = sum(k * mean / f for k, mean, f in zip(pes, means, below, strict=True))
    all_below = np.prod([f**k for k, f in zip(pes, below, strict=True)], axis=0)
    sums = np.where(all_below > 0, np.nan_to_num(ratios) * all_below, 0.0)  # E[S; M ≤ m]
    return float((np.diff(sums) / m[1:]).sum() / some), some


def _binomial(size: int, density: float, top: int) -> np.ndarray:
    """P(X = k) of Bin(size, density) for k = 0 … top, float64 (top + 1,)."""
    p = np.zeros(top + 1)
    if density >= 1:
        p[size] = 1
        return p
    k = np.arange(size)
    steps = np.log((size - k) / (k + 1)) + np.log(density) - np.log1p(-density)
    logs = np.concatenate([[0.0], np.cumsum(steps)]) + size * np.log1p(-density)
    p[: size + 1] = np.exp(logs)
    return p
