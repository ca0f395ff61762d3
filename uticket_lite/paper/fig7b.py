"""Fig. 7b: energy and cycles saved, round by round."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.paper.recorded import METHODS, networks, report, rounds, saving
from uticket_lite.paper.section import Row, Section


def cuts_by_round() -> Iterator[Row]:
    """Energy and cycles that u-Ticket saves in each round, in percent."""
    for network in networks():
        for number, sparsity in rounds(network, "lth"):
            before, after = (report(network, method, number) for method in METHODS)
            yield {
                "network": network,
                "round": number,
                "sparsity": sparsity,
                "energy_cut": saving(before.energy, after.energy),
                "latency_cut": saving(before.latency, after.latency),
            }


def chart(table: pd.DataFrame) -> Any:
    """Energy and cycles that u-Ticket saves, by sparsity."""
    import altair as alt

    from uticket_lite.explore.charts.palette import OTHERS
    from uticket_lite.explore.charts.style import lines

    long = table.rename(columns={"energy_cut": "energy", "latency_cut": "latency"}).melt(
        ["network", "sparsity"], ["energy", "latency"], "figure", "saved"
    )
    x = alt.X("sparsity:Q", title="weights pruned (%)", scale=alt.Scale(domain=[0, 100]))
    y = alt.Y("saved:Q", title="saved by u-Ticket (%)")
    return alt.hconcat(
        *(
            lines(
                part, x, y, "figure", dict(zip(("energy", "latency"), OTHERS, strict=False))
            ).properties(width=330, height=190, title=network)
            for network, part in long.groupby("network", sort=False)
        )
    )


SECTION = Section(
    "Fig. 7b",
    "Energy and cycles saved, round by round",
    80,
    cuts_by_round,
    chart=chart,
    words="Energy and cycles that u-Ticket saves, by sparsity, tickets of the same round.",
)
