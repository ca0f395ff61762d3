"""Balancing strategies: one file each, found by itself.

To add one, write a module here that defines `STRATEGY` (an instance of a `Strategy`
subclass) and `RANK` (its place in menus). It then appears in the drop-down, the command
line, comparisons and the tests.
"""

from uticket_lite.strategies.base import Strategy, find_strategies

STRATEGIES = find_strategies()
"""Name to `Strategy`, in the order of menus."""

MASK_STRATEGIES = {name: s for name, s in STRATEGIES.items() if s.changes == "mask"}
"""Those that change masks, so that the network is retrained."""

__all__ = ["MASK_STRATEGIES", "STRATEGIES", "Strategy"]
