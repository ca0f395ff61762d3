"""One look for all charts; their colours stand in `palette`."""

from typing import Any

import altair as alt
import pandas as pd

STACKED = alt.param(name="stacked", value=False)
"""Whether plots stand below each other; the page sets it."""
LOWERED = alt.param(name="lowered", value=1)
"""The share of their height that plots have in a low window; the page sets it."""
LEGEND, FACETS = 20, 15
"""Pixels between a title and its plot that make it as high as that of a plot beside it, which has
a legend above it, or rows of plots."""
LOOK = {
    "axis": {"titleFontWeight": "normal", "labelFlush": False, "labelSeparation": 5},
    "legend": {"titleFontWeight": "normal", "symbolStrokeWidth": 0},
    "point": {"opacity": 1},
    "view": {"stroke": None},
}
"""Configuration of every chart."""


def titled(words: str, above: int = 6) -> alt.TitleParams:
    """A plot's title, at its left edge, so many pixels above the plot or its legend."""
    return alt.Title(words, anchor="start", frame="group", offset=above)


def colours(field: str, palette: dict[str, str], legend: bool = True) -> alt.Color:
    """A colour for each name, with a legend above."""
    return alt.Color(
        f"{field}:N",
        title=None,
        scale=alt.Scale(domain=list(palette), range=list(palette.values())),
        legend=alt.Legend(orient="top", offset=4) if legend else None,
    )


def pe_axis(grid: bool = False) -> alt.X:
    """PEs side by side; of numbers that would touch, some are left out."""
    axis = alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=4, grid=grid)
    return alt.X("pe:O", title="PE", axis=axis)


def lines(
    table: pd.DataFrame, x: alt.X, y: alt.Y, field: str, palette: dict[str, str], names: bool = True
) -> Any:
    """A line for each value of a field, in its colour, with its name at its end.

    palette: value to colour. names: False where another panel beside it has them.
    """
    colour = colours(field, palette, legend=False)
    table = table.reset_index(drop=True)
    line = alt.Chart(table).mark_line(point=True).encode(x=x, y=y, color=colour)
    if not names:
        return line
    across = str(x.shorthand).split(":")[0]
    last = table.loc[table.groupby(field)[across].idxmax()]
    text = alt.Chart(last).mark_text(align="left", dx=7, baseline="middle")
    return line + text.encode(x=x, y=y, text=f"{field}:N")
