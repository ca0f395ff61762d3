"""What the paper does not show: every strategy on the same LTH ticket."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.paper.recorded import PES, networks, report, saving
from uticket_lite.paper.section import Row, Section
from uticket_lite.simulation.comparison import compare


def beyond() -> Iterator[Row]:
    """All strategies, quickest first: latency relative to u-Ticket's, and the price.

    latency_cut, energy_cut: less than the ticket as it is, in percent. touched, extra: non-zeros
    changed and added, in percent of all. permuted: filters that do not start in their place.
    """
    for network in networks():
        table = compare(report(network, "lth").ticket, PES).sort_values("latency")
        plain, balanced = (table.loc[name].to_dict() for name in ("none", "uticket"))
        for strategy, of in table.to_dict("index").items():
            yield {
                "network": network,
                "strategy": strategy,
                "changes": of["changes"],
                "latency": of["latency"] / balanced["latency"],
                "utilization": of["utilization"],
                "latency_cut": saving(plain["latency"], of["latency"]),
                "energy_cut": saving(plain["energy"], of["energy"]),
                "touched": 100 * of["touched"],
                "extra": 100 * of["extra"],
                "permuted": of["permuted"],
            }


def chart(table: pd.DataFrame) -> Any:
    """Latency of every strategy relative to u-Ticket's; colour: what it changes."""
    import altair as alt

    from uticket_lite.explore.charts.palette import CHANGED
    from uticket_lite.explore.charts.style import colours

    def panel(network: str, part: pd.DataFrame) -> Any:
        y = alt.Y(
            "strategy:N", title=None, sort=list(part["strategy"]), axis=alt.Axis(minExtent=110)
        )
        x = alt.X("latency:Q", title="latency relative to u-Ticket's")
        colour = colours("changes", CHANGED)
        bars = alt.Chart(part).mark_bar().encode(x=x, y=y, color=colour)
        text = (
            alt.Chart(part)
            .mark_text(align="left", dx=4)
            .encode(x=x, y=y, text=alt.Text("latency:Q", format=".3f"))
        )
        return (bars + text).properties(width=300, height=22 * len(part), title=network)

    return alt.hconcat(
        *(panel(str(network), part) for network, part in table.groupby("network", sort=False))
    )


SECTION = Section(
    "beyond",
    "On the same ticket: what the paper does not show",
    120,
    beyond,
    chart=chart,
    words="Latency of every strategy on the LTH ticket, relative to u-Ticket's.",
)
