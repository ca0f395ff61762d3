"""The energy explorer: Eq. 3, its gating switch, and where the energy goes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from uticket_lite.explore.charts.palette import ENERGY
from uticket_lite.explore.controls import Options, menu
from uticket_lite.explore.explorer import Explorer, Frame
from uticket_lite.explore.fields import (
    over_runs,
    pe_slider,
    round_slider,
    run_menu,
    strategy_options,
)
from uticket_lite.explore.runs import Runs, plural, possible, ticket_of, which_ticket
from uticket_lite.hardware.accelerator import PE_COUNTS, Accelerator
from uticket_lite.hardware.energy import E_DYN, GATINGS, nanojoules
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import simulate
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.ticket import Ticket

ONLY_COUNTS = (
    "Of this round only counts are recorded: strategies that change masks cannot be offered."
)
APART = 0.1  # names of lines, as a share of the plot's height


def _gatings(state: Any, runs: Runs) -> Options:
    return [(f"{name} (r = {g.leak_ratio:.3g})", name) for name, g in GATINGS.items()]


def _balancing(state: Any, runs: Runs) -> Options:
    """The strategies that can be compared with no balancing; `shuffle` only if it is asked for."""
    ticket, accelerator = ticket_of(state, runs), Accelerator()
    offered = [
        (label, name)
        for label, name in strategy_options(state, runs)
        if name != "none" and not possible(runs.strategies[name], ticket, accelerator)[1]
    ]
    return sorted(offered, key=lambda option: option[1] == "shuffle")


@dataclass(frozen=True)
class EnergyState:
    """Where the controls stand.

    run, round: which ticket. strategy: what is compared with no balancing. n_pe: PEs.
    gating: a name in `GATINGS`.
    """

    run: str = run_menu()
    round: int = round_slider()
    strategy: str = menu("strategy", _balancing)
    n_pe: int = pe_slider()
    gating: str = menu("a cycle without a spike", _gatings, "paper")


def energy(
    ticket: Ticket | str | None = None, *, strategy: Strategy | str | None = None
) -> Explorer:
    """See where energy goes, before and after balancing.

    ticket: your own `Ticket`, or a recorded run's name; default all recorded runs. strategy: the
    one to show first; a `Strategy` object need not be registered. Raises ValueError for unknown
    names, TypeError for what is neither ticket nor name.
    """
    return over_runs("energy", energy_frame, EnergyState, ticket, strategy)


def energy_frame(state: EnergyState, runs: Runs) -> Frame:
    """Everything the explorer shows for a state."""
    ticket = ticket_of(state, runs)

    def ran(strategy: str, n: int = state.n_pe) -> Report:
        return simulate(ticket, Accelerator(n), runs.strategies[strategy])

    reports = {strategy: ran(strategy) for strategy in ("none", state.strategy)}
    before, after = reports.values()
    message = ONLY_COUNTS if ticket.counts_only else ""
    unknown = np.isnan(before.energy)
    parts: dict[str, list[Any]] = {
        "strategy": [],
        "part": [],
        "kind": [],
        "place": [],
        "energy": [],
    }
    counts: dict[str, list[Any]] = {"strategy": [], "changes": [], "pes": [], "energy": []}
    for strategy, report in reports.items():
        table = report.breakdown(state.gating).groupby("part", sort=False).sum()
        for (part, kind), value in table.stack().items():  # type: ignore[misc]
            place = list(ENERGY).index(kind)
            row = (strategy, part, kind, place, None if unknown else value)
            for column, cell in zip(parts.values(), row, strict=True):
                column.append(cell)
        for n in PE_COUNTS:
            value = ran(strategy, n).energy_as(state.gating)
            point = (strategy, report.strategy.changes, n, None if unknown else value)
            for column, cell in zip(counts.values(), point, strict=True):
                column.append(cell)
    return {
        "data": {"parts": parts, "counts": counts, "ends": _ends(counts)},
        "figures": _figures(before, after, state.gating),
        "summary": _summary(state, runs, before, after),
        "message": "No spike sparsity is known of this ticket: no energy." if unknown else message,
    }


def _ends(counts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Names where the two lines end, and places for them, apart from each other."""
    last = slice(len(PE_COUNTS) - 1, None, len(PE_COUNTS))
    plain, balanced = (value or 0 for value in counts["energy"][last])
    apart = APART * max(value or 0 for value in counts["energy"])
    gap = max(0, apart - abs(plain - balanced)) / 2 * (1 if plain >= balanced else -1)
    return {
        "strategy": counts["strategy"][last],
        "pes": counts["pes"][last],
        "place": [plain + gap, balanced - gap],
    }


def _figures(before: Report, after: Report, gating: str) -> list[list[str]]:
    old, new = before.energy_as(gating), after.energy_as(gating)
    if np.isnan(old) or not old:
        return []
    waiting = before.breakdown(gating)["waiting"].sum() / old
    return [
        ["energy saved", f"{1 - new / old:.1%}"],
        ["by not waiting at all", f"{waiting:.1%}"],
        ["before (E_dyn)", f"{old:,.0f}"],
        ["after (E_dyn)", f"{new:,.0f}"],
        ["before (nJ per image)", nanojoules(old)],
        ["after (nJ per image)", nanojoules(new)],
    ]


def _summary(state: EnergyState, runs: Runs, before: Report, after: Report) -> str:
    gating = GATINGS[state.gating]
    old, new = before.energy_as(state.gating), after.energy_as(state.gating)
    if np.isnan(old) or not old:
        return "Energy is not known."
    waiting = before.breakdown(state.gating)["waiting"].sum()
    effect = f"; {after.strategy.label} changes the energy by {new / old - 1:+.1%}"
    return (
        f"{which_ticket(state, runs)}, {plural(state.n_pe, 'PE')}, {gating.label}: every "
        f"cycle costs {gating.leak_ratio:.3g} E_dyn, a spike 1 E_dyn more, which is "
        f"{E_DYN:.3g} pJ. Without balancing, "
        f"waiting takes {waiting / old:.1%} of the energy{effect}. Neurons' updates "
        "(LIF, dynamic) are not part of Eq. 3 and not in these shares."
    )
