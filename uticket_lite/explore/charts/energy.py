"""Energy by part and kind, and by number of PEs."""

import altair as alt

from uticket_lite.explore.charts.palette import CHANGED, ENERGY
from uticket_lite.explore.charts.style import FACETS, colours, titled
from uticket_lite.hardware.accelerator import PE_COUNTS


def chart() -> alt.HConcatChart:
    """Energy by part and kind, and by number of PEs.

    Data sets: `parts` (strategy, part, kind, its place, energy), `counts` (strategy, changes, pes,
    energy) and `ends` (strategy, pes, and the place of its name).
    """
    axis = alt.Axis(format="~s", tickCount=5, labelSeparation=4)
    bars = (
        alt.Chart(alt.NamedData("parts"))
        .mark_bar()
        .encode(
            x=alt.X("energy:Q", title="energy (E_dyn)", axis=axis),
            y=alt.Y("strategy:N", title=None, sort=None, axis=alt.Axis(minExtent=105)),
            row=alt.Row(
                "part:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left"), spacing=6
            ),
            color=colours("kind", ENERGY),
            order=alt.Order("place:Q"),
            tooltip=[
                "strategy:N",
                "part:N",
                "kind:N",
                alt.Tooltip("energy:Q", title="energy (E_dyn)", format=",.0f"),
            ],
        )
        .properties(width=270, height=58, title=titled("Where it goes"))
    )
    counts = alt.Chart(alt.NamedData("counts"))
    x = alt.X(
        "pes:Q",
        title="number of PEs",
        scale=alt.Scale(type="log", base=2),
        axis=alt.Axis(values=list(PE_COUNTS)),
    )
    y = alt.Y(
        "energy:Q",
        title="energy (E_dyn)",
        scale=alt.Scale(domainMin=0),
        axis=alt.Axis(format="~s", minExtent=45),
    )
    colour = colours("changes", CHANGED, legend=False)
    tooltip = [
        "strategy:N",
        alt.Tooltip("pes:Q", title="PEs"),
        alt.Tooltip("energy:Q", title="energy (E_dyn)", format=",.0f"),
    ]
    line = counts.mark_line().encode(x=x, y=y, detail="strategy:N", color=colour)
    points = counts.mark_point(size=50, filled=True).encode(x=x, y=y, color=colour, tooltip=tooltip)
    names = (
        alt.Chart(alt.NamedData("ends"))
        .mark_text(align="left", dx=8, limit=115)
        .encode(x=x, y="place:Q", text="strategy:N")
    )
    lines = alt.layer(line, points, names).properties(
        width=250, height=195, title=titled("More PEs", FACETS)
    )
    return alt.hconcat(bars, lines, spacing=50).resolve_scale(color="independent")
