"""The strategies there are: those of this package, and those that users register."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from uticket_lite.edge.checks import instance, one_of, told
from uticket_lite.strategies.base import Strategy


def _find_strategies() -> dict[str, Strategy]:
    """Import every module of this package; name to the `STRATEGY` some define, by `RANK`."""
    package = importlib.import_module("uticket_lite.strategies")
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    ]
    found = [module for module in modules if hasattr(module, "STRATEGY")]
    found.sort(key=lambda module: module.RANK)
    return {module.STRATEGY.name: module.STRATEGY for module in found}


_registered = _find_strategies()
_SHIPPED = dict(_registered)

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(_registered)
"""Name to `Strategy`, in the order of menus; what is registered later comes last."""


class _MaskStrategies(Mapping[str, Strategy]):
    """A live view of `STRATEGIES`."""

    def __getitem__(self, name: str) -> Strategy:
        if STRATEGIES[name].changes != "mask":
            raise KeyError(name)
        return STRATEGIES[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, strategy in STRATEGIES.items() if strategy.changes == "mask")

    def __len__(self) -> int:
        return sum(1 for _ in self)


MASK_STRATEGIES: Mapping[str, Strategy] = _MaskStrategies()
"""Those that change masks, so that the network is retrained."""


def register(strategy: Strategy, *, replace: bool = False) -> Strategy:
    """Make a strategy known by its name, in menus too, for as long as this process lives.

    replace: whether it may take the place of one registered before under its name, as when a
    notebook's cell runs again. Returns the strategy. Raises TypeError for what is no strategy,
    ValueError for a name that is taken; those of the package itself stay.
    """
    instance("strategy", strategy, Strategy, "an object of a subclass of ut.Strategy")
    name = chosen(strategy).name
    if not replace and _registered.get(name, strategy) is not strategy:
        raise ValueError(
            f"the name {name!r} is taken by a strategy registered before; take another "
            "name, or put this one in its place: register(strategy, replace=True)"
        )
    _registered[name] = strategy
    return strategy


def chosen(strategy: str | Strategy) -> Strategy:
    """The strategy of that name, or the one given.

    Raises ValueError for an unknown name or a strategy that bears the name of another one of
    this package, TypeError for anything else.
    """
    if isinstance(strategy, str):
        return STRATEGIES[one_of("strategy", strategy, STRATEGIES)]
    if not isinstance(strategy, Strategy):
        raise TypeError(
            f"strategy must be a name ({', '.join(STRATEGIES)}) or a Strategy object, "
            f"not {told(strategy)}"
            + ("; make one of it first" if isinstance(strategy, type) else "")
        )
    if not hasattr(strategy, "name"):
        kind = type(strategy).__name__
        raise TypeError(
            f"this {kind} has no name: its __init__ must call super().__init__(name, label, "
            "changes, cost, source), or be left out"
        )
    if _SHIPPED.get(strategy.name, strategy) != strategy:
        raise ValueError(
            f"the name {strategy.name!r} is taken: it is that of {_SHIPPED[strategy.name].label!r}"
            "; give your strategy another name"
        )
    return strategy
