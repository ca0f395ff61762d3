"""Pruning and rewinding."""

from typing import Any

import numpy as np

from uticket_lite import reference
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception


def prune_one(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    """Exactly k = ⌊fraction·alive⌋ of the alive weights pruned, the smallest |w|."""
    return reference.prune({"": weights}, {"": mask}, fraction)[""]


def _weights(rng: np.random.Generator) -> list[Case]:
    alive = np.ones(4, bool)
    cases = [
        (np.array([0.4, 0.1, 0.3, 0.2]), alive, 0.25),
        (np.array([0.4, -0.9, 0.3, 0.2]), alive, 0.5),
        (np.array([0.4, 0.0, 0.3, 0.2, 0.5, 0.6]), np.array([1, 0, 1, 1, 1, 1], bool), 0.5),
        (np.array([0.2, 0.2, 0.2, 0.5]), alive, 0.25),
        (np.array([0.7, 0.1, 0.6, 0.2, 0.5, 0.3, 0.4]), np.ones(7, bool), 0.25),
    ]
    for _ in range(5):
        weights, mask = rng.normal(size=30), rng.random(30) < 0.7
        cases.append((weights * mask, mask, 0.25))
    return cases


def _mask(case: Case, result: Any) -> np.ndarray:
    if not np.isin(result, (0, 1)).all():
        raise ValueError
    return np.asarray(result).astype(bool)


def _drop_ranked(mask: np.ndarray, values: np.ndarray, k: int) -> np.ndarray:
    alive = np.flatnonzero(mask)
    out = mask.copy()
    out[alive[np.argsort(values[alive], kind="stable")[:k]]] = False
    return out


def _k_of_all(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    out = mask.copy()
    out[np.argsort(np.abs(weights), kind="stable")[: int(fraction * mask.size)]] = False
    return out


def _dead_ranked_too(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    out = mask.copy()
    out[np.argsort(np.abs(weights), kind="stable")[: int(fraction * mask.sum())]] = False
    return out


def _above_quantile(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    return mask & (np.abs(weights) > np.quantile(np.abs(weights[mask]), fraction))


def _one_more(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    return _drop_ranked(mask, np.abs(weights), int(fraction * mask.sum()) + 1)


def _one_more_by_threshold(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    ranked = np.sort(np.abs(weights[mask]))
    return mask & (np.abs(weights) > ranked[int(fraction * mask.sum())])


def _signed(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    return _drop_ranked(mask, weights, int(fraction * mask.sum()))


EXERCISES = (
    Exercise(
        "prune",
        "prune(weights, mask, fraction): a copy of the mask without exactly "
        "⌊fraction·alive⌋ of its alive weights, those with the smallest |w|.",
        "A mask comes back, True where a weight is kept. Print how many weights are alive, what k "
        "is, and which k are the smallest.",
        prune_one,
        _weights,
        (
            Misconception(
                "k + 1 pruned",
                "One too many: where does the k-th smallest weight stand if counting begins at 0, "
                "and does your comparison keep it?",
                _one_more,
            ),
            Misconception(
                "k + 1 pruned by a threshold",
                "You compare with the weight at index k and lose it too, and all that equal it. "
                "A ranking prunes exactly k.",
                _one_more_by_threshold,
            ),
            Misconception(
                "a quantile as threshold",
                "Above a quantile lie nearly as many as you want: it falls between two weights, or "
                "on one, or on several that are equal. A ranking prunes exactly k.",
                _above_quantile,
            ),
            Misconception(
                "signed weights",
                "A large negative weight matters as much as a large positive one.",
                _signed,
            ),
            Misconception(
                "rounded instead of rounded down",
                "k is ⌊fraction · alive⌋: 25 % of 7 weights prunes 1, not 2.",
                lambda weights, mask, fraction: _drop_ranked(
                    mask, np.abs(weights), round(fraction * mask.sum())
                ),
            ),
            Misconception(
                "the largest pruned",
                "The smallest go; yours prunes the largest.",
                lambda weights, mask, fraction: _drop_ranked(
                    mask, -np.abs(weights), int(fraction * mask.sum())
                ),
            ),
            Misconception(
                "weights instead of their mask",
                "Return the mask, True or False for each weight, not the weights that are left.",
                lambda weights, mask, fraction: weights * prune_one(weights, mask, fraction),
            ),
            Misconception(
                "pruned weights ranked too",
                "Your k is right, but weights that are pruned already are 0 and come first in your "
                "ranking: rank only those that are alive.",
                _dead_ranked_too,
            ),
            Misconception(
                "a share of all weights, not of those alive",
                "25 % of what is *left*: weights that are pruned already do not count.",
                _k_of_all,
            ),
            Misconception(
                "k from all weights",
                "You rank those that are alive, but k is a share of those *alive*, not of all.",
                lambda weights, mask, fraction: _drop_ranked(
                    mask, np.abs(weights), int(fraction * mask.size)
                ),
            ),
        ),
        view=_mask,
        cost=lambda case, result: {"alive": int(np.sum(result))},
    ),
    Exercise(
        "rewind",
        "rewind(trained, early, mask): the weights with which the next round starts.",
        "As many weights come back as there were. For each there are two cases: if it is kept, "
        "where does it start? If it is pruned, what is it?",
        lambda trained, early, mask: np.where(mask, early, 0.0),
        lambda rng: [
            (np.array([0.9, 0.1]), np.array([0.5, 0.2]), np.array([True, False])),
            *((rng.normal(size=9), rng.normal(size=9), rng.random(9) < 0.5) for _ in range(4)),
        ],
        (
            Misconception(
                "trained weights kept",
                "That is fine-tuning. A lottery ticket starts again from its early weights.",
                lambda trained, early, mask: trained * mask,
            ),
            Misconception(
                "mask forgotten",
                "Pruned weights must be 0, or they are back.",
                lambda trained, early, mask: early,
            ),
            Misconception(
                "pruned and kept swapped",
                "The mask is True where a weight is *kept*.",
                lambda trained, early, mask: np.where(mask, 0.0, early),
            ),
            Misconception(
                "only pruned weights rewound",
                "The weights that are kept go back to their early values; pruned ones are 0.",
                lambda trained, early, mask: np.where(mask, trained, early),
            ),
            Misconception(
                "everything restarted at 0",
                "A ticket's early weights are what makes it win.",
                lambda trained, early, mask: 0 * early,
            ),
        ),
    ),
)
