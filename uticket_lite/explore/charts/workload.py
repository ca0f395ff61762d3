"""Loads of one wave, or of all, beside the map of all waves."""

import altair as alt

from uticket_lite.explore.charts.style import BLUE, GREEN, GREY, RED, colours, pe_axis


def chart() -> alt.HConcatChart:
    """Loads of one wave, or of all, beside the map of all waves."""
    # Flush: the plots stay where they are, however wide the labels become.
    charts = alt.hconcat(_loads_chart(), _waves_chart(), spacing=125, bounds="flush")
    return charts.resolve_scale(color="independent")


def _loads_chart(width: int = 340, height: int = 220) -> alt.LayerChart:
    """Bars of work per PE with the waiting on top, and lines at the mean and the maximum.

    Data sets: `bars` (pe, kind `work` or `idle`, start, end, amount), `rules` (what, value,
    label) and `versus` (pe, load, longest) of the strategy to compare with.
    """
    work = (
        alt.Chart(alt.NamedData("bars"))
        .mark_bar()
        .encode(
            x=pe_axis(),
            y=alt.Y(
                "start:Q",
                title="non-zeros (cycles per position and timestep)",
                axis=alt.Axis(minExtent=40),
            ),
            y2="end:Q",
            color=colours("kind", ["work", "idle"], [BLUE, GREY]),
            tooltip=[
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("kind:N"),
                alt.Tooltip("amount:Q", title="non-zeros", format=","),
            ],
        )
    )
    rules = alt.Chart(alt.NamedData("rules"))
    domain = ["mean", "max"]
    stroke = alt.Color("what:N", scale=alt.Scale(domain=domain, range=[RED, RED]), legend=None)
    dash = alt.StrokeDash(
        "what:N", scale=alt.Scale(domain=domain, range=[[6, 3], [1, 0]]), legend=None
    )
    lines = rules.mark_rule(size=2).encode(y="value:Q", color=stroke, strokeDash=dash)
    labels = [  # above and below their lines, so that they never overlap
        rules.mark_text(align="left", x=width, dx=4, dy=dy, fontSize=11)
        .encode(y="value:Q", text="label:N")
        .transform_filter(alt.datum.what == what)
        for what, dy in (("max", -6), ("mean", 6))
    ]
    other = alt.Chart(alt.NamedData("versus"))
    marks = other.mark_point(shape="diamond", size=40, filled=True, color=GREEN).encode(
        x="pe:O", y="load:Q", tooltip=[alt.Tooltip("load:Q", title="compared with", format=",")]
    )
    limit = other.mark_rule(size=2, color=GREEN, strokeDash=[2, 2]).encode(y="max(longest):Q")
    layers = alt.layer(work, lines, *labels, limit, marks).resolve_scale(color="independent")
    return layers.properties(width=width, height=height, title="Load of each PE")


def _waves_chart(width: int = 210, height: int = 220) -> alt.Chart:
    """A heat map of the load of every PE in every wave.

    Data set: `waves` (waves, wave, pe, load); in groups if there are many, `wave` is the first.
    """
    return (
        alt.Chart(alt.NamedData("waves"))
        .mark_rect()
        .encode(
            x=pe_axis(),
            y=alt.Y(
                "waves:O", title="wave", sort=None, axis=alt.Axis(labelOverlap=True, minExtent=40)
            ),
            color=alt.Color(
                "load:Q",
                title="non-zeros",
                scale=alt.Scale(scheme="cividis", domainMin=0),
                legend=alt.Legend(gradientLength=height - 30),
            ),
            tooltip=[
                alt.Tooltip("waves:O", title="wave"),
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("load:Q", title="non-zeros", format=",.4~r"),
            ],
        )
        .properties(width=width, height=height, title="All waves of the layer")
    )
