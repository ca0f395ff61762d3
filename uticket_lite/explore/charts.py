"""Charts as Altair specifications over named data sets, which views fill and refill.

Colours are Okabe and Ito's, which colour-blind people can tell apart; the heat map's cividis
also reads in grey.
"""

import altair as alt

WORK, IDLE, MEAN, MAX = "#0072B2", "#BBBBBB", "#E69F00", "#D55E00"


def pe_loads(width: int = 340, height: int = 220) -> alt.LayerChart:
    """Bars of work per PE with the waiting on top, and lines at the mean and the maximum.

    Data sets: `bars` (pe, kind `work` or `idle`, start, end) and `rules` (what, value, label).
    """
    bars = alt.NamedData("bars")
    x = alt.X("pe:O", title="PE", axis=alt.Axis(labelAngle=0, labelOverlap=True, grid=False))
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=["work", "idle"], range=[WORK, IDLE]),
        legend=alt.Legend(orient="top", offset=2),
    )
    work = (
        alt.Chart(bars)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y(
                "start:Q",
                title="non-zeros (cycles per position and timestep)",
                axis=alt.Axis(minExtent=40),
            ),
            y2="end:Q",
            color=colour,
            tooltip=[
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("kind:N"),
                alt.Tooltip("amount:Q", title="non-zeros", format=","),
            ],
        )
    )
    rules = alt.Chart(alt.NamedData("rules"))
    stroke = alt.Color(
        "what:N", scale=alt.Scale(domain=["mean", "max"], range=[MEAN, MAX]), legend=None
    )
    dash = alt.StrokeDash(
        "what:N", scale=alt.Scale(domain=["mean", "max"], range=[[6, 3], [1, 0]]), legend=None
    )
    lines = rules.mark_rule(size=2).encode(y="value:Q", color=stroke, strokeDash=dash)
    labels = [  # above and below their lines, so that they never overlap
        rules.mark_text(align="left", x=width, dx=4, dy=dy, fontSize=11)
        .encode(y="value:Q", text="label:N")
        .transform_filter(alt.datum.what == what)
        for what, dy in (("max", -6), ("mean", 6))
    ]
    layers = alt.layer(work, lines, *labels).resolve_scale(color="independent")
    return layers.properties(width=width, height=height, title="Load of each PE")


def wave_map(width: int = 210, height: int = 220) -> alt.Chart:
    """A heat map of the load of every PE in every wave.

    Data set: `waves` (wave, pe, load); `wave` counts from 0, in groups if there are many.
    """
    return (
        alt.Chart(alt.NamedData("waves"))
        .mark_rect()
        .encode(
            x=alt.X("pe:O", title="PE", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y(
                "wave:O", title="wave", sort=None, axis=alt.Axis(labelOverlap=True, minExtent=40)
            ),
            color=alt.Color(
                "load:Q",
                title="non-zeros",
                scale=alt.Scale(scheme="cividis", domainMin=0),
                legend=alt.Legend(gradientLength=height - 30),
            ),
            tooltip=[
                alt.Tooltip("wave:O"),
                alt.Tooltip("pe:O", title="PE"),
                alt.Tooltip("load:Q", title="non-zeros", format=",.4~r"),
            ],
        )
        .properties(width=width, height=height, title="All waves of the layer")
    )


def workload_chart() -> alt.HConcatChart:
    """Loads of one wave, or of all, beside the map of all waves."""
    # Flush: the plots stay where they are, however wide the labels become.
    charts = alt.hconcat(pe_loads(), wave_map(), spacing=125, bounds="flush")
    return charts.resolve_scale(color="independent")


def rounds_chart(width: int = 300, height: int = 220) -> alt.HConcatChart:
    """Utilization and accuracy against sparsity, one line per recorded run.

    Data set: `rounds` (run, round, sparsity, utilization, accuracy), all fractions.
    """
    base = alt.Chart(alt.NamedData("rounds")).encode(
        x=alt.X("sparsity:Q", title="pruned weights (%)", axis=alt.Axis(format=".0%")),
        color=alt.Color("run:N", title="run", scale=alt.Scale(range=[MAX, WORK])),
        shape=alt.Shape("run:N", title="run"),
        tooltip=[
            "run:N",
            "round:Q",
            alt.Tooltip("sparsity:Q", format=".2%"),
            alt.Tooltip("utilization:Q", format=".1%"),
            alt.Tooltip("accuracy:Q", format=".1%"),
        ],
    )

    def panel(column: str, title: str, low: float) -> alt.Chart:
        scale = alt.Scale(domain=[low, 1])
        y = alt.Y(f"{column}:Q", title=f"{column} (%)", axis=alt.Axis(format=".0%"), scale=scale)
        points = base.mark_line(point=alt.OverlayMarkDef(size=45, filled=True)).encode(y=y)
        return points.properties(width=width, height=height, title=title)

    return alt.hconcat(
        panel("utilization", "PEs wait …", 0), panel("accuracy", "… at the same accuracy", 0.5)
    )
