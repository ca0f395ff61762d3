"""Checks at the public edge: errors that say what was given, what is allowed, what to do."""

import difflib
import math
import operator
import reprlib
from collections.abc import Iterable

LARGEST = 2**63 - 1
"""What an int64 holds."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100


def told(value: object) -> str:
    """What was given, for an error: its repr, on one line, cut where it is long."""
    return " ".join(_SHORT.repr(value).split())


def one_of(what: str, value: str, allowed: Iterable[str]) -> str:
    """That one of `allowed` which `value` equals; otherwise a ValueError that lists them."""
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return names[names.index(value)]
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{what} {told(value)} is not known; choose one of: {', '.join(names)}.{hint}")


def whole_number(what: str, value: object, minimum: int = 1, maximum: int = LARGEST) -> int:
    """`value` as an int of at least `minimum`, at most `maximum`; TypeError or ValueError
    otherwise. A float such as 3.0 is whole: that is how a table's row gives an integer."""
    try:
        if _is_bool(value):
            raise TypeError
        whole = hasattr(value, "is_integer") and value.is_integer()
        number = int(value) if whole else operator.index(value)  # type: ignore[arg-type,call-overload]
    except TypeError:
        raise TypeError(f"{what} must be a whole number, not {told(value)}") from None
    if number < minimum:
        raise ValueError(f"{what} must be {minimum} or more, not {number}")
    if number > maximum:
        raise ValueError(f"{what} must be {maximum:,} or less, not {number:,}")
    return number


def _is_bool(value: object) -> bool:
    """Python's, NumPy's, torch's: whatever has such a type is no number."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool")


def printable(text: str) -> str:
    """The text with whatever would act on a terminal or cannot be written (escape sequences,
    halves of characters) spelled out; letters of all scripts stay."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def instance(what: str, value: object, kind: type, instead: str) -> None:
    """TypeError unless `value` is of that kind; `instead` says what to write."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{what} must be of type {kind.__name__}, not {told(value)}; write {instead}"
        )


def real(what: str, value: object) -> float:
    """`value` as a float, not NaN; TypeError or ValueError otherwise."""
    try:
        if isinstance(value, str | bytes) or _is_bool(value):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise TypeError(f"{what} must be a number, not {told(value)}") from None
    if math.isnan(number):
        raise ValueError(f"{what} must be a number, not {told(value)}")
    return number


def fraction(what: str, value: float, *, below_one: bool = False) -> float:
    """`value` as a float in [0, 1], or [0, 1) if `below_one`; ValueError otherwise."""
    number = real(what, value)
    if not 0 <= number <= 1 or (below_one and number == 1):
        raise ValueError(f"{what} must lie in [0, 1{')' if below_one else ']'}, not {told(value)}")
    return number


def at_least_zero(what: str, value: object) -> float:
    """`value` as a finite float of 0 or more; TypeError or ValueError otherwise."""
    number = real(what, value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{what} must be 0 or more and finite, not {told(value)}")
    return number


def positive(what: str, value: object) -> float:
    """`value` as a finite float above 0; TypeError or ValueError otherwise."""
    number = real(what, value)
    if not 0 < number < math.inf:
        raise ValueError(f"{what} must be positive and finite, not {told(value)}")
    return number
