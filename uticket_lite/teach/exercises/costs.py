"""Energy (Eq. 3) and its ratio, and what it takes to store a sparse layer."""

import math

import numpy as np

from uticket_lite import reference
from uticket_lite.teach.exercises.exercise import Case, Exercise, Misconception
from uticket_lite.teach.ratio import CLOSE, savings


def _energies(rng: np.random.Generator) -> list[Case]:
    cases = [(10, 0, 0.5, 0.0), (10, 0, 0.5, 0.25), (10, 4, 0.8, 0.25)]
    random = zip(*rng.integers(1, 99, (2, 5)), *rng.random((2, 5)), strict=True)
    return cases + [(int(w), int(i), float(s), float(r)) for w, i, s, r in random]


def _sizes(rng: np.random.Generator) -> list[Case]:
    return [(16,), (1000,), (4096,), (9 * 512 * 512,)]


def _side(r: float) -> float:
    """0 if all six savings are the paper's, −1 or 1 if they are below or above, 100 for percent."""
    missed = savings(r)["difference"]
    return 0 if missed.abs().max() <= CLOSE else 100 if r > 3 else float(np.sign(missed.mean()))


def break_even(size: int) -> float:
    """Non-zeros at which a list of positions takes as many bits as a bit mask."""
    return size / math.ceil(math.log2(size))


EXERCISES = (
    Exercise(
        "energy",
        "energy(work, idle, s, r): Eq. 3, in units of E_dyn.",
        "Two sums: what spikes cost, in working cycles that meet one, and what leakage costs, in "
        "every cycle. By hand: what is left if s = 1?",
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
                "leakage only where spikes are",
                "Leakage flows whether a spike is there or not: it is added, not multiplied.",
                lambda work, idle, s, r: (work * (1 - s) + idle) * r,
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
        "How many bits take m non-zeros in each format? Set the two equal and solve for m, which "
        "need not be whole.",
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
            Misconception(
                "rounded",
                "Keep the fraction: it says where the two formats cross, between two whole "
                "numbers.",
                lambda size: size // math.ceil(math.log2(size)),
            ),
            Misconception(
                "positions of broken bits",
                "A position takes a whole number of bits: log2 size, rounded up.",
                lambda size: size / math.log2(size),
            ),
            Misconception(
                "multiplied",
                "More bits for each position: does a list then pay off for more non-zeros, or "
                "fewer?",
                lambda size: size * math.ceil(math.log2(size)),
            ),
        ),
    ),
    Exercise(
        "leak_ratio",
        "leak_ratio: the r with which Eq. 3 gives the paper's six savings, as a number.",
        "Move the slider until every row of the table is marked.",
        lambda: 0.21,
        lambda rng: [()],
        (
            Misconception(
                "r too small",
                "With so little leakage waiting costs too little: savings come out below the "
                "paper's.",
                lambda: 0.1,
            ),
            Misconception(
                "r too large",
                "With so much leakage saved waiting saves too much: the savings are above the "
                "paper's.",
                lambda: 0.4,
            ),
            Misconception(
                "a percentage, not a ratio",
                "r is E_leak / E_dyn as it is, not times 100.",
                lambda: 21.0,
            ),
        ),
        view=lambda case, result: _side(float(result)),
    ),
)
