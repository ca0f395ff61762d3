"""Work and waiting of each PE, beside the map of all waves."""

import altair as alt

from uticket_lite.explore.charts.palette import TIME
from uticket_lite.explore.charts.style import LEGEND, LOWERED, colours, pe_axis, titled


def chart() -> alt.HConcatChart:
    """Work and waiting of each PE, beside the map of all waves."""
    # Flush: the plots stay where they are, however wide the labels become.
    charts = alt.hconcat(_loads_chart(), _waves_chart(), spacing=180, bounds="flush")
    return charts.resolve_scale(color="independent").add_params(LOWERED)


def _loads_chart(width: int = 300, height: int = 220) -> alt.LayerChart:
    """What each PE does, from the first cycle at the bottom to the last: work and waiting of one
    wave after the other.

    Data sets: `bars` (pe, waves, wave, kind, start, end, amount); `rules` (what, value, label and
    the place of the label): `end`, `even` (the end if all PEs had equal work) and, of the strategy
    compared with, `versus`.
    """
    cycles = "cycles (per position and timestep)"
    bars = (
        alt.Chart(alt.NamedData("bars"))
        .mark_bar()
        .encode(
            x=pe_axis(),
            y=alt.Y(
                "start:Q",
                title=["cycles", "(per position and timestep)"],
                axis=alt.Axis(minExtent=40),
            ),
            y2="end:Q",
            color=colours("kind", TIME),
            tooltip=[
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("waves:N", title="wave"),
                alt.Tooltip("kind:N", title="is"),
                alt.Tooltip("amount:Q", title=cycles, format=","),
            ],
        )
    )
    rules = alt.Chart(alt.NamedData("rules"))
    dashes = alt.Scale(domain=["end", "even", "versus"], range=[[1, 0], [6, 3], [2, 2]])
    dash = alt.StrokeDash("what:N", scale=dashes, legend=None)
    # White in black, to be seen on every colour and in both themes.
    black, white = (
        rules.mark_rule(size=size, color=ink).encode(y="value:Q", strokeDash=dash)
        for size, ink in ((3.5, "black"), (1.5, "white"))
    )
    labels = rules.mark_text(align="left", x="width", dx=4, fontSize=11, limit=115)
    named = labels.encode(y="place:Q", text="label:N")
    layers = alt.layer(bars, black, white, named).resolve_scale(color="independent")
    return layers.properties(width=width, height=height, title=titled("Each PE, wave after wave"))


def _waves_chart(width: int = 200, height: int = 220) -> alt.Chart:
    """A heat map of the load of every PE in every wave.

    Data set: `waves` (waves, wave, pe, load); in groups if there are many, `wave` is the first.
    """
    return (
        alt.Chart(alt.NamedData("waves"))
        .mark_rect()
        .encode(
            x=pe_axis(),
            y=alt.Y(
                "waves:O",
                title="wave",
                sort=None,
                scale=alt.Scale(reverse=True),  # the first below, as in the bars
                axis=alt.Axis(labelOverlap=True, minExtent=40),
            ),
            color=alt.Color(
                "load:Q",
                title="non-zeros",
                scale=alt.Scale(scheme="cividis", domainMin=0),
                legend=alt.Legend(gradientLength=alt.ExprRef(f"{height} * lowered - 30")),
            ),
            tooltip=[
                alt.Tooltip("waves:O", title="wave"),
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("load:Q", title="non-zeros", format=",.4~r"),
            ],
        )
        .properties(
            width=width, height=height, title=titled("Load of each PE in each wave", LEGEND)
        )
    )
