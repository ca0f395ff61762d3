"""Utilization, accuracy and latency across rounds."""

from typing import Any

import altair as alt

from uticket_lite.explore.charts.style import GREEN, GREY, METHODS, ORANGE, PINK, SKY


def chart(width: int = 200, height: int = 210) -> alt.HConcatChart:
    """Utilization, accuracy and latency. Data sets: `rounds` (run, round, x, and of each figure
    its mean, low and high) and `chosen` (x)."""
    x = alt.X("x:Q", title="pruning round, or weights pruned (%)", scale=alt.Scale(zero=False))
    base: Any = alt.Chart(alt.NamedData("rounds"))
    palette = [*METHODS.values(), GREEN, PINK, ORANGE, SKY]  # runs are listed lth, uticket, …
    colour = alt.Color(
        "run:N", title=None, scale=alt.Scale(range=palette), legend=alt.Legend(orient="bottom")
    )
    shape = alt.Shape("run:N", title=None, legend=None)
    tooltip = [
        "run:N",
        "round:Q",
        alt.Tooltip("sparsity:Q", format=".2%"),
        alt.Tooltip("utilization:Q", format=".1%"),
        alt.Tooltip("accuracy:Q", format=".1%"),
        alt.Tooltip("latency:Q", title="latency (weight cycles)", format=",.0f"),
    ]

    def panel(figure: str, title: str, axis: alt.Axis, scale: alt.Scale) -> Any:
        y = alt.Y(f"{figure}:Q", title=title, axis=axis, scale=scale)
        band = base.mark_area(opacity=0.2).encode(
            x=x, y=alt.Y(f"{figure}_low:Q", title=title), y2=f"{figure}_high:Q", color=colour
        )
        line = base.mark_line().encode(x=x, y=y, color=colour)
        points = base.mark_point(filled=True, size=45).encode(
            x=x, y=y, color=colour, shape=shape, tooltip=tooltip
        )
        chosen = alt.Chart(alt.NamedData("chosen")).mark_rule(color=GREY, size=2).encode(x="x:Q")
        return alt.layer(chosen, band, line, points).properties(width=width, height=height)

    percent = alt.Axis(format=".0%", minExtent=35)
    return alt.hconcat(
        panel("utilization", "utilization (%)", percent, alt.Scale(domain=[0, 1])),
        panel("accuracy", "accuracy (%)", percent, alt.Scale(zero=False)),
        panel("latency", "latency (weight cycles)", alt.Axis(format="~s"), alt.Scale(type="log")),
        spacing=25,
    )
