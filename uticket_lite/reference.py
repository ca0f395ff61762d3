"""Every definition once more, in plain Python and NumPy: slow, short, to be read in one sitting.

It is what the course's checks, the tests and the benchmarks compare with, and it uses none of
the package's fast code. Words: a layer's *mask* (K, C, …) is True where a weight is kept; its K
filters are shared by n *processing elements* (PEs); a PE's *load* is the number of non-zero
weights that it holds; the PEs start a *wave* together and wait for the slowest. Equations and
Algorithm 1 are those of Yin et al. 2024 (arXiv 2302.06746).
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


def parts(mask: np.ndarray, n: int, mapping: str = "output-channel") -> Iterator[list[np.ndarray]]:
    """Wave after wave, the piece of the mask that each of n PEs holds, flat and not copied.

    `output-channel`: the next n filters, one a PE; after the last filter a PE's piece is empty.
    `input-channel`: one filter, its C channels cut into n slices of ⌈C/n⌉; the last ones may be
    shorter or empty.
    """
    filters = mask.reshape(len(mask), -1)
    if mapping == "output-channel":
        for first in range(0, len(filters), n):
            wave = list(filters[first : first + n])
            yield wave + [filters[0, :0]] * (n - len(wave))
    else:
        channels = mask.shape[1]
        width = math.ceil(channels / n) * (filters.shape[1] // channels)
        for one in filters:
            yield [one[j * width : (j + 1) * width] for j in range(n)]


def loads(mask: np.ndarray, n: int, mapping: str = "output-channel") -> np.ndarray:
    """Non-zeros of each PE in each wave, (waves, n)."""
    return np.array([[int(piece.sum()) for piece in wave] for wave in parts(mask, n, mapping)])


def latency(loads: ArrayLike) -> int:
    """Cycles until the last wave ends: every wave takes as long as its slowest PE."""
    return sum(int(max(wave)) for wave in np.asarray(loads))


def work(loads: ArrayLike) -> int:
    """PE-cycles in which a PE works; one non-zero takes one cycle."""
    return sum(int(sum(wave)) for wave in np.asarray(loads))


def idle(loads: ArrayLike) -> int:
    """PE-cycles in which a PE waits for the slowest of its wave."""
    return sum(int(max(wave) - load) for wave in np.asarray(loads) for load in wave)


def utilization(wave: ArrayLike) -> float:
    """Eq. 2 for one wave: 1 if its n loads are equal, 0 if one PE does everything; 1 if n = 1.

    u = 1 − (M − A)/M · n/(n − 1), M the largest and A the mean load. Not defined for M = 0.
    """
    wave = np.asarray(wave)
    n, largest, mean = len(wave), wave.max(), wave.mean()
    return 1.0 if n == 1 else float(1 - (largest - mean) / largest * n / (n - 1))


def layer_utilization(loads: ArrayLike) -> float:
    """Mean of Eq. 2 over the waves that hold a non-zero; 1 if none does."""
    waves = [utilization(wave) for wave in np.asarray(loads) if max(wave) > 0]
    return sum(waves) / len(waves) if waves else 1.0


def network_utilization(layers: Iterable[tuple[int, ArrayLike]]) -> float:
    """Mean over layers (number of weights, loads), weighted by the number of weights."""
    layers = list(layers)
    parameters = sum(size for size, _ in layers)
    return sum(size * layer_utilization(loads) for size, loads in layers) / parameters


def balance(
    mask: np.ndarray, n: int, rng: np.random.Generator, mapping: str = "output-channel"
) -> np.ndarray:
    """Algorithm 1: a copy of the mask in which all PEs of a wave have a = ⌈mean load⌉ non-zeros.

    The mean is over PEs that hold a part of a filter; none can keep more weights than it holds.
    """
    balanced = mask.copy()
    for wave in parts(balanced, n, mapping):
        holding = [piece for piece in wave if piece.size]
        a = math.ceil(sum(int(piece.sum()) for piece in holding) / len(holding))
        for piece in holding:
            load, target = int(piece.sum()), min(a, piece.size)
            if load > target:
                piece[rng.choice(np.flatnonzero(piece), load - target, replace=False)] = False
            elif load < target:
                piece[rng.choice(np.flatnonzero(~piece), target - load, replace=False)] = True
    return balanced


def sort(counts: Sequence[int]) -> list[int]:
    """The filters, densest first; of equally dense ones the first comes first."""
    return sorted(range(len(counts)), key=lambda k: -counts[k])


def lpt(counts: Sequence[int], n: int) -> list[int]:
    """Loads of n PEs when the densest filter left goes to the PE that frees first."""
    busy = [0] * n
    for k in sort(counts):
        busy[busy.index(min(busy))] += int(counts[k])
    return busy


def energy(work: float, idle: float, spike_sparsity: float, r: float) -> float:
    """Eq. 3, in units of what one PE spends on one input spike: work·((1 − s) + r) + idle·r."""
    return work * ((1 - spike_sparsity) + r) + idle * r


def lif_step(
    membrane: np.ndarray,
    spiked: np.ndarray,
    current: np.ndarray,
    beta: float = 0.25,
    threshold: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """One timestep of leaky integrate-and-fire neurons: their membranes, and who spikes.

    Who spiked in the step before starts again from 0; the share beta of what is left is kept,
    the current is added, and who is above the threshold spikes.
    """
    membrane = np.where(spiked, 0, membrane)
    membrane = (beta * membrane + current).astype(current.dtype)
    return membrane, membrane > threshold


def lif(currents: np.ndarray, beta: float = 0.25, threshold: float = 1.0) -> np.ndarray:
    """Spikes of a layer of neurons over time, from currents (T, …); membranes start at 0."""
    membrane, spiked, spikes = np.zeros_like(currents[0]), np.zeros(currents[0].shape, bool), []
    for current in currents:
        membrane, spiked = lif_step(membrane, spiked, current, beta, threshold)
        spikes.append(spiked)
    return np.array(spikes)


def prune(
    weights: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray], fraction: float
) -> dict[str, np.ndarray]:
    """Copies of the masks without the k = ⌊fraction·alive⌋ smallest |w| that are alive.

    One ranking over all layers, and exactly k: of equal weights the first are pruned.
    """
    ranked = sorted(
        (abs(float(weights[name].flat[place])), layer, name, int(place))
        for layer, name in enumerate(masks)
        for place in np.flatnonzero(masks[name])
    )
    pruned = {name: mask.copy() for name, mask in masks.items()}
    for _, _, name, place in ranked[: int(fraction * len(ranked))]:
        pruned[name].flat[place] = False
    return pruned


class Found(NamedTuple):
    """Loads of each layer, (waves, n); utilization (Eq. 2); work, idle, latency in cycles."""

    loads: dict[str, np.ndarray]
    utilization: float
    work: int
    idle: int
    latency: int


def simulate(
    masks: Mapping[str, np.ndarray],
    positions: Mapping[str, int],
    timesteps: int,
    counted: Sequence[str],
    n: int,
    mapping: str = "output-channel",
) -> Found:
    """The counted layers on n PEs; a non-zero takes a cycle per output position and timestep."""
    found = {name: loads(masks[name], n, mapping) for name in counted}
    used = network_utilization((masks[name].size, found[name]) for name in counted)
    cycles = [
        sum(count(found[name]) * positions[name] * timesteps for name in counted)
        for count in (work, idle, latency)
    ]
    return Found(found, used, *cycles)


def balance_all(
    masks: Mapping[str, np.ndarray], counted: Sequence[str], n: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The masks, those of the counted layers balanced by Algorithm 1."""
    return {**masks, **{name: balance(masks[name], n, rng) for name in counted}}
