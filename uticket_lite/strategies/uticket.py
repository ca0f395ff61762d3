"""u-Ticket (Algorithm 1): give every PE of a wave the wave's mean load, at random positions."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.loads import capacities, loads, slice_size
from uticket_lite.kernels.resampling import resample
from uticket_lite.strategies.base import Strategy
from uticket_lite.tickets.layer import Layer

NO_MAGNITUDES = np.empty((0, 0), np.float32)


def ceil_mean(loads: np.ndarray, capacities: np.ndarray) -> np.ndarray:
    """a = ⌈mean load⌉ of each wave, over the PEs that hold a part of a filter.

    PEs without one (a short last wave, more PEs than channels) cannot regrow anything;
    counting them would only make the others drop weights.
    """
    holding = np.maximum(np.count_nonzero(capacities, axis=1), 1)
    return -(-loads.sum(axis=1) // holding)


@dataclass(frozen=True)
class Rebalance(Strategy):
    """Regrow or drop weights until every PE of a wave has the wave's target load.

    target: from loads and capacities, int64 (waves, n), to the target of each wave, int64
    (waves,); it is capped by what a PE can hold. by_magnitude: drop the smallest and regrow the
    largest |w| where the layer's magnitudes are known, instead of random ones.
    """

    target: Callable[[np.ndarray, np.ndarray], np.ndarray] = ceil_mean
    by_magnitude: bool = False

    def balance(self, layer: Layer, accelerator: Accelerator, rng: np.random.Generator) -> Layer:
        """The layer with all PEs of a wave equally loaded; see `Strategy.balance`."""
        now, most = loads(layer, accelerator), capacities(layer, accelerator)
        wanted = np.minimum(self.target(now, most)[:, None], most)
        cut = accelerator.mapping == "input-channel"
        known = self.by_magnitude and layer.magnitudes is not None
        bits = resample(
            layer.bits,
            layer.filter_size,
            slice_size(layer, accelerator.n_pe) if cut else layer.filter_size,
            accelerator.n_pe if cut else 1,
            now.ravel(),
            wanted.ravel(),
            np.asarray(layer.magnitudes) if known else NO_MAGNITUDES,
            rng,
        )
        return replace(layer, mask=bits)


RANK = 10
STRATEGY = Rebalance(
    name="uticket",
    label="u-Ticket (regrow and drop to the mean)",
    changes="mask",
    cost="Weights: random ones are dropped and pruned ones regrown, so the network is retrained.",
    source="Yin et al. 2024, Algorithm 1",
)
