"""`check`: what a learner wrote, tried against the reference on examples and random cases."""

import copy
import difflib
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from uticket_lite.paper.section import coded
from uticket_lite.teach import pictures
from uticket_lite.teach.exercises import EXERCISES
from uticket_lite.teach.exercises.exercise import Exercise, Misconception

UNKNOWN = (
    "The name is not known here. Run the cell that defines or imports it (in another notebook? "
    "then copy that cell, too), and the one with your function again."
)
SPOILED = (
    "gives what it should, but changes what it is given, which others still need: "
    "begin with a copy, such as mask.copy()."
)


@dataclass(frozen=True)
class Verdict:
    """What `check` found; true if all cases agree.

    words: what to read. misconception: the wrong idea that was recognized, or "". cost: figures
    that the solution reaches on the last case, such as cycles. drawn: pictures as HTML.
    """

    passed: bool
    words: str
    misconception: str = ""
    cost: Mapping[str, float] = field(default_factory=dict)
    drawn: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        figures = "".join(f"\n  {name}: {value:,.4g}" for name, value in self.cost.items())
        return f"{'✓' if self.passed else '✗'} {self.words}{figures}"

    def _repr_html_(self) -> str:
        words = coded(self.words).replace("\n", "<br>")
        figures = "".join(
            f"<li>{html.escape(name)}: <b>{value:,.4g}</b></li>"
            for name, value in self.cost.items()
        )
        mark = "✓" if self.passed else "✗"
        return f"<div><p><b>{mark}</b> {words}</p>{self.drawn}<ul>{figures}</ul></div>"


def check(answer: Any, exercise: str | None = None) -> Verdict:
    """Try a function (or, for exercises by hand, a value) and say how it differs, if it does.

    exercise: a name in `EXERCISES`; default: the function's own name. It never raises; stop one
    that does not end with *Interrupt the kernel*.
    """
    name = str(exercise or getattr(answer, "__name__", ""))
    if name not in EXERCISES:
        close = difflib.get_close_matches(name, EXERCISES, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return Verdict(False, f"No exercise is called {name!r}.{hint} Keep the name of the stub.")
    task = EXERCISES[name]
    if answer is None or answer is Ellipsis:
        return Verdict(False, "No answer yet: put yours in the place of the dots.")
    if not callable(answer):
        return _judge(task, lambda *case: task.tried(answer, *case))
    return _judge(task, answer)


def _judge(task: Exercise, function: Callable[..., Any]) -> Verdict:
    cases = task.cases(np.random.default_rng(0))
    results, spoiled = [], []
    for case in cases:
        try:
            given = copy.deepcopy(case)
            got = function(*given)
        except KeyboardInterrupt:
            return Verdict(False, f"Stopped. It did not end for {_shown(task, case)}.")
        except (Exception, SystemExit) as error:
            if isinstance(error, NotImplementedError):
                return Verdict(False, "Not written yet.")
            problem = f"{type(error).__name__}: {error}"
            hint = UNKNOWN if isinstance(error, NameError | ImportError) else task.hint
            return Verdict(False, f"It stops with {problem}\nfor {_shown(task, case)}.\n{hint}")
        if got is None or got is Ellipsis:
            return Verdict(False, "Nothing comes back yet: write it, and end with return.")
        results.append(got)
        spoiled.append(not all(map(_unchanged, case, given)))
    wanted = [task.view(case, task.reference(*copy.deepcopy(case))) for case in cases]
    views = [_view(task, case, got) for case, got in zip(cases, results, strict=True)]
    wrong = [i for i, view in enumerate(views) if not same(view, wanted[i])]
    if any(spoiled) and not wrong:
        return Verdict(False, f"{_shown(task, cases[spoiled.index(True)])} {SPOILED}", "in place")
    if not wrong:
        cost = _cost(task, cases[-1], results[-1])
        said = f"Right in all {len(cases)} cases." if len(cases) > 1 else "Right."
        if cost and len(cases) > 1:
            said += f" The last, {_shown(task, cases[-1], 40)}:"
        return Verdict(True, said, cost=cost)
    idea = _recognized(task, cases, views, wanted)
    first = wrong[0]
    several = f"{len(wrong)} of {len(cases)} cases differ. The smallest:\n"
    words = f"Not yet: {several}" if len(cases) > 1 else "Not yet:\n"
    words += f"{_shown(task, cases[first])} gives {_short(results[first])}"
    right = task.reference(*copy.deepcopy(cases[first]))
    drawn = _drawn(task, cases[first], results[first], right)
    words += f"\n{idea.name}: {idea.hint}" if idea else f"\n{task.hint}"
    cost = _cost(task, cases[first], results[first])
    return Verdict(False, words, idea.name if idea else "", cost, drawn)


def same(one: Any, other: Any) -> bool:
    """Equal in shape, and in value but for rounding; False for what cannot be compared."""
    if isinstance(other, tuple):
        alike = isinstance(one, tuple | list) and len(one) == len(other)
        return alike and all(same(a, b) for a, b in zip(one, other, strict=True))
    try:
        a, b = np.asarray(one, float), np.asarray(other, float)
    except (TypeError, ValueError):
        return False
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-9))


def _unchanged(before: Any, after: Any) -> bool:
    return not isinstance(before, np.ndarray) or np.array_equal(before, after)


def _view(task: Exercise, case: tuple[Any, ...], got: Any) -> Any:
    """What is compared; None if the result is of another kind, so that it cannot be looked at."""
    try:
        return task.view(case, got)
    except Exception:
        return None


def _recognized(
    task: Exercise, cases: list[tuple[Any, ...]], views: list[Any], wanted: list[Any]
) -> Misconception | None:
    """The first wrong idea that gives the same as the learner in every case where it is wrong."""
    for idea in task.misconceptions:
        told = [_view(task, case, _try(idea.wrong, case)) for case in cases]
        if all(
            same(view, wrong) or (wrong is None and view is None)
            for view, wrong in zip(views, told, strict=True)
        ):
            return idea
    return None


def _try(function: Callable[..., Any], case: tuple[Any, ...]) -> Any:
    try:
        return function(*copy.deepcopy(case))
    except Exception:
        return None


def _cost(task: Exercise, case: tuple[Any, ...], got: Any) -> Mapping[str, float]:
    try:
        return {k: float(v) for k, v in task.cost(case, got).items()} if task.cost else {}
    except Exception:
        return {}


def _drawn(task: Exercise, case: tuple[Any, ...], got: Any, right: Any) -> str:
    if task.picture is None:
        return ""
    tables = []
    for title, result in (("yours", got), task.example or ("right", right)):
        try:
            rows = pictures.rows_of(task.picture(case, result))
        except Exception:
            rows = None
        if rows is not None:
            tables.append((title, rows))
    if len(tables) == 2 and tables[0][1] == tables[1][1]:  # what was given, not what came back
        tables = [("the loads", tables[0][1])]
    highest = max((load for _, rows in tables for row in rows for load in row), default=1)
    return "".join(
        f"<div><i>{title}</i>"
        f"{pictures.bars(rows, f'Loads of the PEs, {title}: {rows}', highest)}</div>"
        for title, rows in tables
    )


def _shown(task: Exercise, case: tuple[Any, ...], longest: int = 160) -> str:
    if not case:
        return "Your answer"
    return f"{task.name}({', '.join(_short(argument, longest) for argument in case)})"


def _short(value: Any, longest: int = 160) -> str:
    given = value
    if isinstance(value, np.random.Generator):
        return "rng"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.astype(int).tolist() if value.dtype == bool else value.round(3).tolist()
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    if len(text) > longest and isinstance(given, np.ndarray) and given.ndim > 1:
        return f"an array of shape {given.shape}"
    if isinstance(given, pd.DataFrame):
        return f"a table of {len(given)} rows"
    return text if len(text) <= longest else text[: longest - 3] + "…"
