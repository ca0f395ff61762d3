"""Grade the lab: `python -m course.grading SUBMISSIONS OUT.csv`, with nbgrader.

SUBMISSIONS is a folder with one notebook for each learner, called after them. The hidden tests
give points by themselves; the argument is graded by hand, with `nbgrader formgrader` in the
folder that is left beside OUT.csv.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd

from course.generate import SOURCES, notebook

LAB = "lab"
(SOURCE,) = (source for source in SOURCES if source.stem.endswith("lab"))


def points_by_part() -> dict[str, float]:
    """Name of each graded cell of the lab to its points."""
    marked = (cell.metadata.get("nbgrader", {}) for cell in notebook(SOURCE, solutions=True).cells)
    return {cell["grade_id"]: cell["points"] for cell in marked if cell.get("grade")}


def grade(submissions: Path, out: Path) -> pd.DataFrame:
    """Points for each learner, a row each: `learner`, `auto` and `max_auto`; also written to `out`.

    Raises FileNotFoundError if there is no submission, RuntimeError if nbgrader fails.
    """
    # nbgrader runs `alembic`, which lies beside this Python.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    files = sorted(submissions.glob("*.ipynb"))
    if not files:
        raise FileNotFoundError(f"no notebooks in {submissions}")
    folder = out.with_suffix("")
    made = folder / "source" / LAB / f"{SOURCE.stem}.ipynb"
    made.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(SOURCE, solutions=True), made)
    for file in files:
        place = folder / "submitted" / file.stem / LAB / made.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    _nbgrader(folder, "generate_assignment", LAB, "--create", "--force")
    _nbgrader(folder, "autograde", LAB, "--create", "--force")
    return _points(folder, out)


def _nbgrader(folder: Path, *command: str) -> None:
    options = ["--CourseDirectory.root=.", "--ExecutePreprocessor.timeout=300"]
    whole = [sys.executable, "-m", "nbgrader", *command, *options]
    done = subprocess.run(whole, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nbgrader {command[0]} failed:\n{done.stderr[-3000:]}")


def _points(folder: Path, out: Path) -> pd.DataFrame:
    from nbgrader.api import Gradebook

    rows = []
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(LAB):
            grades = [grade for part in submission.notebooks for grade in part.grades]
            automatic = [grade for grade in grades if grade.cell.cell_type == "code"]
            rows.append(
                {
                    "learner": submission.student.id,
                    "auto": sum(grade.auto_score or 0 for grade in automatic),
                    "max_auto": sum(grade.max_score for grade in automatic),
                }
            )
    table = pd.DataFrame(rows).sort_values("learner", ignore_index=True)
    table.to_csv(out, index=False)
    return table


if __name__ == "__main__":
    print(grade(Path(sys.argv[1]), Path(sys.argv[2])).to_string(index=False))
