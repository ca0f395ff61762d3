"""A question, and what counts as an answer to it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Guess = float | str | list[int]
"""A number, one of the choices, or the loads of some PEs."""


def short(value: float) -> str:
    """A number in a few digits."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.4g}"


@dataclass(frozen=True)
class Question:
    """What is asked, and which answers are possible.

    name: by which `reveal` finds it. text: as learners read it. choices: the answers to choose
    from; without any, a number from low to high, in `unit`. pes: if not 0, the loads of so many
    PEs are drawn instead, whole numbers from low to high.
    """

    name: str
    text: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    low: float = 0
    high: float = 1_000_000
    pes: int = 0

    def read(self, given: Any) -> Guess:
        """The guess in what was given; ValueError, in words for the learner, if it is none."""
        if self.choices:
            if given not in self.choices:
                raise ValueError("Choose one of the answers.")
            return str(given)
        if self.pes:
            return self._loads(given)
        try:
            number = float(str(given).strip().removesuffix(self.unit or "\0").replace(",", ""))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError("Type one number, without words.")
        if not self.low <= number <= self.high:
            raise ValueError(f"Type a number from {self.low:,g} to {self.high:,g}{self._unit}.")
        return number

    def any_answer(self) -> Guess:
        """Some possible answer, for those who only try the notebook."""
        if self.choices:
            return self.choices[0]
        middle = min(max(10.0, self.low), self.high)
        return [int(middle)] * self.pes if self.pes else middle

    def say(self, guess: Guess | None) -> str:
        """A guess in words."""
        if guess is None:
            return "skipped"
        if isinstance(guess, str):
            return guess
        if isinstance(guess, list):
            return ", ".join(f"{load:g}" for load in guess)
        return short(guess) + self._unit

    def as_json(self) -> dict[str, Any]:
        """For the file of predictions."""
        shown = {"question": self.text, "unit": self.unit, "low": self.low, "high": self.high}
        return {**shown, "choices": list(self.choices), "pes": self.pes}

    @classmethod
    def from_json(cls, name: str, kept: Mapping[str, Any]) -> "Question":
        """What `as_json` wrote."""
        numbers = {key: kept[key] for key in ("unit", "low", "high", "pes")}
        return cls(name, kept["question"], tuple(kept["choices"]), **numbers)

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""

    def _loads(self, given: Any) -> list[int]:
        whole = isinstance(given, Sequence) and len(given) == self.pes
        if not whole or not all(isinstance(load, int) for load in given):
            raise ValueError(f"Draw the loads of all {self.pes} PEs.")
        if not all(self.low <= load <= self.high for load in given) or not any(given):
            raise ValueError(f"Draw at least one load, each from {self.low:g} to {self.high:g}.")
        return [int(load) for load in given]
