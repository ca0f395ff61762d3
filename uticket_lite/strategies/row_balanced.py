"""Equal non-zeros in every filter of a layer, by magnitude."""

from dataclasses import dataclass

from numpy.random import Generator

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.uticket import Rebalance
from uticket_lite.tickets.layer import Layer


@dataclass(frozen=True)
class RowBalance(Rebalance):
    """u-Ticket as if every filter of the layer had a PE of its own: one wave, one target."""

    def balance(self, layer: Layer, accelerator: Accelerator, rng: Generator) -> Layer:
        """The layer with ⌈mean⌉ non-zeros in every filter, whatever the accelerator."""
        return super().balance(layer, Accelerator(layer.shape[0]), rng)


RANK = 40
STRATEGY: Strategy = RowBalance(
    name="row-balanced",
    label="row-balanced (equal non-zeros in every filter)",
    changes="mask",
    cost="Weights, about as many as u-Ticket: all filters of a layer must agree, but the mean is "
    "rounded up only once. It fits any number of PEs.",
    source="Han et al. 2017 (ESE); bank-balanced and N:M sparsity are of this family",
    by_magnitude=True,
)
