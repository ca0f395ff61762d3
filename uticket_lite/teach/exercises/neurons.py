"""Spiking neurons, and the spikes that weights meet."""

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


def _twice(membrane: Any, spiked: Any, current: Any, beta: float, threshold: float) -> Any:
    return _at_once(np.where(spiked, 0, membrane), spiked, current, beta, threshold)


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


def _accumulate(one: np.ndarray, spikes: np.ndarray) -> int:
    """How many spikes the non-zeros of one filter meet, at all positions and timesteps."""
    _, high, wide = one.shape
    total = 0
    for step in spikes:
        for y in range(step.shape[1] - high + 1):
            for x in range(step.shape[2] - wide + 1):
                total += int((one & step[:, y : y + high, x : x + wide]).sum())
    return total


_BORDER = ((0, 0), (0, 0), (1, 1), (1, 1))
"""Padding of one row or column on each side of the input, none of timesteps and channels."""


def _positions(one: np.ndarray, spikes: np.ndarray) -> int:
    rows, columns = spikes.shape[2] - one.shape[1] + 1, spikes.shape[3] - one.shape[2] + 1
    return rows * columns


def _images(rng: np.random.Generator) -> list[Case]:
    corner = np.array([[[[1, 0], [0, 0]]]])
    cases = [(np.ones((1, 1, 1), bool), corner), (np.ones((1, 2, 2), bool), corner)]
    edge = np.array([[[[0, 0, 0], [0, 1, 1]]]])
    cases += [(np.array([[[True, False]]]), edge), (np.array([[[False, True]]]), edge)]
    for _ in range(4):
        cases.append((rng.random((3, 3, 3)) < 0.3, (rng.random((4, 3, 6, 6)) < 0.2).astype(int)))
    return cases


EXERCISES = (
    Exercise(
        "lif_step",
        "lif_step(membrane, spiked, current, beta, threshold): the new membranes, and who spikes.",
        "Follow one neuron by hand: v = 1.6, it spiked, the current is 0.7. Reset, then leak, then "
        "current. Two things come back, membranes and spikes.",
        reference.lif_step,
        _steps,
        (
            Misconception(
                "never reset",
                "Who spiked in the step before starts again from 0.",
                _never_resets,
            ),
            Misconception(
                "reset at once",
                "The membrane that comes back should still be the one that spiked: the reset acts "
                "one step later, on who *spiked* before.",
                _at_once,
            ),
            Misconception(
                "reset twice",
                "Who spiked before starts again from 0, and that is all: who spikes *now* keeps "
                "its membrane until the next step.",
                _twice,
            ),
            Misconception(
                "no leak",
                "Only the share beta of the membrane is kept.",
                lambda membrane, spiked, current, beta, threshold: _never_resets(
                    np.where(spiked, 0, membrane), spiked, current, 1, threshold
                ),
            ),
            Misconception(
                "spikes before membranes",
                "Return the membranes first, then who spikes.",
                lambda *given: reference.lif_step(*given)[::-1],
            ),
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
        "accumulations",
        "accumulations(one, spikes): how many spikes (T, C, H, W) the non-zeros of one filter "
        "(C, kh, kw) meet, without padding.",
        "Take a filter with one non-zero: where on the input can it lie? One number comes back, "
        "over all positions, channels and timesteps.",
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
            Misconception(
                "filter turned around",
                "Convolutions of networks do not turn the filter: the weight in row 0 meets the "
                "first row of what it lies on.",
                lambda one, spikes: _accumulate(one[:, ::-1, ::-1], spikes),
            ),
            Misconception(
                "with padding",
                "Without padding the filter stays inside the input: H − kh + 1 rows of positions.",
                lambda one, spikes: _accumulate(one, np.pad(spikes, _BORDER)),
            ),
            Misconception(
                "the last row and column of positions forgotten",
                "How many places has a filter of 2 rows on an input of 2 rows? Yours has one fewer "
                "than there are.",
                lambda one, spikes: _accumulate(one, spikes[:, :, :-1, :-1]),
            ),
            Misconception(
                "the mean over timesteps",
                "Add up all timesteps: each costs its cycles.",
                lambda one, spikes: _accumulate(one, spikes) / len(spikes),
            ),
        ),
    ),
)
