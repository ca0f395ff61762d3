"""The method in straightforward NumPy: loops over layers, waves and PEs on dense masks.

That is how the method's released code works, there with torch. It is the reference for speed,
and tests check that the library finds the same.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np


class Found(NamedTuple):
    """Loads of each layer, int64 (waves, n); utilization (Eq. 2); work, idle, latency (cycles)."""

    loads: dict[str, np.ndarray]
    utilization: float
    work: int
    idle: int
    latency: int


def simulate(
    masks: Mapping[str, np.ndarray],
    positions: Mapping[str, int],
    timesteps: int,
    counted: Iterable[str],
    n: int,
) -> Found:
    """Run boolean masks (K, C, …) on n ≥ 2 PEs, a filter per PE (mapping `output-channel`)."""
    loads: dict[str, np.ndarray] = {}
    utilization, parameters = 0.0, 0
    work = idle = latency = 0
    for name in counted:
        mask, cost = masks[name], positions[name] * timesteps
        waves, of_waves = [], []
        for first in range(0, len(mask), n):
            wave = np.zeros(n, np.int64)
            for pe, one_filter in enumerate(mask[first : first + n]):
                wave[pe] = one_filter.sum()
            largest, mean = wave.max(), wave.mean()
            work += cost * int(wave.sum())
            idle += cost * int((largest - wave).sum())
            latency += cost * int(largest)
            if largest > 0:
                of_waves.append(1 - (largest - mean) / largest * n / (n - 1))
            waves.append(wave)
        loads[name] = np.array(waves)
        utilization += mask.size * (float(np.mean(of_waves)) if of_waves else 1.0)
        parameters += mask.size
    return Found(loads, utilization / parameters, work, idle, latency)


def balance(
    masks: Mapping[str, np.ndarray], counted: Iterable[str], n: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Copies of the masks, balanced by Algorithm 1 for n PEs; layers not counted as they are."""
    balanced = dict(masks)
    for name in counted:
        mask = masks[name].copy()
        filters = mask.reshape(len(mask), -1)
        for first in range(0, len(filters), n):
            wave = filters[first : first + n]
            target = math.ceil(wave.sum() / len(wave))
            for one_filter in wave:
                alive = np.flatnonzero(one_filter)
                if alive.size > target:
                    drop = rng.choice(alive, alive.size - target, replace=False)
                    one_filter[drop] = False
                elif alive.size < target:
                    pruned = np.flatnonzero(~one_filter)
                    regrow = rng.choice(pruned, target - alive.size, replace=False)
                    one_filter[regrow] = True
        balanced[name] = mask
    return balanced
