"""Fig. 8: where the energy goes."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.hardware.components import PARTS
from uticket_lite.paper.recorded import METHODS, networks, report
from uticket_lite.paper.section import Row, Section


def energy_parts() -> Iterator[Row]:
    """Energy by part (MAC, LIF, MEM) and by what it is spent on."""
    for network in networks():
        for method in METHODS:
            parts = report(network, method).breakdown().groupby("part", sort=False).sum()
            for row in parts.reset_index().to_dict("records"):
                yield {"network": network, "method": method, **row}


def chart(table: pd.DataFrame) -> Any:
    """Energy by part, and what it is spent on."""
    import altair as alt

    from uticket_lite.explore.charts.palette import ENERGY
    from uticket_lite.explore.charts.style import colours

    long = table.replace({"method": METHODS}).melt(
        ["network", "method", "part"], list(ENERGY), "kind", "energy"
    )
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("energy:Q", title="energy (E_dyn)", axis=alt.Axis(format="~s")),
            y=alt.Y("method:N", title=None),
            row=alt.Row(
                "part:N",
                title=None,
                sort=list(PARTS),
                header=alt.Header(labelAngle=0, labelAlign="left"),
            ),
            column=alt.Column("network:N", title=None),
            color=colours("kind", ENERGY),
        )
        .properties(width=330, height=45)
    )


SECTION = Section(
    "Fig. 8",
    "Where the energy goes, in units of E_dyn",
    90,
    energy_parts,
    chart=chart,
    words="Energy of the MAC, LIF and MEM parts of the PEs, for both methods: dynamic, and spent "
    "in every cycle while working and while waiting.",
)
