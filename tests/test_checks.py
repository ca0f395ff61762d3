"""The course's checks: right passes, planted misconceptions are named, nothing ever raises."""

import re

import numpy as np
import pytest

from uticket_lite.explore.charts.palette import TIME
from uticket_lite.teach import EXERCISES, check, pictures
from uticket_lite.teach.checking import _short

PLANTED = [
    pytest.param(exercise, idea, id=f"{name}: {idea.name}")
    for name, exercise in EXERCISES.items()
    for idea in exercise.misconceptions
]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_passes_and_reaches_its_cost(name):
    verdict = check(EXERCISES[name].reference, name)
    assert verdict.passed, verdict
    assert bool(verdict.cost) == (EXERCISES[name].cost is not None)
    assert not verdict.misconception


@pytest.mark.parametrize("name", EXERCISES)
def test_every_check_knows_at_least_three_misconceptions(name):
    assert len({idea.name for idea in EXERCISES[name].misconceptions}) >= 3
    assert name in EXERCISES[name].task or name.endswith("by_hand")


@pytest.mark.parametrize(("exercise", "idea"), PLANTED)
def test_a_planted_misconception_fails_with_its_own_hint(exercise, idea):
    verdict = check(idea.wrong, exercise.name)
    assert not verdict.passed
    assert verdict.misconception == idea.name
    assert idea.hint in verdict.words
    if exercise.picture is not None and "the loads" not in verdict.drawn:
        undrawn = ("sorted counts instead of filters", "a short last wave forgotten")
        assert "yours" in verdict.drawn or idea.name in undrawn
        assert "right" in verdict.drawn
    else:
        assert "yours" not in verdict.drawn, "one picture is not shown twice"


def test_the_smallest_case_that_differs_is_shown():
    wrong = check(lambda wave: float(np.mean(wave) / np.max(wave)), "utilization")
    assert "utilization([8, 0, 0, 0]) gives 0.25" in wrong.words, "equal loads agree"


class Odd:
    """A result that cannot even be shown."""

    def __repr__(self):
        raise RuntimeError

    __eq__ = __array__ = __len__ = __repr__


NONSENSE = {
    "nothing": lambda *_: None,
    "dots": lambda *_: ...,
    "text": lambda *_: "text",
    "nan": lambda *_: float("nan"),
    "infinity": lambda *_: [[float("inf")]],
    "object": lambda *_: object(),
    "ragged": lambda *_: [[1, 2], [3]],
    "large": lambda *_: np.ones((2, 3, 4, 5)),
    "odd": lambda *_: Odd(),
    "raises": lambda *_: 1 / 0,
    "exits": lambda *_: exit(),
    "nested": lambda *_: ([[["a"]]], {}),
    "argument": lambda *given: given[0],
    "recursion": lambda *given: NONSENSE["recursion"](*given),
}


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_whatever_is_given_it_fails_without_raising(name, nonsense):
    verdict = check(NONSENSE[nonsense], name)
    assert not verdict.passed
    assert verdict.words
    assert verdict._repr_html_()
    assert repr(verdict)


def test_stopping_an_endless_answer_says_where():
    def latency(loads):
        raise KeyboardInterrupt

    assert "did not end for latency([[10, 6, 4, 4]])" in check(latency).words


def test_unknown_names_are_answered_with_what_was_meant():
    assert "Did you mean utilization?" in check(lambda wave: 1.0, "utilisation").words
    assert not check(None)
    assert not check(3.5)
    assert not check(0.5, exercise=7)


def test_what_is_not_written_yet_is_said_so():
    def utilization(wave): ...

    def latency(loads):
        raise NotImplementedError

    assert "Nothing comes back yet" in check(utilization).words
    assert "Not written yet" in check(latency).words


def test_a_function_that_spoils_its_arguments_is_told_to_copy_them():
    def prune(weights, mask, fraction):
        alive = np.flatnonzero(mask)
        k = int(fraction * alive.size)
        mask[alive[np.argsort(np.abs(weights[alive]), kind="stable")[:k]]] = False
        return mask

    verdict = check(prune)
    assert not verdict
    assert "begin with a copy" in verdict.words


def test_no_verdict_contains_a_solution():
    for exercise, idea in (parameter.values for parameter in PLANTED):
        verdict = check(idea.wrong, exercise.name)
        assert "lambda" not in verdict._repr_html_()
        assert "return" not in verdict.words


def test_cases_are_the_same_each_time():
    for name, exercise in EXERCISES.items():
        one, two = (exercise.cases(np.random.default_rng(0)) for _ in range(2))
        for case, again in zip(one, two, strict=True):
            shown = [[_short(argument, 10**6) for argument in given] for given in (case, again)]
            assert shown[0] == shown[1], name


def test_loads_beside_the_right_ones_share_one_scale():
    drawn = check(lambda counts, n: EXERCISES["loads"].reference(counts, n) // 2, "loads").drawn
    yours, right = drawn.split("<i>right</i>")
    pattern = r'height="([\d.]+)" fill="' + TIME["work"]
    assert max(map(float, re.findall(pattern, yours))) < 80
    assert max(map(float, re.findall(pattern, right))) == 80


@pytest.mark.parametrize("name", [name for name in EXERCISES if name.endswith("by_hand")])
def test_no_picture_of_an_exercise_by_hand_is_its_answer(name):
    exercise = EXERCISES[name]
    for idea in exercise.misconceptions:
        drawn = check(idea.wrong, name).drawn
        if exercise.picture is not None:
            answer = pictures.rows_of(exercise.reference())
            assert str(answer) not in drawn
            assert "right for" in drawn, "other data"


def test_a_name_that_is_not_known_is_told_apart_from_a_wrong_answer():
    def balance(mask, n, rng):
        return drop_and_regrow(mask, n, rng)  # noqa: F821

    verdict = check(balance)
    assert "NameError" in verdict.words
    assert "Run the cell that defines" in verdict.words
    assert EXERCISES["balance"].hint not in verdict.words


def test_figures_say_of_which_case_they_are():
    verdict = check(EXERCISES["loads"].reference, "loads")
    assert re.search(r"Right in all 7 cases\. The last, loads\(\[.*…, 16\):", verdict.words)


def test_balanced_right_its_figures_show_no_waiting():
    assert check(EXERCISES["balance"].reference, "balance").cost["utilization after"] == 1


def test_wrong_ideas_of_longest_first_differ_in_the_smallest_case():
    first, *_ = EXERCISES["lpt"].cases(np.random.default_rng(0))
    ideas = [EXERCISES["lpt"].reference, *(i.wrong for i in EXERCISES["lpt"].misconceptions)]
    assert len({tuple(sorted(map(int, idea(*first)))) for idea in ideas}) == 4


def test_sparsest_first_is_told_that_it_deals_in_turn():
    def lpt(counts, n):
        busy = [0] * n
        for count in sorted(counts):
            busy[busy.index(min(busy))] += count
        return busy

    assert "sparsest first gives the same" in check(lpt).words


def test_large_arrays_are_named_by_their_shape():
    def accumulations(one, spikes):
        return EXERCISES["accumulations"].reference(one, spikes) + (one.size > 9)

    assert "an array of shape (4, 3, 6, 6)" in check(accumulations).words
