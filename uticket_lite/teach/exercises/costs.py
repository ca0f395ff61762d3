"""Energy (Eq. 3), and what it takes to store a sparse layer."""

import math

import numpy as np

from uticket_lite import reference
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception


def _energies(rng: np.random.Generator) -> list[Case]:
    cases = [(10, 0, 0.5, 0.0), (10, 0, 0.5, 0.25), (10, 4, 0.8, 0.25)]
    random = zip(*rng.integers(1, 99, (2, 5)), *rng.random((2, 5)), strict=True)
    return cases + [(int(w), int(i), float(s), float(r)) for w, i, s, r in random]


def _sizes(rng: np.random.Generator) -> list[Case]:
    return [(16,), (1024,), (4096,), (9 * 512 * 512,)]


def break_even(size: int) -> float:
    """Non-zeros at which a list of positions takes as many bits as a bit mask."""
    return size / math.ceil(math.log2(size))


EXERCISES = (
    Exercise(
        "energy",
        "energy(work, idle, s, r): Eq. 3, in units of E_dyn.",
        reference.energy,
        _energies,
        (
            Misconception(
                "working PEs do not leak",
                "Leakage flows in every cycle, working or waiting.",
                lambda work, idle, s, r: work * (1 - s) + idle * r,
            ),
            Misconception(
                "spikes and silence swapped",
                "s is the share of inputs *without* a spike. Which share costs energy?",
                lambda work, idle, s, r: work * (s + r) + idle * r,
            ),
            Misconception(
                "waiting costs as much as working",
                "A waiting PE meets no spike: it only leaks.",
                lambda work, idle, s, r: (work + idle) * ((1 - s) + r),
            ),
            Misconception(
                "waiting is free",
                "A waiting PE leaks too.",
                lambda work, idle, s, r: work * ((1 - s) + r),
            ),
        ),
    ),
    Exercise(
        "break_even",
        "break_even(size): at how many non-zeros a list of positions, ⌈log2 size⌉ bits each, "
        "takes as many bits as a mask with one bit per weight.",
        break_even,
        _sizes,
        (
            Misconception(
                "bits and weights swapped",
                "A mask takes size bits whatever it holds; a list takes ⌈log2 size⌉ for each "
                "non-zero. When are they equal?",
                lambda size: math.ceil(math.log2(size)),
            ),
            Misconception(
                "32-bit positions",
                "A position below size needs only ⌈log2 size⌉ bits.",
                lambda size: size / 32,
            ),
            Misconception(
                "values counted in one format only",
                "Both formats store the value of every non-zero: that cancels.",
                lambda size: size / (math.ceil(math.log2(size)) + 8),
            ),
        ),
    ),
)
