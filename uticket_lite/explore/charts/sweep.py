"""Strategies × PEs beside strategies × sparsity, as heat maps."""

from typing import Any

import altair as alt

from uticket_lite.explore.charts.palette import GREY
from uticket_lite.explore.charts.style import titled


def chart(width: int = 285) -> alt.HConcatChart:
    """Two heat maps of the same strategies, by number of PEs and by sparsity; 1 is best.

    Data sets: `pes` (strategy, n_pe, label, share, its text, utilization, latency, seeds),
    `rounds` (the same with round for n_pe) and `chosen` (strategy, n_pe and label of the cell told
    about). A share that is not known yet is null, and its cell empty.
    """
    y = alt.Y("strategy:N", title=None, sort=None, axis=alt.Axis(minExtent=105))
    tooltip = [
        "strategy:N",
        alt.Tooltip("share:Q", title="shown", format=".1%"),
        alt.Tooltip("utilization:Q", format=".1%"),
        alt.Tooltip("latency:Q", title="latency (cycles)", format=",.0f"),
        alt.Tooltip("seeds:Q", title="seeds", format=","),
    ]
    colour = alt.Color(
        "share:Q",
        title="100 % is best",
        scale=alt.Scale(scheme="cividis", domain=[0, 1]),
        legend=alt.Legend(orient="top", format=".0%", gradientLength=120, titleOrient="left"),
    )

    ink = alt.condition(alt.datum.share < 0.5, alt.value("white"), alt.value("black"))

    def panel(data: str, column: str, title: str, named: str) -> Any:
        axis = alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=4)
        x = alt.X(f"{column}:O", title=title, sort=None, axis=axis)
        base: Any = alt.Chart(alt.NamedData(data))
        frames = base.mark_rect(filled=False, stroke=GREY, strokeOpacity=0.4).encode(x=x, y=y)
        cells = base.transform_filter("isValid(datum.share)").mark_rect()
        cells = cells.encode(
            x=x, y=y, color=colour, tooltip=[alt.Tooltip(f"{column}:O", title=title), *tooltip]
        )
        words = base.mark_text(fontSize=11).encode(x=x, y=y, text="text:N", color=ink)
        chosen: Any = alt.Chart(alt.NamedData("chosen"))
        rings = [
            chosen.mark_rect(filled=False, stroke=line, strokeWidth=size).encode(x=x, y=y)
            for line, size in (("black", 5), ("white", 2))
        ]
        layers = alt.layer(frames, cells, words, *rings)
        return layers.properties(width=width, height=alt.Step(21), title=titled(named))

    return alt.hconcat(
        panel("pes", "n_pe", "number of PEs", "By number of PEs (%)"),
        panel("rounds", "label", "weights pruned (%)", "By sparsity (%)"),
        spacing=20,
    )
