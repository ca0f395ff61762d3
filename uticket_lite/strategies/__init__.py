"""Balancing strategies: one file each, found by itself; or an object that you make and `register`.

To add one, write a module here that defines `STRATEGY` (an instance of a `Strategy`
subclass) and `RANK` (its place in menus). It then appears in the drop-down, the command
line, comparisons and the tests. One made elsewhere does so once it is registered.
"""

from uticket_lite.strategies.base import Strategy
from uticket_lite.strategies.registry import MASK_STRATEGIES, STRATEGIES, chosen, register

__all__ = ["MASK_STRATEGIES", "STRATEGIES", "Strategy", "chosen", "register"]
