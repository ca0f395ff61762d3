"""Ask a strategy, and check what it answers: a mistake in it must never look like a good result.

It gets copies: one that sorts its counts in place, or sets a layer's bits, changes no ticket. Nor
may it draw from generators that the seed does not reach.
"""

import pickle
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from uticket_lite.edge.arrays import to_array
from uticket_lite.hardware.accelerator import Accelerator
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
    if not _shipped(strategy, "balance") and isinstance(layer.magnitudes, np.ndarray):
        given = replace(given, magnitudes=layer.magnitudes.copy())
    after = _answer(strategy, "balance", given, accelerator, rng)
    try:
        if not isinstance(after, Layer):
            after = to_array(after)
            if not np.isin(after, (0, 1)).all():
                raise ValueError("it holds other numbers than 0 and 1")
            after = Layer.from_array(after != 0)
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
    order = _answer(strategy, "order", counts.copy(), starts.copy(), make_rng())
    if order is None:
        return None
    if not _shipped(strategy, "order"):
        order = _permuted(order, starts, f"strategy {strategy.name!r}: order()")
    return filters.shared.expand(order) if filters.shared else order


def dealt(
    strategy: Strategy, counts: np.ndarray, starts: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The strategy's waves and PEs, int64 (filters,) each; see `Strategy.deal`."""
    if _shipped(strategy, "deal"):
        return strategy.deal(counts, starts, n)
    answer = _answer(strategy, "deal", counts.copy(), starts.copy(), n)
    what = f"strategy {strategy.name!r}: deal()"
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise ValueError(f"{what} returned {type(answer).__name__}, not a pair (waves, PEs)")
    wave = _integers(answer[0], counts.size, f"{what} waves")
    pe = _integers(answer[1], counts.size, f"{what} PEs")
    first, last = _bounds(starts)
    if (wrong := _first((wave < 0) | (wave >= last - first) | (pe < 0) | (pe >= n))) is not None:
        raise ValueError(
            f"{what} returned wave {wave[wrong]} and PE {pe[wrong]} for filter {wrong}; allowed "
            f"are waves 0 to {(last - first)[wrong] - 1} (no more than the layer has filters), "
            f"PEs 0 to {n - 1}"
        )
    return wave, pe


def _permuted(order: Any, starts: np.ndarray, what: str) -> np.ndarray:
    """`order`, if it is a permutation of the filters of each layer."""
    order = _integers(order, int(starts[-1]), what)
    first, last = _bounds(starts)
    again = np.ones(order.size, bool)
    again[np.unique(order, return_index=True)[1]] = False
    if (wrong := _first((order < first) | (order >= last) | again)) is not None:
        raise ValueError(
            f"{what} returned filter {order[wrong]} at place {wrong}, where a layer's filters are "
            f"{first[wrong]} to {last[wrong] - 1}, each once: an order is a permutation "
            "inside each layer (starts says where layers begin)"
        )
    return order


def _bounds(starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the layer of each filter begins and ends, int64 (filters,) each."""
    sizes = np.diff(starts)
    return np.repeat(starts[:-1], sizes), np.repeat(starts[1:], sizes)


def _first(wrong: np.ndarray) -> int | None:
    """The first place that is True."""
    return int(wrong.argmax()) if wrong.any() else None


def _shipped(strategy: Strategy, method: str) -> bool:
    """Whether the package wrote the method: there is nothing of the user's in it."""
    return getattr(type(strategy), method).__module__.startswith("uticket_lite.strategies.")


def _answer(strategy: Strategy, method: str, *given: Any) -> Any:
    """What the method returns; ValueError if it drew what the seed does not decide, as other
    results would come of every call."""
    if _shipped(strategy, method):
        return getattr(strategy, method)(*given)
    before = _chance()
    answer = getattr(strategy, method)(*given)
    if _chance() != before:
        raise ValueError(
            f"strategy {strategy.name!r}: {method}() drew from np.random or random, which the seed "
            "does not reach; draw from the rng that order() and balance() are given"
        )
    return answer


def _chance() -> bytes:
    """Where the generators stand that all programs share."""
    return pickle.dumps((np.random.get_state(legacy=False), random.getstate()))


def _integers(values: Any, size: int, what: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unlike lengths
        array = np.asarray(values, object)
    if array.shape != (size,) or array.dtype.kind not in "iu":
        raise ValueError(
            f"{what} returned {array.dtype} {array.shape}, not one integer for each of the "
            f"{size} filters"
        )
    return array.astype(np.int64, copy=False)
