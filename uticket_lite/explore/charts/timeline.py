"""A Gantt chart of PEs."""

from typing import Any

import altair as alt

from uticket_lite.explore.charts.palette import GREY, TIME
from uticket_lite.explore.charts.style import colours, titled


def chart(width: int = 620, height: int = 280) -> Any:
    """A Gantt chart. Data sets: `intervals` (pe, wave, filter, kind, start, end), `clock` (now,
    end) and `pes` (pe), all that there are."""
    axis = alt.Axis(labelOverlap=True, labelSeparation=3, minExtent=30)
    y = alt.Y("pe:O", title="PE", axis=axis, scale=alt.Scale(padding=0.15))
    x = alt.X(
        "start:Q",
        title="cycles (per position and timestep)",
        scale=alt.Scale(nice=False),
        axis=alt.Axis(tickMinStep=1, format=",d"),
    )
    kinds: Any = colours("kind", TIME)
    bars = (
        alt.Chart(alt.NamedData("intervals"))
        .mark_bar()
        .encode(
            x=x,
            x2="end:Q",
            y=y,
            color=kinds,
            tooltip=[
                alt.Tooltip("pe:O", title="PE"),
                "wave:O",
                alt.Tooltip("filter:N", title="filter (−1: none)"),
                alt.Tooltip("kind:N", title="is"),
                alt.Tooltip("start:Q", title="from cycle", format=","),
                alt.Tooltip("end:Q", title="to cycle", format=","),
            ],
        )
    )
    clock = alt.Chart(alt.NamedData("clock"))
    hand = clock.mark_rule(color=GREY, size=2).encode(x="now:Q")
    room = clock.mark_rule(opacity=0).encode(x="end:Q")  # keeps the axis while the clock runs
    rows = alt.Chart(alt.NamedData("pes")).mark_point(opacity=0).encode(y=y)
    title = titled("Who works, who waits")
    return alt.layer(bars, room, rows, hand).properties(width=width, height=height, title=title)
