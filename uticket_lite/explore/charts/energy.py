"""Energy by part and kind, and by number of PEs."""

import altair as alt

from uticket_lite.explore.charts.style import BLUE, GREY, ORANGE, PALETTE, colours
from uticket_lite.explore.explorers.energy import KINDS, PE_COUNTS


def chart() -> alt.HConcatChart:
    """Energy by part and kind, and by number of PEs.

    Data sets: `parts` (strategy, part, kind, its place, energy) and `counts` (strategy, pes,
    energy).
    """
    bars = (
        alt.Chart(alt.NamedData("parts"))
        .mark_bar()
        .encode(
            x=alt.X("energy:Q", title="energy (E_dyn)", axis=alt.Axis(format="~s")),
            y=alt.Y("strategy:N", title=None, sort=None, axis=alt.Axis(minExtent=105)),
            row=alt.Row(
                "part:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left"), spacing=6
            ),
            color=colours("kind", list(KINDS), [BLUE, ORANGE, GREY]),
            order=alt.Order("place:Q"),
            tooltip=[
                "strategy:N",
                "part:N",
                "kind:N",
                alt.Tooltip("energy:Q", title="energy (E_dyn)", format=",.0f"),
            ],
        )
        .properties(width=300, height=58, title="Where it goes")
    )
    lines = (
        alt.Chart(alt.NamedData("counts"))
        .mark_line(point=alt.OverlayMarkDef(size=50, filled=True))
        .encode(
            x=alt.X(
                "pes:Q",
                title="PEs",
                scale=alt.Scale(type="log", base=2),
                axis=alt.Axis(values=list(PE_COUNTS)),
            ),
            y=alt.Y(
                "energy:Q",
                title="energy (E_dyn), Eq. 3",
                scale=alt.Scale(domainMin=0),
                axis=alt.Axis(format="~s", minExtent=45),
            ),
            color=alt.Color(
                "strategy:N",
                title=None,
                sort=None,
                scale=alt.Scale(range=PALETTE),
                legend=alt.Legend(orient="top", offset=2),
            ),
            strokeDash=alt.StrokeDash("strategy:N", legend=None, sort=None),
            tooltip=["strategy:N", "pes:Q", alt.Tooltip("energy:Q", format=",.0f")],
        )
        .properties(width=270, height=195, title="More PEs")
    )
    return alt.hconcat(bars, lines, spacing=60).resolve_scale(color="independent")
