"""Work by weights and by spikes; utilization by how often PEs wait."""

from typing import Any

import altair as alt

from uticket_lite.explore.charts.style import GREY, SKY, pe_axis


def chart() -> alt.HConcatChart:
    """Work of each PE by weights and by spikes; utilization by how often PEs wait.

    Data sets: `pes` (pe, what, share, cycles) and `barriers` (barrier, utilization).
    """
    colour: Any = alt.Color(
        "what:N",
        title=None,
        scale=alt.Scale(domain=["weights", "spikes"], range=[GREY, SKY]),
        legend=alt.Legend(orient="top", offset=2),
    )
    bars = (
        alt.Chart(alt.NamedData("pes"))
        .mark_bar()
        .encode(
            x=pe_axis(),
            xOffset=alt.XOffset("what:N", sort=["weights", "spikes"]),
            y=alt.Y("share:Q", title="work of the PE (1 is the mean)", axis=alt.Axis(minExtent=35)),
            color=colour,
            tooltip=[
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("what:N", title="by"),
                alt.Tooltip("cycles:Q", title="work (cycles)", format=","),
            ],
        )
        .properties(width=370, height=220, title="Work of each PE")
    )
    barriers = (
        alt.Chart(alt.NamedData("barriers"))
        .mark_bar(color=SKY)
        .encode(
            x=alt.X(
                "utilization:Q",
                title="utilization (%)",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".0%"),
            ),
            y=alt.Y("barrier:N", title=None, sort=None, axis=alt.Axis(minExtent=80)),
            tooltip=["barrier:N", alt.Tooltip("utilization:Q", format=".1%")],
        )
        .properties(width=190, height=220, title="The oftener PEs wait …")
    )
    return alt.hconcat(bars, barriers, spacing=60)
