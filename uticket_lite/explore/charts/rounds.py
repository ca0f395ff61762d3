"""Utilization, accuracy and latency across rounds."""

from typing import Any

import altair as alt

from uticket_lite.explore.charts.palette import GREY, METHOD_COLOURS, OTHERS

LATENCY = "latency (cycles per position and timestep)"
LINES = ["latency (cycles", "per position and timestep)"]
"""The same beside a low plot."""


def chart(width: int = 170, height: int = 210) -> alt.HConcatChart:
    """Utilization, accuracy and latency. Data sets: `rounds` (run, method, round, x, of each figure
    its mean, low and high, and the name of the method where its line ends) and `chosen` (x, and
    the title of that axis)."""
    # Whole numbers only: of two rounds, `tickMinStep` alone would still show halves.
    whole = alt.condition("datum.value % 1 == 0", alt.value(1), alt.value(0))
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(
            tickCount=5,
            tickMinStep=1,
            labelExpr="datum.value % 1 == 0 ? format(datum.value, 'd') : ''",
            labelSeparation=4,
            gridOpacity=whole,
            tickOpacity=whole,
        ),
    )
    base: Any = alt.Chart(alt.NamedData("rounds"))
    colour = alt.Color(
        "method:N",
        scale=alt.Scale(domain=list(METHOD_COLOURS), range=[*METHOD_COLOURS.values(), *OTHERS]),
        legend=None,
    )
    shape = alt.Shape("method:N", legend=None)
    tooltip = [
        "run:N",
        alt.Tooltip("round:Q", title="pruning round"),
        alt.Tooltip("sparsity:Q", title="weights pruned", format=".2%"),
        alt.Tooltip("utilization:Q", format=".1%"),
        alt.Tooltip("accuracy:Q", format=".1%"),
        alt.Tooltip("latency:Q", title=LATENCY, format=",.0f"),
    ]

    def panel(figure: str, title: str | list[str], axis: alt.Axis, scale: alt.Scale) -> Any:
        y = alt.Y(f"{figure}:Q", title=title, axis=axis, scale=scale)
        band = base.mark_area(opacity=0.2).encode(
            x=x, y=alt.Y(f"{figure}_low:Q", title=title), y2=f"{figure}_high:Q", color=colour
        )
        line = base.mark_line().encode(x=x, y=y, color=colour)
        points = base.mark_point(filled=True, size=45).encode(
            x=x, y=y, color=colour, shape=shape, tooltip=tooltip
        )
        chosen = alt.Chart(alt.NamedData("chosen"))
        rule = chosen.mark_rule(color=GREY, size=2).encode(x="x:Q")
        across = chosen.mark_text(x="width", align="right", y="height", yOffset=34, fontSize=11)
        layers = [rule, band, line, points, across.encode(text="title:N")]
        if figure == "utilization":
            names = base.mark_text(align="left", dx=9, fontSize=12)
            layers.append(names.encode(x=x, y=y, text="name:N"))
        return alt.layer(*layers).properties(width=width, height=height)

    # On a log axis only lines that have a number.
    named = alt.condition("datum.label", alt.value(1), alt.value(0))
    percent = alt.Axis(format=".0%", minExtent=35)
    # As many digits as tell one line of the axis from the next; of a point, one is told.
    fine = alt.Axis(format=".1%", labelExpr="format(datum.value, '~%')", minExtent=35)
    return alt.hconcat(
        panel("utilization", "utilization (%)", percent, alt.Scale(domain=[0, 1])),
        panel("accuracy", "accuracy (%)", fine, alt.Scale(zero=False)),
        panel(
            "latency",
            LINES,
            alt.Axis(format="~s", tickCount=4, gridOpacity=named),
            alt.Scale(type="log"),
        ),
        spacing=112,  # names of lines, and the next axis
        bounds="flush",
    )
