"""Loads, latency and utilization: what the simulator of the course is made of."""

import math
from typing import Any

import numpy as np

from uticket_lite import reference
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception, itself


def deal(counts: Any, n: int) -> np.ndarray:
    """Filters of so many non-zeros dealt in turn, (waves, n)."""
    counts = list(counts)
    counts += [0] * (-len(counts) % n)
    return np.array(counts).reshape(-1, n)


def _counts(rng: np.random.Generator, numbers: list[tuple[int, int]]) -> list[Case]:
    return [(rng.integers(0, 12, filters), n) for filters, n in numbers]


def _waves(rng: np.random.Generator) -> list[Case]:
    tables = [[[10, 6, 4, 4]], [[10, 6, 4, 4], [2, 9, 1, 0]], [[1, 8], [8, 1], [8, 1]]]
    return [(np.array(table),) for table in [*tables, *rng.integers(0, 30, (6, 5, 8))]]


def _one_wave(rng: np.random.Generator) -> list[Case]:
    waves = [[5, 5], [8, 0, 0, 0], [10, 6, 4, 4], *rng.integers(1, 60, (8, 7)), [7]]
    return [(np.array(wave),) for wave in waves]


def _cases_of_deal(rng: np.random.Generator) -> list[Case]:
    small = [([3, 1], 2), ([5, 2, 4, 1], 2), ([5, 2, 4], 2)]
    return [(np.array(counts), n) for counts, n in small] + _counts(
        rng, [(8, 4), (10, 4), (3, 5), (33, 16)]
    )


def _busy(case: Case, result: Any) -> dict[str, float]:
    return {"cycles": reference.latency(result), "PE-cycles of waiting": reference.idle(result)}


EXERCISES = (
    Exercise(
        "eq2_by_hand",
        "Eq. 2 of a wave with loads 10, 6, 4, 4, as a number between 0 and 1.",
        "A is the mean of the four loads, M the largest: put both and n = 4 into Eq. 2, and round "
        "to two decimals.",
        lambda: round(reference.utilization([10, 6, 4, 4]), 2),
        lambda rng: [()],
        (
            Misconception(
                "mean / max",
                "That is the share of busy PE-cycles. One PE doing everything would still get "
                "1/n; Eq. 2 gives it 0. What stretches the scale?",
                lambda: 0.6,
            ),
            Misconception(
                "÷ n instead of n − 1",
                "The slowest PE never waits for itself: how many PEs can wait?",
                lambda: 0.35,
            ),
            Misconception(
                "a percentage, not a share",
                "Give a number between 0 and 1.",
                lambda: 100.0,
            ),
            Misconception(
                "n/(n − 1) upside down",
                "One PE that does everything must get 0: try 8, 0, 0, 0 with yours.",
                lambda: 0.7,
            ),
        ),
        view=lambda case, result: min(round(float(result), 2), 1.01),
    ),
    Exercise(
        "loads_by_hand",
        "Loads of 4 PEs for filters with 7, 2, 5, 3, 1, 6, 4 non-zeros, a row for each wave.",
        "Deal the filters like cards, one for each PE; after four of them a new row begins. Every "
        "row has four numbers.",
        lambda: deal([7, 2, 5, 3, 1, 6, 4], 4),
        lambda rng: [()],
        (
            Misconception(
                "a short last wave forgotten",
                "Seven filters, four PEs: one PE of the last wave has nothing to do. It still "
                "has a load.",
                lambda: [[7, 2, 5, 3], [1, 6, 4]],
            ),
            Misconception(
                "neighbours on one PE",
                "Filters are dealt like cards: the second filter goes to the second PE.",
                lambda: [[7, 5, 1, 4], [2, 3, 6, 0]],
            ),
            Misconception(
                "one row for all waves",
                "The PEs wait for each other after each filter: keep the waves apart.",
                lambda: [[8, 8, 9, 3]],
            ),
            Misconception(
                "a row for each PE",
                "That is the same table on its side: a row for each wave, a number for each PE.",
                lambda: [[7, 1], [2, 6], [5, 4], [3, 0]],
            ),
            Misconception(
                "sorted first",
                "Deal them in the order in which they are given: sorting is a strategy, and comes "
                "later.",
                lambda: [[7, 6, 5, 4], [3, 2, 1, 0]],
            ),
        ),
        view=lambda case, result: [[*row, *[-1] * (4 - len(row))] for row in result],
        picture=itself,
        example=("right for filters with 3, 8, 1, 5, 2, 6", deal([3, 8, 1, 5, 2, 6], 4)),
    ),
    Exercise(
        "loads",
        "loads(counts, n): from the non-zeros of each filter to the loads, (waves, n).",
        "Row g holds the counts of wave g. By hand: how many rows has [5, 2, 4] on 2 PEs, and what "
        "stands in the last?",
        deal,
        _cases_of_deal,
        (
            Misconception(
                "a short last wave forgotten",
                "When the filters run out, the PEs left over have load 0. They wait, and count.",
                lambda counts, n: np.array(counts[: len(counts) // n * n]).reshape(-1, n),
            ),
            Misconception(
                "neighbours on one PE",
                "Wave g holds filters g·n to g·n + n − 1, one per PE; yours gives each PE a "
                "block of neighbours.",
                lambda counts, n: deal(counts, n).reshape(n, -1).T,
            ),
            Misconception(
                "one row for all waves",
                "You added up what a PE does over the whole layer. The PEs wait after each wave.",
                lambda counts, n: deal(counts, n).sum(axis=0, keepdims=True),
            ),
            Misconception(
                "a row for each PE",
                "That is the same table on its side: a row for each wave, a number for each PE.",
                lambda counts, n: deal(counts, n).T,
            ),
        ),
        cost=_busy,
        picture=itself,
    ),
    Exercise(
        "latency",
        "latency(loads): cycles until the last of the waves (rows) is done.",
        "How long does each row take? Add that up over the rows: one number comes back.",
        reference.latency,
        _waves,
        (
            Misconception(
                "no barrier",
                "You let a PE go on to its next filter while others still work. Here all wait "
                "after each wave.",
                lambda loads: int(np.sum(loads, axis=0).max()),
            ),
            Misconception(
                "mean instead of maximum",
                "That is how long it would take if the work were shared evenly. Who decides when "
                "a wave ends?",
                lambda loads: float(np.mean(loads, axis=1).sum()),
            ),
            Misconception(
                "the slowest of all, in every wave",
                "A wave ends when the slowest PE of that wave is done, not of the layer.",
                lambda loads: int(np.max(loads)) * len(loads),
            ),
            Misconception(
                "work instead of latency",
                "That is how many PE-cycles are worked. PEs work at the same time.",
                lambda loads: int(np.sum(loads)),
            ),
        ),
        picture=lambda case, result: case[0],
    ),
    Exercise(
        "utilization",
        "utilization(wave): Eq. 2 for the loads of one wave.",
        "Print M and A for the case above. Equal loads must give 1, [8, 0, 0, 0] must give 0, one "
        "PE alone 1.",
        reference.utilization,
        _one_wave,
        (
            Misconception(
                "mean / max",
                "For [8, 0, 0, 0] that is 25 %, though one PE does everything. Eq. 2 stretches "
                "the scale so that this is 0.",
                lambda wave: float(np.mean(wave) / np.max(wave)),
            ),
            Misconception(
                "÷ n instead of n − 1",
                "Of n PEs at most n − 1 can wait: the slowest never does.",
                lambda wave: float((np.sum(wave) / np.max(wave) - 1) / len(wave)),
            ),
            Misconception(
                "n/(n − 1) upside down",
                "Try [8, 0, 0, 0]: one PE does everything, so it must be 0.",
                lambda wave: float(
                    1 - (1 - np.mean(wave) / np.max(wave)) * (len(wave) - 1) / len(wave)
                ),
            ),
            Misconception(
                "the mean rounded up",
                "The paper's Eq. 2 takes the mean as it is; its released code rounds it up.",
                lambda wave: (
                    1.0
                    if len(wave) == 1
                    else float(
                        1
                        - (1 - math.ceil(np.mean(wave)) / np.max(wave))
                        * len(wave)
                        / (len(wave) - 1)
                    )
                ),
            ),
            Misconception(
                "min / max",
                "Two PEs of four may be fast and two slow: every PE counts, not only the ends.",
                lambda wave: float(np.min(wave) / np.max(wave)),
            ),
            Misconception(
                "a percentage, not a share",
                "Eq. 2 is between 0 and 1.",
                lambda wave: 100 * reference.utilization(wave),
            ),
            Misconception(
                "the share that is lost",
                "That is what waiting takes away. Eq. 2 says what is left.",
                lambda wave: 1 - reference.utilization(wave),
            ),
        ),
        picture=lambda case, result: [case[0]],
    ),
)
