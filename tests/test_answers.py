"""Answers as learners give them: unusual right ones pass, wrong ones fail and say what to do."""

import itertools
import math

import numpy as np
import pytest

import uticket_lite as ut
from uticket_lite.teach import EXERCISES, check
from uticket_lite.teach.exercises.loads import deal


def in_turn(counts, n):
    rows, left = [], list(counts)
    while left:
        rows.append([int(c) for c in left[:n]] + [0] * (n - len(left[:n])))
        left = left[n:]
    return rows


def swapped(one, a, rng):
    """One non-zero after another, with a generator of its own."""
    one, own = one.astype(int), np.random.default_rng()
    while one.sum() != a:
        more = one.sum() < a
        one[own.choice([i for i in range(one.size) if one[i] != more])] = int(more)
    return one


def ranked_balance(mask, n, rng):
    """By sorting random numbers: those kept first, then those regrown."""
    out = np.zeros_like(mask)
    for first in range(0, len(mask), n):
        wave = mask[first : first + n]
        a = -(-int(wave.sum()) // len(wave))
        best = np.argsort(-(wave + rng.random(wave.shape)), axis=1)[:, :a]
        np.put_along_axis(out[first : first + n], best, True, axis=1)
    return out


def shuffled_waves(counts, n):
    """Sorted, but filters of one wave in any order."""
    order = np.argsort(-np.asarray(counts))
    waves = [order[i : i + n][::-1] for i in range(0, len(order), n)]
    return [int(k) for wave in waves for k in wave]


def heap(counts, n):
    import heapq

    busy = [(0, j) for j in range(n)]
    for count in sorted(counts)[::-1]:
        load, j = heapq.heappop(busy)
        heapq.heappush(busy, (load + count, j))
    return tuple(load for load, _ in busy)


def lif_one_by_one(membrane, spiked, current, beta, threshold):
    new = [x + (0 if s else beta * v) for v, s, x in zip(membrane, spiked, current, strict=True)]
    return [new, [int(v > threshold) for v in new]]


def prune_stepwise(weights, mask, fraction):
    left = mask.astype(int)
    for _ in range(math.floor(fraction * mask.sum())):
        alive = [i for i in range(left.size) if left[i]]
        left[min(alive, key=lambda i: abs(weights[i]))] = 0
    return left


def rewind_loop(trained, early, mask):
    return [e if m else 0 for e, m in zip(early, mask, strict=True)]


def by_windows(one, spikes):
    windows = np.lib.stride_tricks.sliding_window_view(spikes, one.shape[1:], axis=(2, 3))
    return np.einsum("cij,tcyxij->", one.astype(float), windows.astype(float))


def by_weights(one, spikes):
    """For each non-zero, the spikes in the part of the input that it passes over."""
    _, high, wide = one.shape
    rows, columns = spikes.shape[2] - high + 1, spikes.shape[3] - wide + 1
    return sum(spikes[:, c, y : y + rows, x : x + columns].sum() for c, y, x in np.argwhere(one))


def by_steps(lth, uticket):
    """As fractions of LTH's energy first, the rest by subtraction."""
    whole, level = ((1 - lth["s"] + 0.21) * lth["work"] + 0.21 * i for i in (lth["idle"], 0))
    last = (1 - uticket["s"] + 0.21) * uticket["work"] + 0.21 * uticket["idle"]
    waiting = 1 - level / whole
    fewer = level / whole * (1 - uticket["nonzeros"] / lth["nonzeros"])
    return [100 * waiting, 100 * fewer, 100 * (1 - last / whole - waiting - fewer)]


def way(name, balance=None, **parts):
    """A strategy as a learner writes it."""
    kind = type("Mine", (ut.Strategy,), {**parts, **({"balance": balance} if balance else {})})
    changes = "mask" if balance else "order"
    return kind(name, name, changes, "A cost.", "me", ("output-channel",))


def per_layer(function):
    def order(self, counts, starts, rng):
        mine = np.arange(counts.size)
        for first, last in itertools.pairwise(starts):
            mine[first:last] = first + function(counts[first:last])
        return mine

    return order


RIGHT = {
    "eq2_by_hand": [7 / 15, np.float32(0.467), "0.47"],
    "loads_by_hand": [((7, 2, 5, 3), (1, 6, 4, 0)), np.array([[7, 2, 5, 3], [1, 6, 4, 0.0]])],
    "loads": [
        in_turn,
        lambda counts, n: np.pad(counts, (0, -len(counts) % n)).reshape(-1, n),
        lambda counts, n: [tuple(row) for row in in_turn(counts, n)],
    ],
    "latency": [
        lambda loads: loads.max(axis=1).sum(),
        lambda loads: sum(sorted(wave)[-1] for wave in loads.tolist()),
        lambda loads: float(np.max(loads, 1) @ np.ones(len(loads))),
    ],
    "utilization": [
        lambda wave: (
            1 if wave.size == 1 else (wave.size * wave.mean() / wave.max() - 1) / (wave.size - 1)
        ),
        lambda wave: (
            1 - sum(max(wave) - load for load in wave) / max(1, max(wave) * (len(wave) - 1))
        ),
    ],
    "drop_and_regrow": [
        swapped,
        lambda one, a, rng: np.isin(
            np.arange(one.size), np.argsort(-(one + rng.random(one.size)))[:a]
        ),
    ],
    "balance": [ranked_balance, lambda mask, n, rng: ranked_balance(mask, n, rng).astype(int)],
    "order": [
        shuffled_waves,
        lambda counts, n: np.argsort(counts)[::-1],
        lambda counts, n: sorted(range(len(counts)), key=lambda k: -counts[k]),
    ],
    "lpt": [heap, lambda counts, n: np.array(sorted(heap(counts, n)))],
    "own_strategy": [
        ut.STRATEGIES["lpt"],
        way("pairs", order=per_layer(lambda c: np.argsort(c)[::-1])),
        ut.STRATEGIES["uticket"],
    ],
    "lif_step": [
        lif_one_by_one,
        lambda v, s, x, b, th: (v * ~s * b + x, v * ~s * b + x - th > 0),
    ],
    "prune": [
        prune_stepwise,
        lambda w, m, f: (
            m
            & (
                np.argsort(np.argsort(np.where(m, np.abs(w), np.inf), kind="stable"))
                >= int(m.sum() * f)
            )
        ),
    ],
    "rewind": [rewind_loop, lambda trained, early, mask: early * mask],
    "accumulations": [by_windows, by_weights],
    "energy": [
        lambda work, idle, s, r: work * (1 - s) + (work + idle) * r,
        lambda work, idle, s, r: np.float64(work) * (1 - s + r) + np.float64(idle) * r,
    ],
    "break_even": [
        lambda size: size / (size - 1).bit_length(),
        lambda size: np.float64(size) / np.ceil(np.log2(size)),
    ],
    "split_saving": [
        by_steps,
        lambda lth, uticket: np.array(by_steps(lth, uticket)),
    ],
    "leak_ratios": [
        lambda parts, e: [
            parts.leakage_energy.sum() / e,
            (parts.leakage_energy + parts.energy * ~parts.gated).sum() / e,
        ],
        lambda parts, e: (
            np.array(
                [
                    sum(parts["leakage_energy"]),
                    sum(parts["leakage_energy"]) + sum(parts[~parts["gated"]]["energy"]),
                ]
            )
            / e
        ),
    ],
    "leak_ratio": [0.2099, np.float64(0.212)],
}
"""Right, if not as one would expect it."""

WRONG = {
    "eq2_by_hand": [0.46, 47, 46.7, 0.7, 1 - 0.467, -0.47],
    "loads_by_hand": [
        [[7, 2, 5, 3, 1, 6, 4]],
        [[7, 1], [2, 6], [5, 4], [3, 0]],
        [7, 2, 5, 3, 1, 6, 4],
        [[7, 6, 5, 4], [3, 2, 1, 0]],
    ],
    "loads": [
        lambda counts, n: deal(counts, n).T,
        lambda counts, n: deal(sorted(counts), n),
        lambda counts, n: deal(counts, n).ravel(),
        lambda counts, n: np.vstack([deal(counts, n), np.zeros(n)]),
    ],
    "latency": [
        lambda loads: loads.max(axis=1),
        lambda loads: loads.max(axis=0).sum(),
        lambda loads: loads.max(),
        lambda loads: loads.max(axis=1).sum() * loads.shape[1],
    ],
    "utilization": [
        lambda wave: 100 * float(EXERCISES["utilization"].reference(wave)),
        lambda wave: 1 - wave.std() / wave.mean(),
        lambda wave: (wave.max() - wave.mean()) / wave.max(),
        lambda wave: np.median(wave) / wave.max(),
        lambda wave: (
            1 - (wave.max() - wave.mean()) / wave.max() * len(wave) / max(1, len(wave) - 1)
        ),
    ][:4],
    "drop_and_regrow": [
        lambda one, a, rng: rng.permutation(np.arange(one.size) < a),
        lambda one, a, rng: np.flatnonzero(one)[:a],
        lambda one, a, rng: a,
        lambda one, a, rng: one,
    ],
    "balance": [
        lambda mask, n, rng: mask,
        lambda mask, n, rng: (
            np.arange(mask.shape[1]) < np.full((len(mask), 1), round(mask.sum() / len(mask)))
        ),
        lambda mask, n, rng: ranked_balance(mask, n, rng).sum(axis=1),
        lambda mask, n, rng: ranked_balance(mask[::-1], n, rng)[::-1],
    ],
    "order": [
        lambda counts, n: [0] * len(counts),
        lambda counts, n: np.argsort(-np.asarray(counts))[: len(counts) // n * n],
        lambda counts, n: np.argsort(-np.asarray(counts)).reshape(-1, 1).tolist() and counts,
        lambda counts, n: 1 + np.argsort(-np.asarray(counts)),
    ],
    "lpt": [
        lambda counts, n: max(heap(counts, n)),
        lambda counts, n: [sum(counts) / n] * n,
        lambda counts, n: heap(sorted(counts), n)[:-1],
        lambda counts, n: np.arange(n),
    ],
    "own_strategy": [
        ut.STRATEGIES["none"],
        way("one-index", order=lambda self, counts, starts, rng: np.zeros(counts.size, int)),
        way("across-layers", order=lambda self, counts, starts, rng: np.argsort(-counts)),
        ut.STRATEGIES["regrow-only"],
        "sort",
        lambda counts: counts,
    ],
    "lif_step": [
        lambda v, s, x, b, th: b * v + x,
        lambda v, s, x, b, th: (np.where(s, 0, v) + x, np.where(s, 0, v) + x > th),
        lambda v, s, x, b, th: (b * v * ~s + x > th, b * v * ~s + x),
        lambda v, s, x, b, th: (b * v * s + x, b * v * s + x > th),
    ],
    "prune": [
        lambda w, m, f: w * prune_stepwise(w, m, f),
        lambda w, m, f: np.argsort(np.abs(w))[: int(f * m.sum())],
        lambda w, m, f: m & (np.abs(w) >= np.quantile(np.abs(w[m]), f)),
        lambda w, m, f: prune_stepwise(w, m, round(f * m.sum()) / m.sum() + 1e-9),
        lambda w, m, f: prune_stepwise(-1 / (np.abs(w) + 1e-3), m, f),
        lambda w, m, f: prune_stepwise(w, m, 1 - f),
    ],
    "rewind": [
        lambda trained, early, mask: np.where(mask, trained, early),
        lambda trained, early, mask: np.where(mask, 0.0, early),
        lambda trained, early, mask: early[mask],
        lambda trained, early, mask: (trained + early) / 2 * mask,
    ],
    "accumulations": [
        lambda one, spikes: by_windows(one[:, ::-1, ::-1], spikes),
        lambda one, spikes: by_windows(one, np.pad(spikes, ((0, 0), (0, 0), (1, 1), (1, 1)))),
        lambda one, spikes: one.sum() * spikes.sum(),
        lambda one, spikes: by_windows(one, spikes) / len(spikes),
        lambda one, spikes: by_windows(one[:1], spikes[:, :1]),
    ],
    "energy": [
        lambda work, idle, s, r: (work + idle) * r,
        lambda work, idle, s, r: work * (1 - s) * r + idle * r,
        lambda work, idle, s, r: (work + idle) * (1 - s) + r,
    ],
    "break_even": [
        lambda size: size // math.ceil(math.log2(size)),
        lambda size: size / math.log2(size),
        lambda size: size * math.ceil(math.log2(size)),
        lambda size: size / math.log(size),
    ],
    "split_saving": [
        lambda lth, uticket: sum(by_steps(lth, uticket)),
        lambda lth, uticket: by_steps(uticket, lth),
        lambda lth, uticket: by_steps(lth, uticket)[::-1],
    ],
    "leak_ratios": [
        lambda parts, e: parts["leakage_energy"].sum() / e,
        lambda parts, e: (0.005, 2.1),
        lambda parts, e: (parts["leakage_energy"].mean() / e, parts["energy"].mean() / e),
    ],
    "leak_ratio": [0.2, 0.5, 21, 0.005, 2.1],
}
"""Wrong, in ways that no planted misconception need know."""


def given(answers):
    return [
        pytest.param(name, a, id=f"{name}-{i}")
        for name in answers
        for i, a in enumerate(answers[name])
    ]


def test_every_exercise_is_tried():
    assert set(RIGHT) == set(WRONG) == set(EXERCISES)
    assert all(len(RIGHT[name]) >= 2 and len(WRONG[name]) >= 3 for name in EXERCISES)


@pytest.mark.parametrize(("name", "answer"), given(RIGHT))
def test_an_unusual_right_answer_passes(name, answer):
    verdict = check(answer, name)
    assert verdict.passed, verdict


@pytest.mark.parametrize(("name", "answer"), given(WRONG))
def test_a_wrong_answer_fails_and_says_what_to_do_next(name, answer):
    verdict = check(answer, name)
    assert not verdict.passed
    hints = [EXERCISES[name].hint, *(idea.hint for idea in EXERCISES[name].misconceptions)]
    assert any(hint in verdict.words for hint in hints), verdict
