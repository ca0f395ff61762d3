"""Small pictures as SVG text, drawn at once and in the colours of either theme."""

import html
import itertools
import math
from collections.abc import Sequence

import numpy as np

from uticket_lite.explore.charts.palette import GREY, METHOD_COLOURS, OTHERS, TIME
from uticket_lite.teach.questions import short


def axis(guesses: Sequence[float], truth: float, words: str, unit: str = "") -> str:
    """Guesses and the truth on one axis, which is logarithmic where they lie far apart."""
    values = [*guesses, truth]
    low, high = min(0.0, *values), max(0.0, *values)
    high = high if high > low else low + 1
    far = min(values) > 0 and high / min(values) > 20
    if far:
        low = min(values) / 2

    def place(value: float) -> float:
        share = math.log(value / low) / math.log(2 * high / low) if far else 0.0
        return 30 + 600 * (share if far else (value - low) / ((high - low) * 1.1))

    ends = [low, high] if far else [low, (low + high) / 2, high]
    marks = "".join(
        f'<line x1="{place(v):.1f}" x2="{place(v):.1f}" y1="55" y2="61" stroke="currentColor"/>'
        + text(place(v), 76, f"{v:,.3g}", size=11)
        for v in ends
    )
    for guess in guesses:
        x = place(guess)
        marks += (
            f'<path d="M{x:.1f} 47l7 8-7 8-7-8z" fill="none" stroke="currentColor" '
            'stroke-width="1.5"/>'
        )
    if len(guesses) == 1:
        at = place(guesses[0])
        marks += text(at, 38, f"your guess: {short(guesses[0])}{unit}", anchor=_side(at))
    at = place(truth)
    marks += f'<circle cx="{at:.1f}" cy="55" r="6" fill="currentColor"/>'
    marks += text(at, 18, f"it is {short(truth)}{unit}", bold=True, anchor=_side(at))
    line = '<line x1="30" x2="640" y1="55" y2="55" stroke="currentColor" opacity=".5"/>'
    return svg(670, 84, line + marks, words)


def bars(rows: Sequence[Sequence[float]], words: str, highest: float = 1) -> str:
    """Loads of PEs, one group for each wave, and above them waiting for the slowest of the wave.

    highest: the least that the scale reaches, so that pictures can be compared.
    """
    rows = [list(row) for row in rows][:6]
    highest = max([highest, *(load for row in rows for load in row)])
    width, x, drawn = max(8, min(26, 560 // max(1, sum(len(row) + 1 for row in rows)))), 10.0, ""
    for row in rows:
        begin, slowest = x, max([0.0, *row])
        for load in row:
            tall, wait = 80 * load / highest, 80 * (slowest - load) / highest
            drawn += box(x, 90 - tall - wait, width - 2, wait, TIME["waiting"])
            drawn += box(x, 90 - tall, width - 2, tall, TIME["work"])
            if width >= 15:
                drawn += text(x + width / 2 - 1, 104, f"{load:g}", size=11)
            x += width
        x += width
        drawn += text((begin + x - width) / 2, 119, f"max {slowest:g}", size=11)
    return svg(max(140, int(x)), 124, drawn, words)


def tallies(counts: dict[str, int], words: str, right: str | None = None) -> str:
    """How often each answer was given; `right` in bold."""
    most, drawn = max([1, *counts.values()]), ""
    for row, (answer, count) in enumerate(counts.items()):
        y = 8 + 24 * row
        drawn += text(300, y + 13, answer, anchor="end", bold=answer == right)
        drawn += box(308, y, 280 * count / most, 17, GREY)
        drawn += text(314 + 280 * count / most, y + 13, str(count), anchor="start")
    return svg(640, 16 + 24 * len(counts), drawn, words)


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle."""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(0, height):.1f}"'
    return f'<rect {size} fill="{colour}"/>'


def text(
    x: float, y: float, words: str, *, size: int = 13, anchor: str = "middle", bold: bool = False
) -> str:
    """Text in the colour of the theme."""
    weight = ' font-weight="bold"' if bold else ""
    style = f'font-size="{size}" text-anchor="{anchor}" fill="currentColor"{weight}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{html.escape(words)}</text>'


def svg(width: int, height: int, drawn: str, words: str) -> str:
    """A picture, with words for those who cannot see it."""
    label = html.escape(words, quote=True)
    shown = f'viewBox="0 0 {width} {height}" style="max-width:{width}px;width:100%;display:block"'
    return f'<svg {shown} role="img" aria-label="{label}">{drawn}</svg>'


def rows_of(value: object) -> list[list[float]] | None:
    """A table of loads as rows to draw, if it is one of finite numbers, none negative."""
    try:
        table = np.atleast_2d(np.asarray(value, float))
    except (TypeError, ValueError):
        return None
    if table.ndim != 2 or not table.size or not np.isfinite(table).all() or (table < 0).any():
        return None
    return [[float(load) for load in row] for row in table]


def _side(x: float) -> str:
    """The anchor of words that must not be cut at an end of the axis."""
    return "start" if x < 90 else "end" if x > 580 else "middle"


def lines(
    series: dict[str, list[tuple[float, float]]], title: str, across: str, top: float = 100
) -> str:
    """Lines from 0 to `top`, each named at its end, over 0 to 100."""
    drawn = "".join(
        f'<line x1="40" x2="440" y1="{150 - 1.2 * y:.0f}" y2="{150 - 1.2 * y:.0f}" '
        f'stroke="currentColor" opacity=".2"/>'
        + text(34, 154 - 1.2 * y, f"{y}", size=11, anchor="end")
        for y in (0, 50, 100)
    )
    drawn += "".join(text(40 + 4 * x, 166, f"{x}", size=11) for x in (0, 50, 100))
    others = itertools.cycle(OTHERS)
    for row, (name, points) in enumerate(series.items()):
        colour = METHOD_COLOURS.get(name) or next(others)
        placed = [(40 + 4 * x, 150 - 120 * y / top) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        drawn += f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        drawn += "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed
        )
        drawn += f'<circle cx="456" cy="{36 + 16 * row}" r="4" fill="{colour}"/>'
        drawn += text(466, 40 + 16 * row, name, anchor="start")
    drawn += text(40, 16, title, anchor="start", bold=True) + text(240, 182, across, size=12)
    words = "; ".join(f"{name} at {p[-1][1]:.1f}" for name, p in series.items() if p)
    return svg(620, 188, drawn, f"{title} by {across}: {words}")
