"""One look for all charts.

Colours are Okabe and Ito's, which colour-blind people can tell apart; what they mean is also
said by place, dash or shape. The heat map's cividis also reads in grey.
"""

from typing import Any

import altair as alt
import pandas as pd

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#949494"
GREEN, PINK, SKY = "#009E73", "#CC79A7", "#56B4E9"
SLATE, BROWN = "#A3B4C2", "#96662F"
METHODS = {"LTH": RED, "u-Ticket": BLUE}
"""A method's colour, in every chart."""
CHANGED = {"nothing": GREY, "mask": BLUE, "order": GREEN, "schedule": PINK, "hardware": BROWN}
"""The colour of a strategy, by what it changes."""
VIOLET, TEAL, OLIVE = "#8C6BB1", "#2C8F8F", "#8F7E1E"
RECIPES = {"torch": VIOLET, "kaiming": TEAL, "released": OLIVE}
"""How a network's weights were drawn, and how it was trained."""
TIME = {"work": SLATE, "waiting": ORANGE}
"""What PEs do with their time: waiting stands out, work is quiet."""
ENERGY = {"dynamic": SKY, "working": SLATE, "waiting": ORANGE}
"""What energy is spent on: spikes, and cycles of work and of waiting."""


def colours(
    field: str, domain: list[str], palette: list[str], title: str | None = None
) -> alt.Color:
    """A colour for each name, with a legend above."""
    return alt.Color(
        f"{field}:N",
        title=title,
        scale=alt.Scale(domain=domain, range=palette),
        legend=alt.Legend(orient="top", offset=2, columns=6),
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
    colour = alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(palette), range=list(palette.values())),
        legend=None,
    )
    table = table.reset_index(drop=True)
    line = alt.Chart(table).mark_line(point=True).encode(x=x, y=y, color=colour)
    if not names:
        return line
    across = str(x.shorthand).split(":")[0]
    last = table.loc[table.groupby(field)[across].idxmax()]
    text = alt.Chart(last).mark_text(align="left", dx=7, baseline="middle")
    return line + text.encode(x=x, y=y, color=colour, text=f"{field}:N")
