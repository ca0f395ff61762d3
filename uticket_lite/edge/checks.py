"""Checks at the public edge: errors that say what was given, what is allowed, what to do."""

import difflib
import math
import operator
from collections.abc import Iterable


def one_of(what: str, value: str, allowed: Iterable[str]) -> str:
    """`value` if it is one of `allowed`; otherwise a ValueError that lists them."""
    names = list(allowed)
    if value in names:
        return value
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{what} {value!r} is not known; choose one of: {', '.join(names)}.{hint}")


def whole_number(what: str, value: object, minimum: int = 1, maximum: int | None = None) -> int:
    """`value` as an int of at least `minimum`, at most `maximum`; TypeError or ValueError
    otherwise. A float such as 3.0 is whole: that is how a table's row gives an integer."""
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = hasattr(value, "is_integer") and value.is_integer()
        number = int(value) if whole else operator.index(value)  # type: ignore[arg-type,call-overload]
    except TypeError:
        raise TypeError(f"{what} must be a whole number, not {value!r}") from None
    if number < minimum:
        raise ValueError(f"{what} must be {minimum} or more, not {number}")
    if maximum is not None and number > maximum:
        raise ValueError(f"{what} must be {maximum:,} or less, not {number:,}")
    return number


def printable(text: str) -> str:
    """The text with whatever would act on a terminal or cannot be written (escape sequences,
    halves of characters) spelled out; letters of all scripts stay."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def instance(what: str, value: object, kind: type, instead: str) -> None:
    """TypeError unless `value` is of that kind; `instead` says what to write."""
    if not isinstance(value, kind):
        raise TypeError(f"{what} must be of type {kind.__name__}, not {value!r}; write {instead}")


def fraction(what: str, value: float, *, below_one: bool = False) -> float:
    """`value` as a float in [0, 1], or [0, 1) if `below_one`; ValueError otherwise."""
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be a number, not {value!r}") from None
    if not 0 <= number <= 1 or (below_one and number == 1):
        raise ValueError(f"{what} must lie in [0, 1{')' if below_one else ']'}, not {value!r}")
    return number


def positive(what: str, value: object) -> float:
    """`value` as a finite float above 0; TypeError or ValueError otherwise."""
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be a number, not {value!r}") from None
    if not 0 < number < math.inf:
        raise ValueError(f"{what} must be positive and finite, not {value!r}")
    return number
