"""Latency of every strategy, and its price."""

import altair as alt

from uticket_lite.explore.charts.palette import CHANGED, GREY, PAID, TIME
from uticket_lite.explore.charts.style import STACKED, colours, titled


def chart() -> alt.HConcatChart:
    """Latency of every strategy, of which PEs work so much and wait the rest, and its price.

    Data sets: `strategies` (strategy, changes, latency, working, idle, energy, touched, price in
    words, chosen) and `prices` (strategy, kind, changes, share, text, price, chosen).
    """
    base = alt.Chart(alt.NamedData("strategies"))
    y = alt.Y("strategy:N", title=None, sort=None, axis=alt.Axis(minExtent=105))
    tooltip = [
        "strategy:N",
        "changes:N",
        alt.Tooltip("latency:Q", title="latency (cycles)", format=","),
        alt.Tooltip("idle:Q", title="waiting (PE-cycles)", format=","),
        alt.Tooltip("energy:Q", title="energy (E_dyn)", format=",.0f"),
        alt.Tooltip("touched:Q", title="non-zeros touched", format=".1%"),
        "price:N",
    ]
    axis = alt.Axis(format="~s", tickCount=5)
    x = alt.X("working:Q", title="latency (cycles); orange: waiting", axis=axis)
    colour = colours("changes", CHANGED)
    working = base.mark_bar().encode(x=x, y=y, color=colour, tooltip=tooltip)
    waiting = base.mark_bar(color=TIME["waiting"]).encode(x=x, x2="latency:Q", y=y, tooltip=tooltip)
    outline = (
        base.mark_bar(filled=False, stroke=GREY, strokeWidth=3)
        .encode(x=alt.X("latency:Q"), y=y, tooltip=tooltip)
        .transform_filter(alt.datum.chosen)
    )
    left = alt.layer(working, waiting, outline).properties(
        width=330, height=240, title=titled("Cycles, by what is changed")
    )
    # Beside the bars their names suffice; below them the prices need names of their own.
    names = alt.Axis(
        domain=False, ticks=False, minExtent=105, labelOpacity=alt.ExprRef("stacked ? 1 : 0")
    )
    paid = alt.Chart(alt.NamedData("prices"))
    kinds = alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False, labelLimit=0)
    place = alt.X("kind:N", title=None, sort=list(PAID), scale=alt.Scale(domain=list(PAID)))
    where = {"x": place.axis(kinds), "y": y.axis(names)}
    told = ["strategy:N", "price:N"]
    dots = paid.mark_circle(xOffset=-18, opacity=1).encode(
        **where,
        size=alt.Size("share:Q", scale=alt.Scale(domain=[0, 1], range=[0, 130]), legend=None),
        color=colours("changes", CHANGED, legend=False),
        tooltip=told,
    )
    bold = alt.ExprRef("datum.chosen ? 'bold' : 'normal'")
    texts = paid.mark_text(align="left", dx=-8, fontSize=10, fontWeight=bold)
    prices = alt.layer(dots, texts.encode(**where, text="text:N", tooltip=told)).properties(
        width=230, height=240, title=titled("What it costs", 8)
    )
    charts = alt.hconcat(left, prices, spacing=20, bounds="flush")
    return charts.resolve_scale(color="independent", y="shared").add_params(STACKED)
