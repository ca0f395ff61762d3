"""Fig. 9a: accesses to memory."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.paper.recorded import METHODS, networks, report, rounds
from uticket_lite.paper.section import Row, Section
from uticket_lite.simulation.memory import memory_accesses

KINDS = {
    "dram_weights": "DRAM, weights",
    "dram_spikes": "DRAM, spikes",
    "sram_weights": "SRAM, weights",
    "sram_spikes": "SRAM, spikes",
}


def accesses() -> Iterator[Row]:
    """Accesses of 32 bits for one image, in every round."""
    for network in networks():
        for method in METHODS:
            for number, sparsity in rounds(network, method):
                yield {
                    "network": network,
                    "method": method,
                    "round": number,
                    "sparsity": sparsity,
                    **memory_accesses(report(network, method, number)).sum().to_dict(),
                }


def chart(table: pd.DataFrame) -> Any:
    """Accesses of 32 bits for one image, by sparsity of the LTH run."""
    import altair as alt

    from uticket_lite.explore.charts.palette import OTHERS
    from uticket_lite.explore.charts.style import lines

    long = (
        table[table["method"] == "lth"]
        .rename(columns=KINDS)
        .melt(["network", "sparsity"], list(KINDS.values()), "of", "accesses")
    )
    palette = dict(zip(KINDS.values(), OTHERS, strict=True))
    x = alt.X("sparsity:Q", title="weights pruned (%)", scale=alt.Scale(domain=[0, 100]))
    y = alt.Y(
        "accesses:Q",
        title="accesses of 32 bits",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~s", tickCount=4),
    )
    return alt.hconcat(
        *(
            lines(part, x, y, "of", palette).properties(width=330, height=210, title=network)
            for network, part in long.groupby("network", sort=False)
        )
    )


SECTION = Section(
    "Fig. 9a",
    "Accesses to memory",
    95,
    accesses,
    chart=chart,
    words="Accesses to DRAM and SRAM for weights and spikes of the LTH tickets, by sparsity.",
)
