"""Work by weights and by spikes; utilization and latency by how often PEs wait."""

from typing import Any

import altair as alt

from uticket_lite.explore.charts.palette import COUNTED, GREY
from uticket_lite.explore.charts.style import LEGEND, colours, pe_axis, titled


def chart() -> alt.HConcatChart:
    """Work of each PE by weights and by spikes; utilization and latency by how often PEs wait.

    Data sets: `pes` (pe, what, share, cycles) and `barriers` (barrier, with its latency; what,
    utilization, latency, chosen).
    """
    colour: Any = colours("what", COUNTED)
    bars = (
        alt.Chart(alt.NamedData("pes"))
        .mark_bar()
        .encode(
            x=pe_axis(),
            xOffset=alt.XOffset("what:N", sort=list(COUNTED)),
            y=alt.Y("share:Q", title="work of the PE (1 is the mean)", axis=alt.Axis(minExtent=35)),
            color=colour,
            tooltip=[
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("what:N", title="by"),
                alt.Tooltip("cycles:Q", title="work (cycles)", format=","),
            ],
        )
        .properties(width=330, height=220, title=titled("Work of each PE"))
    )
    base = alt.Chart(alt.NamedData("barriers")).encode(
        x=alt.X(
            "utilization:Q",
            title="utilization (%)",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        y=alt.Y("barrier:N", title=None, sort=None, axis=alt.Axis(minExtent=150)),
        tooltip=[
            "barrier:N",
            alt.Tooltip("utilization:Q", format=".1%"),
            alt.Tooltip("latency:Q", title="latency (cycles)", format=","),
        ],
    )
    filled = base.mark_bar().encode(color=colours("what", COUNTED, legend=False))
    outline = base.mark_bar(filled=False, stroke=GREY, strokeWidth=3)
    outline = outline.transform_filter(alt.datum.chosen)
    barriers = alt.layer(filled, outline)
    barriers = barriers.properties(
        width=160, height=220, title=titled("By how often PEs wait", LEGEND)
    )
    return alt.hconcat(bars, barriers, spacing=30).resolve_scale(color="independent")
