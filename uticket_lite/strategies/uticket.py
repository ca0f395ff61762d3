"""u-Ticket (Algorithm 1): give every PE of a wave the wave's mean load, at random positions."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from uticket_lite.accelerator import Accelerator
from uticket_lite.kernels.resampling import resample
from uticket_lite.strategies.base import Strategy
from uticket_lite.ticket import Layer
from uticket_lite.workload import capacities, loads, n_waves, segments


def ceil_mean(loads: np.ndarray, capacities: np.ndarray) -> np.ndarray:
    """a = ⌈mean load⌉ of each wave, int64 (waves,), over the PEs that hold a part of a filter.

    PEs without one (a short last wave, more PEs than channels) cannot regrow anything;
    counting them would only make the others drop weights.
    """
    holding = np.maximum((capacities > 0).sum(axis=1), 1)
    return -(-loads.sum(axis=1) // holding)


@dataclass(frozen=True)
class Rebalance(Strategy):
    """Regrow or drop random weights until every PE of a wave has the wave's target load.

    target: from loads and capacities, int64 (waves, n), to each wave's target, int64 (waves,).
    The target is capped by what a PE can hold.
    """

    target: Callable[[np.ndarray, np.ndarray], np.ndarray] = ceil_mean

    def balance(self, layer: Layer, accelerator: Accelerator, rng: np.random.Generator) -> Layer:
        """The layer with all PEs of a wave equally loaded; see `Strategy.balance`."""
        now, most = loads(layer, accelerator), capacities(layer, accelerator)
        parts = segments(layer, accelerator)
        wanted = np.minimum(self.target(now, most)[:, None], most).ravel()[parts.place]
        indices = resample(layer.indices, parts.counts, parts.starts, parts.capacities, wanted, rng)
        if accelerator.mapping == "input-channel":
            per_wave = np.zeros(n_waves(layer, accelerator), np.int64)
            np.add.at(per_wave, parts.place // accelerator.n_pe, wanted)
            wanted = per_wave
        return replace(layer, counts=wanted.astype(np.int32), indices=indices)


RANK = 10
STRATEGY = Rebalance(
    name="uticket",
    label="u-Ticket (regrow and drop to the mean)",
    changes="mask",
    cost="Weights: random ones are dropped and pruned ones regrown, so the network is retrained.",
    source="Yin et al. 2024, Algorithm 1",
)
