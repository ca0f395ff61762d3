"""Eq. 3: what working and waiting cost, relative to one PE's dynamic energy per spike."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from uticket_lite.edge.arrays import to_array
from uticket_lite.edge.checks import at_least_zero, one_of
from uticket_lite.hardware.components import (
    LEAKAGE_CYCLE,
    LIF_UPDATE,
    MAC_OPERATION,
    MEM_OPERATION,
    UNGATED_CYCLE,
    cycle_shares,
)

Number = TypeVar("Number", float, np.ndarray)

E_DYN = MAC_OPERATION + MEM_OPERATION
"""pJ: one PE's dynamic energy per input spike, by the public figures in `components`."""


def nanojoules(energy: float) -> str:
    """An energy in E_dyn, written in nJ."""
    return f"{energy * E_DYN / 1000:,.1f}"


PAPER_LEAK_RATIO = 0.21
"""E_leak/E_dyn with which the paper's Tables I and II give its six energy savings within
half a point; the paper does not print the ratio."""


@dataclass(frozen=True)
class Gating:
    """What a cycle costs beside its spike: r in Eq. 3, the same for working and waiting PEs.

    clocked: whether the clock runs in such a cycle, so that ungated parts switch.
    """

    leak_ratio: float
    label: str
    clocked: bool = False


GATINGS = {
    "clock-gated": Gating(
        LEAKAGE_CYCLE / E_DYN, "a PE with nothing to do is stopped: leakage alone, public figures"
    ),
    "paper": Gating(PAPER_LEAK_RATIO, "the ratio that gives the paper's savings"),
    "ungated": Gating(
        (UNGATED_CYCLE + LEAKAGE_CYCLE) / E_DYN,
        "the clock runs on: ungated parts switch in every cycle, public figures",
        clocked=True,
    ),
}
"""The idle-gating switch: name to what it means. It acts on every cycle, not on waiting ones
alone: a PE that works is without a spike most of the time, and may be stopped then too."""


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

    Raises TypeError or ValueError for what are no numbers.
    """
    working, waiting = to_array(work, "work: "), to_array(idle, "idle: ")
    silent = to_array(spike_sparsity, "spike_sparsity: ").astype(float)
    if ((silent < 0) | (silent > 1)).any():  # NaN: not known
        raise ValueError(f"spike_sparsity must lie in [0, 1], not {spike_sparsity!r:.50}")
    leak = at_least_zero("leak_ratio", leak_ratio)
    wait = leak if idle_ratio is None else at_least_zero("idle_ratio", idle_ratio)
    energy: Any = working * (1 - silent + leak) + waiting * wait
    return energy if energy.ndim else energy.item()


def gating_ratio(gating: str) -> float:
    """r of a gating; ValueError for an unknown name."""
    return GATINGS[one_of("gating", gating, GATINGS)].leak_ratio


def breakdown(
    work: float, idle: float, spike_sparsity: float, updates: float, gating: str = "paper"
) -> pd.DataFrame:
    """Where the energy goes (Fig. 8): rows `MAC`, `LIF`, `MEM`; columns in units of E_dyn.

    dynamic: of spikes (MAC, MEM) and of neuron updates (LIF). working, waiting: what every cycle
    costs, in cycles that work and that wait; divided as the parts leak, or where the clock runs
    on, as they switch and leak.
    All but the dynamic energy of LIF, which Eq. 3 leaves out, adds up to `pe_energy`.

    work, idle: PE-cycles. updates: neurons · timesteps. gating: a name in `GATINGS`.
    """
    ratio, shares = gating_ratio(gating), cycle_shares(GATINGS[gating].clocked)
    spikes = work * (1 - spike_sparsity)
    dynamic = {
        "MAC": spikes * MAC_OPERATION / E_DYN,
        "LIF": updates * LIF_UPDATE / E_DYN,
        "MEM": spikes * MEM_OPERATION / E_DYN,
    }
    rows = {
        part: {
            "dynamic": dynamic[part],
            "working": share * ratio * work,
            "waiting": share * ratio * idle,
        }
        for part, share in shares.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("part")
