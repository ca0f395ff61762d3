"""What a balancing strategy is."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from uticket_lite.edge.checks import one_of, whole_number
from uticket_lite.hardware.accelerator import MAPPINGS, Accelerator
from uticket_lite.kernels.scheduling import deal_in_turn, deal_to_first_free
from uticket_lite.tickets.layer import Layer

CHANGES = {
    "nothing": "the ticket runs as it is",
    "mask": "which weights survive; the network is retrained",
    "order": "the order of the filters, folded into the next layer",
    "schedule": "which PE runs a filter, and when",
    "hardware": "the PE array",
}
"""What a strategy may change, to what that means."""


@dataclass(frozen=True)
class Strategy:
    """A way to balance the load of the PEs; subclasses override what they change.

    name: as users write it, one word. label: as menus show it. changes: a name in `CHANGES`.
    cost: its price, in a sentence. source: where it comes from. mappings: those on which it
    does something (orders and schedules: only where a PE holds whole filters).
    ahead: waves that a PE may run ahead of the slowest (its buffers); 0 is a barrier.
    each: filters that a PE holds in a wave; more than one run one after the other. barrier: if
    False, there are no waves inside a layer: the next filter goes to the PE that frees first.
    parts: as many equal parts of a filter's non-zeros are ordered and dealt like filters of their
    own (for schedules), and their partial sums added.

    `simulate` and its like take such an object as well as a name; `register` puts it into
    menus. What its methods return is checked there, so that they need not check it themselves;
    what is random comes from the `rng` that they are given, so that one seed gives one result.
    Raises ValueError where `changes` and the methods that a subclass overrides disagree.
    """

    name: str
    label: str
    changes: str
    cost: str
    source: str
    mappings: tuple[str, ...] = tuple(MAPPINGS)
    ahead: int = 0
    each: int = 1
    barrier: bool = True
    parts: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.name.split() != [self.name]:
            raise ValueError(f"a strategy's name must be one word, not {self.name!r}")
        one_of(f"strategy {self.name!r}: changes", self.changes, CHANGES)
        for mapping in self.mappings:
            one_of(f"strategy {self.name!r}: mapping", mapping, MAPPINGS)
        ahead = whole_number(f"strategy {self.name!r}: ahead", self.ahead, minimum=0)
        object.__setattr__(self, "ahead", ahead)
        for field in ("each", "parts"):
            number = whole_number(f"strategy {self.name!r}: {field}", getattr(self, field))
            object.__setattr__(self, field, number)
        own = [
            method
            for method in ("balance", "order", "deal")
            if getattr(type(self), method) is not getattr(Strategy, method)
        ]
        refused = {"nothing": {"order", "deal"}, "order": {"deal"}}.get(self.changes, set())
        if ("balance" in own) != (self.changes == "mask") or refused.intersection(own):
            has = f"overrides {', '.join(own)}" if own else "overrides no method"
            raise ValueError(
                f"strategy {self.name!r} says it changes {self.changes!r}, but {has}; balance() "
                "goes with 'mask', order() with 'order', deal() with 'schedule'"
            )

    def balance(self, layer: Layer, accelerator: Accelerator, rng: np.random.Generator) -> Any:
        """The layer with another mask, or that mask alone: of the layer's shape, True (or 1) for
        what is kept."""
        return layer

    def order(
        self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray | None:
        """The order in which filters are dealt, a permutation inside each layer; None: as given.

        counts: non-zeros of the filters of all layers, one layer after the other, int64
        (filters,). starts: where each layer begins, int64 (layers + 1,). Layers that are tied (see
        `Ticket`) come as one, their non-zeros added up, because they can only share an order.
        """
        return None

    def deal(self, counts: np.ndarray, starts: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The wave (from 0 in each layer) and the PE of each filter, int64 (filters,) each.

        counts, starts: of every layer by itself, in the order chosen in `order`. Default: in
        turn, `each` filters per PE and wave, or to the PE that frees first without a `barrier`; a
        sweep runs strategies that keep to it many times faster. Filters that share a wave and a PE
        run one after the other.
        """
        if self.barrier:
            return deal_in_turn(starts, n, self.each)
        return np.zeros(counts.size, np.int64), deal_to_first_free(counts, starts, n)[0]

    def objection(self, accelerator: Accelerator) -> str | None:
        """Why the strategy does nothing on this accelerator, in a sentence; None if it works."""
        whole_filters = self.changes in ("order", "schedule")
        works = [m for m in self.mappings if m == "output-channel" or not whole_filters]
        if accelerator.mapping in works:
            return None
        return (
            f"Strategy {self.name!r} has no effect with mapping {accelerator.mapping!r}; "
            f"use mapping {' or '.join(map(repr, works)) or 'of its own'}, or another strategy"
        )
