"""Table III: more PEs."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.hardware.accelerator import PE_COUNTS
from uticket_lite.paper.recorded import networks, report
from uticket_lite.paper.section import Row, Section, rows


def pe_counts() -> Iterator[Row]:
    """The LTH ticket, balanced anew for every number of PEs."""
    for network in networks():
        two = report(network, "lth", n_pe=2, strategy="uticket")
        for n in PE_COUNTS:
            ran = report(network, "lth", n_pe=n, strategy="uticket")
            relative = {"energy": ran.energy / two.energy, "latency": ran.latency / two.latency}
            yield from rows(network, "uticket", relative, n)


def chart(table: pd.DataFrame) -> Any:
    """Energy and latency against the number of PEs, the paper's and ours."""
    import altair as alt

    from uticket_lite.explore.charts.palette import BLUE, GREY
    from uticket_lite.explore.charts.style import colours

    long = table.melt(["network", "n_pe", "quantity"], ["paper", "ours"], "whose").dropna()

    colour = colours("whose", {"paper": GREY, "ours": BLUE})

    def panel(network: str, quantity: str) -> Any:
        shown = long[(long["network"] == network) & (long["quantity"] == quantity)]
        x = alt.X("n_pe:Q", title="number of PEs", scale=alt.Scale(type="log", base=2))
        y = alt.Y("value:Q", title=f"{quantity} relative to 2 PEs", scale=alt.Scale(domainMin=0))
        base = alt.Chart(shown).encode(x=x, y=y, color=colour)
        ours = base.transform_filter(alt.datum.whose == "ours").mark_line(point=True)
        paper = base.transform_filter(alt.datum.whose == "paper")
        diamonds = paper.mark_point(shape="diamond", filled=True, size=150)  # seen where both agree
        return alt.layer(diamonds, ours).properties(width=270, height=140, title=network)

    kinds = long[["network", "quantity"]].drop_duplicates().itertuples(index=False)
    return alt.concat(*(panel(*kind) for kind in kinds), columns=2)


SECTION = Section(
    "Table III",
    "More PEs, relative to 2",
    40,
    pe_counts,
    {
        "energy": "Ours moves only because each wave's mean is rounded up. The paper does not say "
        "what moves its own.",
        "latency": "Both halve with every doubling; the paper prints two digits.",
    },
    chart=chart,
    words="Latency halves with every doubling of PEs; energy hardly moves.",
)
