"""The lab's autograder: full marks to the solution, fewer to wrong ones, none to the stubs."""

import nbformat
import pytest

from course.generate import notebook
from course.grading import SOURCE, grade

WRONG = {
    "ignores-queues": ("1.18 if", "1.0 if"),
    "swaps-spikes": ("report.idle, 0.85", "report.idle, 0.15"),
    "one-ratio-for-all": ("leak_ratio=r", "leak_ratio=0.21"),
    "touches-weights": ('retrain or ut.STRATEGIES[name].changes != "mask"', "True"),
    "forgets-the-deadline": ('told["latency"] <= deadline and ', ""),
}


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    handed_in = folder / "handed-in"
    handed_in.mkdir()
    nbformat.write(notebook(SOURCE), handed_in / "stub.ipynb")
    solution = notebook(SOURCE, solutions=True)
    for cell in solution.cells:  # as a learner's: without the tests that are hidden
        cell.source = cell.source.partition("### BEGIN HIDDEN TESTS")[0]
    nbformat.write(solution, handed_in / "solution.ipynb")
    for name, (right, wrong) in WRONG.items():
        text = nbformat.writes(solution)
        changed = text.replace(right.replace('"', '\\"'), wrong.replace('"', '\\"'))
        assert changed != text
        (handed_in / f"{name}.ipynb").write_text(changed)
    table = grade(handed_in, folder / "points.csv")
    assert (folder / "points.csv").exists()
    return table.set_index("learner")


def test_the_solution_gets_all_points_that_tests_can_give(points):
    assert points.loc["solution", "auto"] == points.loc["solution", "max_auto"] == 14


@pytest.mark.parametrize("name", WRONG)
def test_wrong_solutions_get_fewer(points, name):
    assert 0 < points.loc[name, "auto"] < 14


def test_stubs_get_none(points):
    assert points.loc["stub", "auto"] == 0
