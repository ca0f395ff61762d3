"""Explorers: widgets to move sparsity, PEs and strategies and see what becomes of the work.

One file each, found here by the name of its function; `explorer` is what they share, a thin
shell over a pure function of a state.
"""

from collections.abc import Callable

from uticket_lite.edge.checks import instance, one_of
from uticket_lite.explore.explorer import Explorer
from uticket_lite.explore.explorers.energy import energy
from uticket_lite.explore.explorers.rounds import rounds
from uticket_lite.explore.explorers.spikes import spikes
from uticket_lite.explore.explorers.strategies import strategies
from uticket_lite.explore.explorers.sweep import sweep
from uticket_lite.explore.explorers.timeline import timeline
from uticket_lite.explore.explorers.workload import workload

EXPLORERS: dict[str, Callable[..., Explorer]] = {
    maker.__name__: maker
    for maker in (workload, timeline, rounds, strategies, sweep, energy, spikes)
}
"""Name to the function that makes the explorer."""


def open_link(link: str) -> Explorer:
    """A new explorer, over all recorded runs, in the state that a `link` says.

    Raises ValueError for what is no link, TypeError for what is no text.
    """
    instance("link", link, str, "explorer.link, or 'workload?n_pe=8'")
    explorer = EXPLORERS[one_of("explorer", link.partition("?")[0], EXPLORERS)]()
    explorer.link = link
    return explorer


__all__ = [
    "EXPLORERS",
    "Explorer",
    "energy",
    "open_link",
    "rounds",
    "spikes",
    "strategies",
    "sweep",
    "timeline",
    "workload",
]
