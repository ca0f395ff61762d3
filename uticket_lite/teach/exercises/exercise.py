"""What an exercise is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Case = tuple[Any, ...]
"""The arguments of one call."""


def itself(case: Case, result: Any) -> Any:
    """The result as it is."""
    return result


@dataclass(frozen=True)
class Misconception:
    """A wrong idea: its name, a hint that does not give the solution away, and what it computes."""

    name: str
    hint: str
    wrong: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """Something to write, and how to tell whether it is right.

    name: that of the function to write. task: what it takes and gives. hint: what to try next,
    where no misconception explains what is wrong; it does not give the solution away either.
    reference: a right one. cases: arguments to try, the smallest first; equal seeds give equal
    cases. misconceptions: the first that explains all results is named. view: what of a result
    must agree with the reference's (where several results are right). cost: figures that a result
    reaches. picture: loads of PEs, (waves, n), to draw of a result. example: of an exercise by
    hand, words and such loads for other data, drawn in the place of the right ones, which would be
    the answer. tried: how an answer that is no function becomes a result.
    """

    name: str
    task: str
    hint: str
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], list[Case]]
    misconceptions: tuple[Misconception, ...]
    view: Callable[[Case, Any], Any] = itself
    cost: Callable[[Case, Any], Mapping[str, float]] | None = None
    picture: Callable[[Case, Any], Any] | None = None
    example: tuple[str, Any] | None = None
    tried: Callable[..., Any] = lambda answer, *case: answer
