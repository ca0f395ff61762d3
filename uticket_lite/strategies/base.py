"""What a balancing strategy is, and the registry that finds them all."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from uticket_lite.hardware.accelerator import MAPPINGS, Accelerator
from uticket_lite.kernels.scheduling import deal_in_turn
from uticket_lite.tickets.layer import Layer


@dataclass(frozen=True)
class Strategy:
    """A way to balance the load of the PEs; subclasses override what they change.

    name: as users write it. label: as menus show it. changes: `nothing`, `mask`, `order`,
    `schedule` or `hardware`. cost: its price, in a sentence. source: where it comes from.
    mappings: those on which it does something. random: whether the seed matters.
    ahead: waves that a PE may run ahead of the slowest (its buffers); 0 is a barrier.
    """

    name: str
    label: str
    changes: str
    cost: str
    source: str
    mappings: tuple[str, ...] = tuple(MAPPINGS)
    random: bool = False
    ahead: int = 0

    def balance(self, layer: Layer, accelerator: Accelerator, rng: np.random.Generator) -> Layer:
        """The layer with another mask; the same layer if the strategy leaves masks alone."""
        return layer

    def order(
        self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray | None:
        """The order in which filters are dealt, a permutation inside each layer; None: as given.

        counts: non-zeros of the filters of all layers, one layer after the other, int64
        (filters,). starts: where each layer begins, int64 (layers + 1,).
        """
        return None

    def deal(self, counts: np.ndarray, starts: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The wave (from 0 in each layer) and the PE of each filter, int64 (filters,) each.

        counts, starts: as in `order`, but in the order chosen there. Default: one filter per PE
        and wave, in turn. Filters that share a wave and a PE run one after the other.
        """
        return deal_in_turn(starts, n, 1)

    def objection(self, accelerator: Accelerator) -> str | None:
        """Why the strategy does nothing on this accelerator, in a sentence; None if it works."""
        if accelerator.mapping in self.mappings:
            return None
        return (
            f"Strategy {self.name!r} has no effect with mapping {accelerator.mapping!r}; "
            f"use mapping {' or '.join(repr(mapping) for mapping in self.mappings)}, "
            "or another strategy"
        )


def find_strategies() -> Mapping[str, Strategy]:
    """Import every module of this package; name to the `STRATEGY` each defines, by `RANK`."""
    package = importlib.import_module("uticket_lite.strategies")
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
        if module.name != "base"
    ]
    modules.sort(key=lambda module: module.RANK)
    return MappingProxyType({module.STRATEGY.name: module.STRATEGY for module in modules})
