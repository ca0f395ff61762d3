"""Latency of every strategy, and what it touches for it."""

import altair as alt

from uticket_lite.explore.charts.style import BLUE, GREEN, GREY, ORANGE, PINK, RED, colours
from uticket_lite.explore.explorers.strategies import CHANGES
from uticket_lite.strategies import STRATEGIES


def chart() -> alt.HConcatChart:
    """Latency of every strategy, and what it touches for it.

    Data set: `strategies` (strategy, changes, latency, working, idle, energy, touched, chosen).
    """
    base = alt.Chart(alt.NamedData("strategies"))
    colour = colours("changes", CHANGES, [GREY, BLUE, ORANGE, GREEN, PINK])
    tooltip = [
        alt.Tooltip("strategy:N"),
        alt.Tooltip("latency:Q", title="latency (cycles)", format=","),
        alt.Tooltip("idle:Q", title="idle (PE-cycles)", format=","),
        alt.Tooltip("energy:Q", title="energy (E_dyn)", format=",.0f"),
        alt.Tooltip("touched:Q", title="non-zeros touched", format=".1%"),
    ]
    y = alt.Y("strategy:N", title=None, sort=list(STRATEGIES), axis=alt.Axis(minExtent=105))
    chosen = alt.condition(alt.datum.chosen, alt.value(1), alt.value(0.8))
    outline = alt.condition(alt.datum.chosen, alt.value(RED), alt.value("transparent"))
    bars = base.mark_bar().encode(
        x=alt.X("latency:Q", title="latency (cycles); the tick is where all PEs would be busy"),
        y=y,
        color=colour,
        opacity=chosen,
        stroke=outline,
        tooltip=tooltip,
    )
    ticks = base.mark_tick(color=RED, thickness=2, size=14).encode(x="working:Q", y=y)
    left = alt.layer(bars, ticks).properties(
        width=330, height=240, title="What it takes, by what it changes"
    )

    x = alt.X("touched:Q", title="non-zeros touched (%)", axis=alt.Axis(format=".0%"))
    height = alt.Y("latency:Q", title="latency (cycles)", axis=alt.Axis(minExtent=50))
    points = base.mark_point(filled=True, size=90).encode(
        x=x, y=height, color=colour, shape=alt.Shape("changes:N", legend=None), tooltip=tooltip
    )
    names = (
        base.mark_text(align="left", dx=8, dy=-6, fontSize=11)
        .encode(x=x, y=height, text="strategy:N")
        .transform_filter(alt.datum.chosen)
    )
    right = alt.layer(points, names).properties(width=280, height=240, title="What it costs")
    return alt.hconcat(left, right, spacing=80, bounds="flush")
