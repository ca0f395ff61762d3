"""Algorithm 1: drop and regrow, until every wave is level."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from uticket_lite import reference
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception

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
    cases.append((rng.permutation(200) < 100, 60))
    return [(*case, np.random.default_rng(1)) for case in cases]


def _masks(rng: Rng) -> list[Case]:
    small = np.arange(6) < np.array([[5], [2], [1], [4], [3]])
    cases = [(small[:2], 2), (small[:4], 2), (small, 2)]
    cases += [(rng.random((k, 30)) < rng.random((k, 1)) * 0.6, n) for k, n in ((18, 4), (8, 4))]
    return [(*case, np.random.default_rng(1)) for case in cases]


def _touched(case: Case, result: Any) -> tuple[Any, int, int, bool]:
    """Non-zeros left in each filter, how many were dropped and regrown, and if not at random."""
    before, after = case[0], np.asarray(result)
    if after.shape != before.shape or not np.isin(after, (0, 1)).all():
        raise ValueError
    after = after.astype(bool)
    left = after.reshape(len(after), -1).sum(axis=1) if after.ndim > 1 else after.sum()
    dropped, regrown = before & ~after, after & ~before
    return left, int(dropped.sum()), int(regrown.sum()), _in_order(before, dropped, regrown)


def _in_order(before: np.ndarray, dropped: np.ndarray, regrown: np.ndarray) -> bool:
    """Whether all filters lost and got their first or last ones, and not by luck (1 : 10⁶)."""
    luck = 1.0
    for pool, moved in ((before, dropped), (~before, regrown)):
        for places, gone in zip(np.atleast_2d(pool), np.atleast_2d(moved), strict=True):
            these, number = gone[places], int(gone.sum())
            if not (these[:number].all() or these[these.size - number :].all()):
                return False
            luck *= min(1, 2 / math.comb(these.size, number))
    return luck < 1e-6


def _first_ones(one: np.ndarray, a: int, rng: Rng) -> np.ndarray:
    """Like `level`, but always the first that may change."""
    change = a - int(one.sum())
    out = one.copy()
    out[np.flatnonzero(one != (change > 0))[: abs(change)]] = change > 0
    return out


def _balanced_with(
    target: Callable[[np.ndarray], int], step: Callable[..., np.ndarray] = level
) -> Callable[..., np.ndarray]:
    """Algorithm 1 with another target than the rounded-up mean, or another step for one filter."""

    def balance(mask: np.ndarray, n: int, rng: Rng) -> np.ndarray:
        out = mask.copy()
        for first in range(0, len(mask), n):
            a = target(mask[first : first + n].sum(axis=1))
            for k in range(first, min(first + n, len(mask))):
                out[k] = step(mask[k], a, rng)
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


EXERCISES = (
    Exercise(
        "drop_and_regrow",
        "drop_and_regrow(one, a, rng): a copy of one filter's mask with a non-zeros left.",
        "A mask of the same shape comes back, True where a weight is kept. How many non-zeros has "
        "it, how many should it have, and which places may change?",
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
            Misconception(
                "the first ones instead of random ones",
                "The numbers are right, but you always take the first (or last) places: Algorithm "
                "1 "
                "takes random ones, so that no corner of a filter is thinned out.",
                _first_ones,
            ),
        ),
        view=_touched,
        cost=lambda case, result: {
            "non-zeros before": int(np.sum(case[0])),
            "non-zeros wanted": case[1],
            "non-zeros after": int(np.sum(result)),
        },
    ),
    Exercise(
        "balance",
        "balance(mask, n, rng): Algorithm 1 on a mask (K, weights) for n PEs.",
        "Take the filters n by n. For each group, print a, and what every filter holds before and "
        "after.",
        reference.balance,
        _masks,
        (
            Misconception(
                "floor for ceiling",
                "Algorithm 1 rounds the mean load up; yours rounds down.",
                _balanced_with(lambda wave: int(wave.mean())),
            ),
            Misconception(
                "rounded to the nearest",
                "Algorithm 1 rounds the mean load *up*; yours to the nearest whole number (and "
                "Python's round takes 2.5 to 2).",
                _balanced_with(lambda wave: round(float(wave.mean()))),
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
            Misconception(
                "the first ones instead of random ones",
                "Loads are right, but you always take the first (or last) places: Algorithm 1 "
                "takes "
                "random ones.",
                _balanced_with(lambda wave: math.ceil(wave.mean()), _first_ones),
            ),
            Misconception(
                "the mask as it was",
                "Nothing has changed: does what you change end up in the mask that comes back?",
                lambda mask, n, rng: mask.copy(),
            ),
        ),
        view=_touched,
        cost=_wave_costs,
        picture=lambda case, result: reference.loads(np.asarray(result, bool), case[1]),
    ),
)
