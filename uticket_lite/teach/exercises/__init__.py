"""Exercises: entries of the modules here, found by themselves.

To add one, write an `Exercise` into the `EXERCISES` of a module here; `check` then knows it by
its name, and the tests try its misconceptions.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from uticket_lite.teach.exercises.exercise import Exercise, Misconception

_MODULES = [
    importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
    if module.name != "exercise"
]

EXERCISES: Mapping[str, Exercise] = MappingProxyType(
    {exercise.name: exercise for module in _MODULES for exercise in module.EXERCISES}
)
"""Name to exercise."""

__all__ = ["EXERCISES", "Exercise", "Misconception"]
