"""Algorithm 1, orders and schedules."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from uticket_lite import reference
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception
from uticket_lite.teach.exercises.loads import deal

Rng = np.random.Generator


def level(one: np.ndarray, a: int, rng: Rng) -> np.ndarray:
    """One filter, with random non-zeros dropped or pruned weights regrown until a are left."""
    one = one.copy()
    load = int(one.sum())
    if load > a:
        one[rng.choice(np.flatnonzero(one), load - a, replace=False)] = False
    else:
        one[rng.choice(np.flatnonzero(~one), a - load, replace=False)] = True
    return one


def _filters(rng: Rng) -> list[Case]:
    cases = [(np.arange(6) < 2, 4), (np.arange(6) < 5, 3), (np.arange(6) < 3, 3)]
    cases += [(rng.random(40) < rng.random(), int(rng.integers(1, 40))) for _ in range(6)]
    return [(*case, np.random.default_rng(1)) for case in cases]


def _masks(rng: Rng) -> list[Case]:
    small = np.arange(6) < np.array([[5], [2], [1], [4], [3]])
    cases = [(small[:2], 2), (small[:4], 2), (small, 2)]
    cases += [(rng.random((k, 30)) < rng.random((k, 1)) * 0.6, n) for k, n in ((8, 4), (18, 4))]
    return [(*case, np.random.default_rng(1)) for case in cases]


def _touched(case: Case, result: Any) -> tuple[Any, int, int]:
    """Non-zeros left in each filter, how many were dropped and how many regrown."""
    before, after = case[0], np.asarray(result)
    if after.shape != before.shape or not np.isin(after, (0, 1)).all():
        raise ValueError
    after = after.astype(bool)
    left = after.reshape(len(after), -1).sum(axis=1) if after.ndim > 1 else after.sum()
    return left, int((before & ~after).sum()), int((after & ~before).sum())


def _balanced_with(target: Callable[[np.ndarray], int]) -> Callable[..., np.ndarray]:
    """Algorithm 1 with another target than the rounded-up mean of a wave's loads."""

    def balance(mask: np.ndarray, n: int, rng: Rng) -> np.ndarray:
        out = mask.copy()
        for first in range(0, len(mask), n):
            a = target(mask[first : first + n].sum(axis=1))
            for k in range(first, min(first + n, len(mask))):
                out[k] = level(mask[k], a, rng)
        return out

    return balance


def _only_drops(mask: np.ndarray, n: int, rng: Rng) -> np.ndarray:
    return reference.balance(mask, n, rng) & mask


def _only_whole_waves(mask: np.ndarray, n: int, rng: Rng) -> np.ndarray:
    whole = len(mask) // n * n
    return np.concatenate([reference.balance(mask[:whole], n, rng), mask[whole:]])


def _absent_counted(mask: np.ndarray, n: int, rng: Rng) -> np.ndarray:
    return _balanced_with(lambda wave: math.ceil(wave.sum() / n))(mask, n, rng)


def _new_masks(mask: np.ndarray, n: int, rng: Rng) -> np.ndarray:
    right = reference.balance(mask, n, rng)
    return np.arange(mask.shape[1]) < right.sum(axis=1)[:, None]


def _wave_costs(case: Case, result: Any) -> dict[str, float]:
    after = reference.loads(np.asarray(result, bool), case[1])
    return {
        "cycles before": reference.latency(reference.loads(case[0], case[1])),
        "cycles after": reference.latency(after),
        "utilization after": reference.layer_utilization(after),
    }


def _orders(rng: Rng) -> list[Case]:
    cases = [([1, 4], 2), ([1, 9, 2, 8], 2), ([3, 9, 1, 8, 2], 2)]
    return cases + [([int(c) for c in rng.integers(0, 40, k)], n) for k, n in ((12, 4), (30, 8))]


def _filters_of(case: Case, result: Any) -> list[int]:
    order = [int(k) for k in result]
    if sorted(order) != list(range(len(case[0]))):
        raise ValueError
    return order


def _order_view(case: Case, result: Any) -> tuple[list[int], int]:
    """Whether every filter runs once, and how long it takes."""
    counts, n = case
    order = [int(k) for k in np.asarray(result)]
    return sorted(order), reference.latency(deal([counts[k] for k in order], n))


def _order_cost(case: Case, result: Any) -> dict[str, float]:
    counts, n = case
    return {
        "cycles in the given order": reference.latency(deal(counts, n)),
        "cycles in yours": _order_view(case, result)[1],
        "cycles if nobody waited": math.ceil(sum(counts) / n),
    }


EXERCISES = (
    Exercise(
        "drop_and_regrow",
        "drop_and_regrow(one, a, rng): a copy of one filter's mask with a non-zeros left.",
        level,
        _filters,
        (
            Misconception(
                "only drops",
                "Who has fewer than a must regrow pruned weights.",
                lambda one, a, rng: level(one, min(a, int(one.sum())), rng),
            ),
            Misconception(
                "only regrows",
                "Who has more than a must drop non-zeros.",
                lambda one, a, rng: level(one, max(a, int(one.sum())), rng),
            ),
            Misconception(
                "a new mask instead of the old one changed",
                "The number is right, but weights moved that need not: keep what you can.",
                lambda one, a, rng: np.arange(one.size) >= one.size - a,
            ),
            Misconception(
                "one too many",
                "Count how many must change: load − a.",
                lambda one, a, rng: (
                    level(one, min(a + 1, one.size), rng) if one.sum() != a else one
                ),
            ),
        ),
        view=_touched,
        picture=lambda case, result: [[int(np.sum(case[0])), int(np.sum(result))]],
    ),
    Exercise(
        "balance",
        "balance(mask, n, rng): Algorithm 1 on a mask (K, weights) for n PEs.",
        reference.balance,
        _masks,
        (
            Misconception(
                "floor for ceiling",
                "Algorithm 1 rounds the mean load up; yours rounds down.",
                _balanced_with(lambda wave: int(wave.mean())),
            ),
            Misconception(
                "regrown to the maximum",
                "Utilization is 100 %, and not one cycle is saved: the slowest PE is as slow as "
                "before.",
                _balanced_with(lambda wave: int(wave.max())),
            ),
            Misconception(
                "only drops",
                "Who has fewer than the mean must regrow.",
                _only_drops,
            ),
            Misconception(
                "a short last wave forgotten",
                "The filters left over make a wave of their own.",
                _only_whole_waves,
            ),
            Misconception(
                "PEs without a filter counted in the mean",
                "In a short last wave only PEs with a filter can regrow: the mean is theirs.",
                _absent_counted,
            ),
            Misconception(
                "new masks instead of the old ones changed",
                "Loads are right, but weights moved that need not. Keep what you can.",
                _new_masks,
            ),
            Misconception(
                "one mean for the whole layer",
                "The PEs wait for each other wave by wave: each wave has its own mean.",
                lambda mask, n, rng: reference.balance(mask, len(mask), rng),
            ),
        ),
        view=_touched,
        cost=_wave_costs,
        picture=lambda case, result: reference.loads(np.asarray(result, bool), case[1]),
    ),
    Exercise(
        "order",
        "order(counts, n): filters in the order in which they are dealt to n PEs, the quickest.",
        lambda counts, n: reference.sort(counts),
        _orders,
        (
            Misconception(
                "sorted counts instead of filters",
                "Return which filter comes first, not how many non-zeros it has.",
                lambda counts, n: sorted(counts, reverse=True),
            ),
            Misconception(
                "order for schedule",
                "Dense beside sparse evens out what a PE does in all. But under a barrier after "
                "each wave, the wave takes as long as its densest. Who should share one?",
                lambda counts, n: _zigzag(counts),
            ),
            Misconception(
                "the order as given",
                "That is what `none` does. Which filters should share a wave?",
                lambda counts, n: list(range(len(counts))),
            ),
            Misconception(
                "sparsest first",
                "Good in full waves; but where the filters do not fill the last wave, should the "
                "short one hold the densest, or the sparsest?",
                lambda counts, n: reference.sort(counts)[::-1],
            ),
        ),
        view=_order_view,
        cost=_order_cost,
        picture=lambda case, result: deal(
            [case[0][int(k)] for k in _filters_of(case, result)], case[1]
        ),
    ),
    Exercise(
        "lpt",
        "lpt(counts, n): loads of n PEs if the densest filter left goes to the PE that is free "
        "first, and nobody waits inside the layer.",
        reference.lpt,
        lambda rng: [([4, 5, 6, 7, 8], 2), *_orders(rng)],
        (
            Misconception(
                "order for schedule",
                "You deal in turn, as if there were waves. Each filter goes to the PE that has "
                "least to do so far.",
                lambda counts, n: deal(sorted(counts, reverse=True), n).sum(axis=0),
            ),
            Misconception(
                "not sorted first",
                "A dense filter that comes last keeps one PE busy alone. Which should come first?",
                lambda counts, n: _listed(counts, n),
            ),
            Misconception(
                "dealt in turn",
                "The next PE in turn may be busy still: give the filter to the one free first.",
                lambda counts, n: deal(counts, n).sum(axis=0),
            ),
        ),
        view=lambda case, result: sorted(float(load) for load in result),
        picture=lambda case, result: [list(result)],
        cost=lambda case, result: {"cycles": max(result)},
    ),
)


def _zigzag(counts: list[int]) -> list[int]:
    """Densest, sparsest, second densest, …"""
    ranked = reference.sort(counts)
    return [ranked[i // 2] if i % 2 == 0 else ranked[-1 - i // 2] for i in range(len(ranked))]


def _listed(counts: list[int], n: int) -> list[int]:
    busy = [0] * n
    for count in counts:
        busy[busy.index(min(busy))] += count
    return busy
