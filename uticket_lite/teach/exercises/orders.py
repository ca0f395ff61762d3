"""Orders, schedules, and a strategy of one's own."""

import math
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from uticket_lite import reference
from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import simulate
from uticket_lite.strategies import STRATEGIES, Strategy
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception
from uticket_lite.teach.exercises.loads import deal
from uticket_lite.tickets.layer import Layer
from uticket_lite.tickets.recorded import load_ticket
from uticket_lite.tickets.synthetic import synthetic_ticket
from uticket_lite.tickets.ticket import Ticket


def _orders(rng: np.random.Generator) -> list[Case]:
    small = [([1, 4], 2), ([1, 9, 2, 8], 2), ([3, 9, 1, 8, 2], 2)]
    cases = [(np.array(counts), n) for counts, n in small]
    return cases + [(rng.integers(0, 40, k), n) for k, n in ((12, 4), (30, 8))]


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


def _zigzag(counts: np.ndarray) -> list[int]:
    """Densest, sparsest, second densest, …"""
    ranked = reference.sort(counts.tolist())
    return [ranked[i // 2] if i % 2 == 0 else ranked[-1 - i // 2] for i in range(len(ranked))]


def _listed(counts: np.ndarray, n: int) -> list[int]:
    busy = [0] * n
    for count in counts:
        busy[busy.index(min(busy))] += int(count)
    return busy


@cache
def _network(name: str) -> Ticket:
    if name == "digits":
        return load_ticket("digits-lth", round=14)
    return synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0.3, seed=0)


def _run(strategy: Any, network: str) -> Report:
    if not isinstance(strategy, Strategy):
        raise TypeError(f"a Strategy is needed, not {type(strategy).__name__}")
    return simulate(_network(network), Accelerator(n_pe=16), strategy)


def _judged(network: str, mine: Report) -> tuple[float, bool, bool]:
    """Whether it is slower (1), as quick (0) or quicker (−1), gamed, and throws weights away."""
    given = _run(STRATEGIES["none"], network)
    side = float(np.sign(mine.latency - given.latency))
    return side, side == 0 and mine.utilization > 0.999, mine.work < 0.9 * given.work


_NAMED = ("mine", "mine")


class _Emptied(Strategy):
    """Throws away nine of ten non-zeros."""

    def balance(self, layer: Layer, accelerator: Accelerator, rng: np.random.Generator) -> Any:
        mask = layer.to_dense()
        return mask & (rng.random(mask.shape) < 0.1)


class _Spread(Strategy):
    """One of the densest filters in every wave of 16."""

    def order(self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> Any:
        pieces = []
        for first, last in pairwise(starts):
            ranked, waves = first + np.argsort(-counts[first:last]), -(-(last - first) // 16)
            pieces += [ranked[wave::waves] for wave in range(waves)]
        return np.concatenate(pieces)


EXERCISES = (
    Exercise(
        "order",
        "order(counts, n): filters in the order in which they are dealt to n PEs, the quickest.",
        "The numbers of all filters come back, each once. Print the waves that your order makes, "
        "and how long each takes.",
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
        "What each of the n PEs does in all comes back, one number each. Follow [4, 5, 6, 7, 8] on "
        "2 PEs by hand.",
        reference.lpt,
        lambda rng: [
            (np.array([1, 4, 2, 5]), 2),  # each wrong idea below gives another result
            (np.array([4, 5, 6, 7, 8]), 2),
            *_orders(rng),
        ],
        (
            Misconception(
                "order for schedule",
                "These are the loads of dealing in turn, as if there were waves; sparsest first "
                "gives the same ones. Which filter should be first, and who gets the next?",
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
    Exercise(
        "own_strategy",
        "own_strategy: a Strategy with which two networks take fewer cycles than with `none`.",
        "Change only what stands in mine[first:last]: the numbers of that layer's filters, each "
        "once, in the order in which they should be dealt. Give check the object, not the class.",
        lambda network: _run(STRATEGIES["sort"], network),
        lambda rng: [("digits",), ("like VGG-16",)],
        (
            Misconception(
                "the order as given",
                "Your strategy does what `none` does. Which filters should share a wave?",
                lambda network: _run(STRATEGIES["none"], network),
            ),
            Misconception(
                "regrown to the maximum",
                "Utilization is 100 %, and not one cycle is saved: look at latency.",
                lambda network: _run(STRATEGIES["regrow-only"], network),
            ),
            Misconception(
                "weights thrown away",
                "It is quicker because there is less to do: that is pruning, not balancing, and "
                "costs accuracy. Keep (nearly) as many non-zeros as were given.",
                lambda network: _run(_Emptied(*_NAMED, "mask", "Everything.", "–"), network),
            ),
            Misconception(
                "slower than the order as given",
                "It takes more cycles than `none` here. Under a barrier, how many waves should "
                "dense filters make slow?",
                lambda network: _run(_Spread(*_NAMED, "order", "An order.", "–"), network),
            ),
        ),
        view=lambda case, result: _judged(case[0], result),
        cost=lambda case, result: {
            f"cycles, {case[0]}, as given": _run(STRATEGIES["none"], case[0]).latency,
            f"cycles, {case[0]}, yours": result.latency,
            f"cycles, {case[0]}, u-Ticket": _run(STRATEGIES["uticket"], case[0]).latency,
        },
        tried=lambda answer, network: _run(answer, network),
    ),
)
