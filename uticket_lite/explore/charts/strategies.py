"""Latency of every strategy, and its price."""

import altair as alt

from uticket_lite.explore.charts.style import CHANGED, TIME, colours
from uticket_lite.strategies import STRATEGIES


def chart() -> alt.HConcatChart:
    """Latency of every strategy, of which PEs work so much and wait the rest, and its price.

    Data set: `strategies` (strategy, changes, latency, working, idle, energy, touched, price in
    words, chosen).
    """
    base = alt.Chart(alt.NamedData("strategies"))
    y = alt.Y("strategy:N", title=None, sort=list(STRATEGIES), axis=alt.Axis(minExtent=105))
    tooltip = [
        "strategy:N",
        "changes:N",
        alt.Tooltip("latency:Q", title="latency (cycles)", format=","),
        alt.Tooltip("idle:Q", title="waiting (PE-cycles)", format=","),
        alt.Tooltip("energy:Q", title="energy (E_dyn)", format=",.0f"),
        alt.Tooltip("touched:Q", title="non-zeros touched", format=".1%"),
        "price:N",
    ]
    opacity = alt.condition(alt.datum.chosen, alt.value(1), alt.value(0.6))
    x = alt.X("working:Q", title="latency (cycles): working, then waiting (orange)")
    colour = colours("changes", list(CHANGED), list(CHANGED.values()))
    working = base.mark_bar().encode(x=x, y=y, color=colour, opacity=opacity, tooltip=tooltip)
    waiting = base.mark_bar(color=TIME["waiting"]).encode(
        x=x, x2="latency:Q", y=y, opacity=opacity, tooltip=tooltip
    )
    left = alt.layer(working, waiting).properties(
        width=330, height=240, title="What it takes, by what it changes"
    )
    bold = alt.ExprRef("datum.chosen ? 'bold' : 'normal'")
    prices = (
        base.mark_text(align="left", x=0, fontSize=11, fontWeight=bold)
        .encode(y=y.axis(None), text="price:N", tooltip=tooltip)
        .properties(width=290, height=240, title=alt.Title("What it costs", anchor="start"))
    )
    return alt.hconcat(left, prices, spacing=20, bounds="flush")
