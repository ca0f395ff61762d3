"""Fig. 6: layer by layer."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.paper.recorded import METHODS, networks, report
from uticket_lite.paper.section import Row, Section

FIGURES = {
    "utilization": "Eq. 2, 0 to 1",
    "work": "PE-cycles",
    "idle": "PE-cycles",
    "latency": "cycles",
}
"""Of a layer: name to unit."""


def layers() -> Iterator[Row]:
    """Cycles and utilization of every layer."""
    for network in networks():
        for method in METHODS:
            table = report(network, method).layers[list(FIGURES)].reset_index()
            for row in table.to_dict("records"):
                yield {"network": network, "method": method, **row}


def chart(table: pd.DataFrame) -> Any:
    """Cycles and utilization, layer by layer from the input down."""
    import altair as alt

    from uticket_lite.explore.charts.palette import METHOD_COLOURS
    from uticket_lite.explore.charts.style import colours

    colour = colours("method", METHOD_COLOURS)
    panels = []
    for network, part in table.replace({"method": METHODS}).groupby("network", sort=False):
        names = list(dict.fromkeys(part["layer"]))
        for figure, unit in FIGURES.items():
            first = figure == next(iter(FIGURES))
            y = alt.Y(
                "layer:N",
                title=None,
                sort=names,
                axis=alt.Axis(labels=first, minExtent=130 * first),
            )
            x = alt.X(f"{figure}:Q", title=unit, axis=alt.Axis(format="~s", tickCount=4))
            panels.append(
                alt.Chart(part)
                .mark_bar()
                .encode(x=x, y=y, yOffset="method:N", color=colour)
                .properties(width=135, height=18 * len(names), title=f"{network}: {figure}")
            )
    return alt.concat(*panels, columns=len(FIGURES))


SECTION = Section(
    "Fig. 6",
    "Layer by layer",
    60,
    layers,
    chart=chart,
    words="Utilization, work, idle cycles and latency of every layer, for LTH and u-Ticket.",
)
