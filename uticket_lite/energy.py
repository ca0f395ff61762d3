"""Eq. 3: what working and waiting cost, relative to one PE's dynamic energy per spike."""

from typing import TypeVar

import numpy as np

Number = TypeVar("Number", float, np.ndarray)

PAPER_LEAK_RATIO = 0.21
"""E_leak/E_dyn with which the paper's Tables I and II give its six energy savings within
half a point; the paper does not print the ratio."""


def pe_energy(
    work: Number,
    idle: Number,
    spike_sparsity: Number,
    leak_ratio: float = PAPER_LEAK_RATIO,
    idle_ratio: float | None = None,
) -> Number:
    """Energy of the PE array, in units of one PE's dynamic energy per input spike (Eq. 3).

    E = work·((1 − spike_sparsity) + leak_ratio) + idle·idle_ratio. A working PE spends its
    dynamic energy only on cycles with an input spike, and leaks in every cycle.

    work, idle: PE-cycles. spike_sparsity: fraction of input spikes that are 0. (All three may be
    arrays, one entry per layer, say.)
    leak_ratio: E_leak/E_dyn. idle_ratio: energy of a waiting cycle; default `leak_ratio`.
    """
    idle_ratio = leak_ratio if idle_ratio is None else idle_ratio
    return work * ((1 - spike_sparsity) + leak_ratio) + idle * idle_ratio
