"""Ask a strategy, and check what it answers: a mistake in it must never look like a good result.

It gets copies: one that sorts its counts in place, or sets a layer's bits, changes no ticket.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.kernels.scheduling import first_not_permuted, first_out_of_range
from uticket_lite.strategies.base import Strategy
from uticket_lite.tickets.filters import Filters
from uticket_lite.tickets.layer import Counts, Layer


def balanced(
    strategy: Strategy, layer: Layer, accelerator: Accelerator, rng: np.random.Generator, name: str
) -> Layer:
    """The layer with the mask that the strategy gives it, and all else as it was.

    Raises ValueError, here and below, with the strategy's name and what it returned.
    """
    given = replace(layer, mask=Counts(layer.counts.copy(), layer.bits.copy))
    after = strategy.balance(given, accelerator, rng)
    try:
        if not isinstance(after, Layer):
            after = Layer.from_array(after)
        if after.shape != layer.shape:
            raise ValueError(f"its shape is {after.shape}")
        return replace(layer, mask=after.bits)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"strategy {strategy.name!r}: balance() did not return a mask for layer {name!r} of "
            f"shape {layer.shape}, but {type(after).__name__}: {error}; return a Layer, or a "
            "boolean array of that shape"
        ) from None


def ordered(
    strategy: Strategy, filters: Filters, make_rng: Callable[[], np.random.Generator]
) -> np.ndarray | None:
    """The strategy's order of filters, int64 (filters,), or None; see `Strategy.order`.

    Layers that are tied get one order, chosen for their non-zeros added up filter by filter.
    """
    if type(strategy).order is Strategy.order:
        return None
    together = filters.shared or filters
    counts, starts = together.counts, together.starts
    order = strategy.order(counts.copy(), starts.copy(), make_rng())
    if order is None:
        return None
    what = f"strategy {strategy.name!r}: order()"
    order = _integers(order, counts.size, what)
    wrong = first_not_permuted(order, starts)
    if wrong >= 0:
        layer = int(np.searchsorted(starts, wrong, side="right")) - 1
        raise ValueError(
            f"{what} returned filter {order[wrong]} at place {wrong}, where a layer's filters are "
            f"{starts[layer]} to {starts[layer + 1] - 1}, each once: an order is a permutation "
            "inside each layer (starts says where layers begin)"
        )
    return filters.shared.expand(order) if filters.shared else order


def dealt(
    strategy: Strategy, counts: np.ndarray, starts: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The strategy's waves and PEs, int64 (filters,) each; see `Strategy.deal`."""
    if type(strategy).deal is Strategy.deal:  # nothing of the user's in it
        return strategy.deal(counts, starts, n)
    answer = strategy.deal(counts.copy(), starts.copy(), n)
    what = f"strategy {strategy.name!r}: deal()"
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise ValueError(f"{what} returned {type(answer).__name__}, not a pair (waves, PEs)")
    wave = _integers(answer[0], counts.size, f"{what} waves")
    pe = _integers(answer[1], counts.size, f"{what} PEs")
    wrong = first_out_of_range(wave, pe, starts, n)
    if wrong >= 0:
        layer = int(np.searchsorted(starts, wrong, side="right")) - 1
        waves = starts[layer + 1] - starts[layer]
        raise ValueError(
            f"{what} returned wave {wave[wrong]} and PE {pe[wrong]} for filter {wrong}; allowed "
            f"are waves 0 to {waves - 1} (no more than the layer has filters), PEs 0 to {n - 1}"
        )
    return wave, pe


def _integers(values: Any, size: int, what: str) -> np.ndarray:
    array = np.asarray(values)
    if array.shape != (size,) or array.dtype.kind not in "iu":
        raise ValueError(
            f"{what} returned {array.dtype} {array.shape}, not one integer for each of the "
            f"{size} filters"
        )
    return array.astype(np.int64, copy=False)
