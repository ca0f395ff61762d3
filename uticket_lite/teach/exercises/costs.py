"""Energy (Eq. 3) and its ratio, and what it takes to store a sparse layer."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from uticket_lite import reference
from uticket_lite.hardware.components import component_table
from uticket_lite.hardware.energy import E_DYN, PAPER_LEAK_RATIO
from uticket_lite.paper.published import paper_table
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


def _parts(rng: np.random.Generator) -> list[Case]:
    table = component_table()
    return [(table.iloc[2:4], 0.5), (table, E_DYN), (table.iloc[::2], 0.25)]


def leak_ratios(parts: pd.DataFrame, e_dyn: float, every: str = "leakage_energy") -> Any:
    """r with gated clocks, and without, from a table of parts; every: what is spent anyway."""
    leakage = parts[every].sum()
    return leakage / e_dyn, (leakage + parts.loc[~parts["gated"], "energy"].sum()) / e_dyn


def _gated_for_ungated(parts: pd.DataFrame, e_dyn: float) -> Any:
    return leak_ratios(parts.assign(gated=~parts["gated"]), e_dyn)


def _without_leakage(parts: pd.DataFrame, e_dyn: float) -> Any:
    return leak_ratios(parts, e_dyn)[0], leak_ratios(parts.assign(leakage_energy=0), e_dyn)[1]


def _pairs(rng: np.random.Generator) -> list[Case]:
    def ticket(row: pd.Series, method: str) -> dict[str, float]:
        left, spikeless = (row[name, method] / 100 for name in ("sparsity", "spike_sparsity"))
        cycles = {name: float(row[name, method]) for name in ("work", "idle")}
        return {**cycles, "s": round(spikeless, 3), "nonzeros": round(1 - left, 3)}

    rows = [row for _, row in paper_table().iterrows()]
    return [(ticket(row, "lth"), ticket(row, "uticket")) for row in rows]


def _energy_of(ticket: dict[str, float], idle: float) -> float:
    return reference.energy(ticket["work"], idle, ticket["s"], PAPER_LEAK_RATIO)


def _steps(lth: dict[str, float], uticket: dict[str, float]) -> list[float]:
    """LTH's energy, without waiting, with work less as non-zeros are, u-Ticket's."""
    level = _energy_of(lth, 0)
    fewer = level * uticket["nonzeros"] / lth["nonzeros"]
    return [_energy_of(lth, lth["idle"]), level, fewer, _energy_of(uticket, uticket["idle"])]


def _differences(steps: list[float], over: list[float]) -> list[float]:
    pairs = zip(pairwise(steps), over, strict=True)
    return [100 * (before - after) / whole for (before, after), whole in pairs]


def split_saving(lth: dict[str, float], uticket: dict[str, float]) -> list[float]:
    """Points of LTH's energy saved by waiting less, by fewer non-zeros, and by the rest."""
    steps = _steps(lth, uticket)
    return _differences(steps, [steps[0]] * 3)


def _each_of_the_last(lth: dict[str, float], uticket: dict[str, float]) -> list[float]:
    steps = _steps(lth, uticket)
    return _differences(steps, steps[:-1])


def _of_the_saving(lth: dict[str, float], uticket: dict[str, float]) -> list[float]:
    steps = _steps(lth, uticket)
    return _differences(steps, [steps[0] - steps[-1]] * 3)


def _waiting_as_cycles(lth: dict[str, float], uticket: dict[str, float]) -> list[float]:
    waiting = 100 * lth["idle"] / (lth["work"] + lth["idle"])
    return [waiting, *split_saving(lth, uticket)[1:]]


def _fewer_before_waiting(lth: dict[str, float], uticket: dict[str, float]) -> list[float]:
    whole, level, _, last = _steps(lth, uticket)
    fewer = whole * (1 - uticket["nonzeros"] / lth["nonzeros"])
    points = [100 * part / whole for part in (whole - level, fewer, whole - last)]
    return [points[0], points[1], points[2] - points[0] - points[1]]


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
        "leak_ratios",
        "leak_ratios(parts, e_dyn): r = E_leak / E_dyn with gated clocks, and without.",
        "Two numbers come back. What does a PE spend in a cycle in which nothing happens, if its "
        "clock stands still? What more, if it runs? Both over e_dyn.",
        leak_ratios,
        _parts,
        (
            Misconception(
                "gated parts for ungated ones",
                "Gated parts stand still when there is nothing to do. Which ones go on switching?",
                _gated_for_ungated,
            ),
            Misconception(
                "no leakage where the clock runs",
                "Parts leak whether their clock runs or not: what switches comes on top.",
                _without_leakage,
            ),
            Misconception(
                "energy, not a ratio",
                "That is what a PE spends, in pJ. r is its share of e_dyn.",
                lambda parts, e_dyn: leak_ratios(parts, 1),
            ),
            Misconception(
                "the two swapped",
                "First with gated clocks, where less is spent.",
                lambda parts, e_dyn: leak_ratios(parts, e_dyn)[::-1],
            ),
            Misconception(
                "all parts switch",
                "Without gating only the ungated parts switch in a cycle without a spike.",
                lambda parts, e_dyn: leak_ratios(parts.assign(gated=False), e_dyn),
            ),
        ),
        view=lambda case, result: tuple(map(float, result)),
    ),
    Exercise(
        "split_saving",
        "split_saving(lth, uticket): points of LTH's energy saved by waiting less, by fewer "
        "non-zeros, and by the rest.",
        "Four energies: LTH's, without waiting, with work less as non-zeros are, u-Ticket's. Three "
        "differences of neighbours come back, all over the same whole.",
        split_saving,
        _pairs,
        (
            Misconception(
                "each in percent of the step before",
                "Points must add up to the saving: take all over LTH's whole energy.",
                _each_of_the_last,
            ),
            Misconception(
                "shares of the saving, not points",
                "Yours add up to 100; points add up to what is saved of LTH's energy.",
                _of_the_saving,
            ),
            Misconception(
                "waiting cycles, not their energy",
                "A waiting cycle costs less than a working one: what is Eq. 3 without waiting?",
                _waiting_as_cycles,
            ),
            Misconception(
                "the second step from where the first began",
                "The three steps follow one another: the second begins where nobody waits.",
                _fewer_before_waiting,
            ),
            Misconception(
                "fractions, not points",
                "In percent of LTH's energy: 41.8, not 0.418.",
                lambda lth, uticket: [part / 100 for part in split_saving(lth, uticket)],
            ),
        ),
        view=lambda case, result: tuple(map(float, result)),
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
