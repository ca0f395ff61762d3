"""Controls: each declared once, as a field of an explorer's state.

A state is a frozen dataclass of whole numbers and names. Its fields say which control sets them
(`menu`, `slider`); menus, sliders, links and the checks of what a page sends come from there.
"""

import operator
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import parse_qsl

from uticket_lite.edge.checks import one_of

State = Any
"""Where the controls stand."""

Options = Sequence[tuple[str, Any]]
"""Label and value of everything a control can be set to, in order."""

Offer = Callable[[State, Any], Options]
"""The options, given the state (of its fields, those declared before) and the explorer's source."""

Label = str | Callable[[State, Any], str]
"""What a control is called; it may depend on the source."""

LARGEST = 2**31
"""No control stands at a larger number."""


@dataclass(frozen=True)
class Control:
    """What sets one field of a state.

    kind: `menu` or `slider`. play: with a button that moves a slider on by itself. last: a value
    not given is the last option, not the first. closed: why there is nothing to choose, or "".
    """

    kind: str
    label: Label
    options: Offer
    help: str = ""
    play: bool = False
    last: bool = False
    closed: Callable[[State, Any], str] = lambda state, source: ""

    def shown(self, name: str, state: State, source: Any) -> dict[str, Any]:
        """What the page needs to show it."""
        return {
            "kind": self.kind,
            "name": name,
            "label": self.label if isinstance(self.label, str) else self.label(state, source),
            "options": [list(option) for option in self.options(state, source)],
            "help": self.help,
            "play": self.play,
            "closed": self.closed(state, source),
        }


def menu(label: Label, options: Offer, default: Any = "", **about: Any) -> Any:
    """A field of a state that a drop-down sets; `about` goes to `Control`."""
    return field(default=default, metadata={"control": Control("menu", label, options, **about)})


def slider(label: Label, options: Offer, default: int = 0, **about: Any) -> Any:
    """A field of a state that a slider sets; `about` goes to `Control`."""
    return field(default=default, metadata={"control": Control("slider", label, options, **about)})


def controls_of(state: State) -> Iterator[tuple[str, type, Control]]:
    """Name, type and control of every field."""
    for each in fields(state):
        yield each.name, each.type, each.metadata["control"]  # type: ignore[misc]


def shown_controls(state: State, source: Any) -> list[dict[str, Any]]:
    """All controls as the page shows them."""
    return [control.shown(name, state, source) for name, _, control in controls_of(state)]


def exact(state: State, source: Any) -> State:
    """The state, if controls can stand there; ValueError says which cannot, and where it can."""
    return _placed(state, source, None)


def nearest(state: State, source: Any, present: State) -> State:
    """The state moved to where controls can stand, where they depend on each other.

    A name that stands neither there nor among the options of the `present` state is a ValueError.
    """
    return _placed(state, source, present)


def _placed(state: State, source: Any, present: State | None) -> State:
    for name, kind, control in controls_of(state):
        value = _typed(name, getattr(state, name), kind)
        known = _values(control, state, source)
        if value in known:
            value = known[known.index(value)]  # 5, not 5.0 or a NumPy number
        elif kind is int:
            near = min(known, key=lambda each: abs(each - value))
            if present is None:
                raise ValueError(
                    f"{name} must be {_span(known)}, not {value}; no control can stand there "
                    f"(nearest: {near})"
                )
            value = near
        else:
            if present is None or (value and value not in _values(control, present, source)):
                one_of(name, _short(value), known)
            value = known[-1 if control.last else 0]
        state = replace(state, **{name: value})
    return state


def _values(control: Control, state: State, source: Any) -> list[Any]:
    return [value for _, value in control.options(state, source)]


def _span(known: list[int]) -> str:
    return f"{known[0]} to {known[-1]}" if len(known) > 1 else str(known[0])


def _short(value: str) -> str:
    return value if len(value) < 60 else f"{value[:40]} …"


def _typed(name: str, value: Any, kind: type) -> Any:
    if kind is str:
        if not isinstance(value, str):
            raise ValueError(f"{name} must be a name, not {reprlib.repr(value)}")
        return value
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {reprlib.repr(value)}") from None
    if abs(number) >= LARGEST:
        raise ValueError(f"{name} is far beyond what any control reaches")
    return number


def from_page(values: Any, present: State) -> State:
    """The state that a page's message says, checked; ValueError if it is none."""
    if not isinstance(values, Mapping):
        raise ValueError(f"a state must be names and values, not {reprlib.repr(values)}")
    kinds = {name: kind for name, kind, _ in controls_of(present)}
    if strange := values.keys() ^ kinds.keys():
        raise ValueError(
            f"a state of this explorer has {', '.join(kinds)}; missing or unknown: "
            f"{', '.join(sorted(_short(str(name)) for name in strange))}"
        )
    return type(present)(**{name: _typed(name, values[name], kind) for name, kind in kinds.items()})


def from_link(link: Any, explorer: str, present: State, source: Any) -> State:
    """The present state changed as a link says; controls that it does not name follow.

    ValueError if it is no link of this explorer, or names what no control can do.
    """
    if not isinstance(link, str):
        raise ValueError(f"a link is text, such as {explorer}?n_pe=8, not {reprlib.repr(link)}")
    kind, _, query = link.strip().partition("?")
    one_of("explorer", _short(kind), [explorer])
    kinds = {name: kind for name, kind, _ in controls_of(present)}
    changes: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        one_of("control", _short(name), kinds)
        changes[name] = text if kinds[name] is str else _number(name, text)
    asked = replace(present, **changes)
    found = nearest(asked, source, present)
    if any(getattr(found, name) != value for name, value in changes.items()):
        return exact(replace(found, **changes), source)  # says what is wrong
    return found


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, not {_short(text)!r}") from None
