"""Spiking neurons, pruning and rewinding, and the spikes that weights meet."""

from typing import Any

import numpy as np

from uticket_lite import reference
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception


def _steps(rng: np.random.Generator) -> list[Case]:
    def case(membrane: list[float], spiked: list[bool], current: list[float]) -> Case:
        return np.array(membrane), np.array(spiked), np.array(current), 0.25, 1.0

    small = [
        case([0.0], [False], [0.4]),
        case([0.0], [False], [1.0]),
        case([0.8], [False], [0.5]),
        case([1.6], [True], [0.7]),
        case([2.0], [True], [1.2]),
    ]
    return small + [
        (rng.normal(0, 1, 20), rng.random(20) < 0.4, rng.normal(0, 1.5, 20), 0.25, 1.0)
        for _ in range(5)
    ]


def _lif(membrane: Any, spiked: Any, current: Any, beta: float, threshold: float) -> Any:
    membrane = np.where(spiked, 0, membrane)
    return beta * membrane + current


def _at_once(membrane: Any, spiked: Any, current: Any, beta: float, threshold: float) -> Any:
    membrane = beta * membrane + current
    spikes = membrane > threshold
    return np.where(spikes, 0, membrane), spikes


def _loses_the_input(
    membrane: Any, spiked: Any, current: Any, beta: float, threshold: float
) -> Any:
    membrane = np.where(spiked, 0, beta * membrane + current)
    return membrane, membrane > threshold


def _never_resets(membrane: Any, spiked: Any, current: Any, beta: float, threshold: float) -> Any:
    membrane = beta * membrane + current
    return membrane, membrane > threshold


def _subtracts(membrane: Any, spiked: Any, current: Any, beta: float, threshold: float) -> Any:
    membrane = beta * membrane + current - spiked * threshold
    return membrane, membrane > threshold


def _at_threshold(membrane: Any, spiked: Any, current: Any, beta: float, threshold: float) -> Any:
    membrane = _lif(membrane, spiked, current, beta, threshold)
    return membrane, membrane >= threshold


def _input_decays(membrane: Any, spiked: Any, current: Any, beta: float, threshold: float) -> Any:
    membrane = beta * np.where(spiked, 0, membrane) + (1 - beta) * current
    return membrane, membrane > threshold


def _spikes_as_bool(case: Case, result: Any) -> tuple[Any, Any]:
    membrane, spikes = result
    return np.asarray(membrane, float), np.asarray(spikes).astype(bool)


def prune_one(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    """Exactly k = ⌊fraction·alive⌋ of the alive weights pruned, the smallest |w|."""
    return reference.prune({"": weights}, {"": mask}, fraction)[""]


def _weights(rng: np.random.Generator) -> list[Case]:
    alive = np.ones(4, bool)
    cases = [
        (np.array([0.4, 0.1, 0.3, 0.2]), alive, 0.25),
        (np.array([0.4, -0.9, 0.3, 0.2]), alive, 0.5),
        (np.array([0.4, 0.0, 0.3, 0.2, 0.5]), np.array([1, 0, 1, 1, 1], bool), 0.5),
        (np.array([0.2, 0.2, 0.2, 0.5]), alive, 0.25),
    ]
    for _ in range(5):
        weights, mask = rng.normal(size=30), rng.random(30) < 0.7
        cases.append((weights * mask, mask, 0.25))
    return cases


def _drop_ranked(mask: np.ndarray, values: np.ndarray, k: int) -> np.ndarray:
    alive = np.flatnonzero(mask)
    out = mask.copy()
    out[alive[np.argsort(values[alive], kind="stable")[:k]]] = False
    return out


def _k_of_all(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    out = mask.copy()
    out[np.argsort(np.abs(weights), kind="stable")[: int(fraction * mask.size)]] = False
    return out


def _one_more(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    return _drop_ranked(mask, np.abs(weights), int(fraction * mask.sum()) + 1)


def _one_more_by_threshold(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    ranked = np.sort(np.abs(weights[mask]))
    return mask & (np.abs(weights) > ranked[int(fraction * mask.sum())])


def _signed(weights: np.ndarray, mask: np.ndarray, fraction: float) -> np.ndarray:
    return _drop_ranked(mask, weights, int(fraction * mask.sum()))


def _accumulate(one: np.ndarray, spikes: np.ndarray) -> int:
    """How many spikes the non-zeros of one filter meet, at all positions and timesteps."""
    _, high, wide = one.shape
    total = 0
    for step in spikes:
        for y in range(step.shape[1] - high + 1):
            for x in range(step.shape[2] - wide + 1):
                total += int((one & step[:, y : y + high, x : x + wide]).sum())
    return total


def _positions(one: np.ndarray, spikes: np.ndarray) -> int:
    rows, columns = spikes.shape[2] - one.shape[1] + 1, spikes.shape[3] - one.shape[2] + 1
    return rows * columns


def _images(rng: np.random.Generator) -> list[Case]:
    corner = np.zeros((1, 1, 2, 2), bool)
    corner[0, 0, 0, 0] = True
    cases = [(np.ones((1, 1, 1), bool), corner), (np.ones((1, 2, 2), bool), corner)]
    for _ in range(4):
        cases.append((rng.random((3, 3, 3)) < 0.3, rng.random((4, 3, 6, 6)) < 0.2))
    return cases


RESETS = Misconception(
    "reset at once",
    "The membrane that comes back should still be the one that spiked: the reset acts one step "
    "later, on who *spiked* before.",
    _at_once,
)

EXERCISES = (
    Exercise(
        "lif_step",
        "lif_step(membrane, spiked, current, beta, threshold): the new membranes, and who spikes.",
        reference.lif_step,
        _steps,
        (
            Misconception(
                "never reset",
                "Who spiked in the step before starts again from 0.",
                _never_resets,
            ),
            RESETS,
            Misconception(
                "the input lost in the reset",
                "Reset first, then add the current: a neuron that has just spiked still listens.",
                _loses_the_input,
            ),
            Misconception(
                "threshold subtracted",
                "That is another neuron (reset by subtraction). Here the membrane is set to 0.",
                _subtracts,
            ),
            Misconception(
                "a spike at the threshold",
                "A neuron spikes *above* its threshold, not at it.",
                _at_threshold,
            ),
            Misconception(
                "the input decays too",
                "Only what the membrane kept decays; the current is added whole. (The paper's "
                "released code scales both: that is another neuron.)",
                _input_decays,
            ),
        ),
        view=_spikes_as_bool,
    ),
    Exercise(
        "prune",
        "prune(weights, mask, fraction): a copy of the mask without exactly "
        "⌊fraction·alive⌋ of its alive weights, those with the smallest |w|.",
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
                "signed weights",
                "A large negative weight matters as much as a large positive one.",
                _signed,
            ),
            Misconception(
                "a share of all weights, not of those alive",
                "25 % of what is *left*: weights that are pruned already do not count.",
                _k_of_all,
            ),
        ),
        view=lambda case, result: np.asarray(result).astype(bool),
        cost=lambda case, result: {"alive": int(np.sum(result))},
    ),
    Exercise(
        "rewind",
        "rewind(trained, early, mask): the weights with which the next round starts.",
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
                "everything restarted at 0",
                "A ticket's early weights are what makes it win.",
                lambda trained, early, mask: 0 * early,
            ),
        ),
    ),
    Exercise(
        "accumulations",
        "accumulations(one, spikes): how many spikes (T, C, H, W) the non-zeros of one filter "
        "(C, kh, kw) meet, without padding.",
        _accumulate,
        _images,
        (
            Misconception(
                "every weight at every position",
                "That is the work if every input spiked. Only a spike costs a cycle.",
                lambda one, spikes: int(one.sum()) * _positions(one, spikes) * len(spikes),
            ),
            Misconception(
                "only the first timestep",
                "Add up all timesteps.",
                lambda one, spikes: _accumulate(one, spikes[:1]),
            ),
            Misconception(
                "spikes counted, whatever the mask",
                "A spike costs nothing where the weight is pruned.",
                lambda one, spikes: _accumulate(np.ones_like(one), spikes),
            ),
            Misconception(
                "one position only",
                "The filter slides over the whole input.",
                lambda one, spikes: _accumulate(one, spikes[:, :, : one.shape[1], : one.shape[2]]),
            ),
        ),
    ),
)
