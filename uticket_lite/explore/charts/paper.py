"""The paper's figures, drawn from the tables of `uticket_lite.paper.sections`."""

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from uticket_lite.explore.charts.style import BLUE, GREEN, GREY, ORANGE, PINK, RED, colours

LABELS = {"lth": "LTH", "uticket": "u-Ticket"}
PAPER = "LTH in the paper"
METHODS = colours("method", list(LABELS.values()), [RED, BLUE])
LAYER_FIGURES = {
    "utilization": "Eq. 2, 0 to 1",
    "work": "PE-cycles",
    "idle": "PE-cycles",
    "latency": "cycles",
}
"""Of a layer: name to unit."""
PRUNED = alt.X("sparsity:Q", title="weights pruned (%)")
NETWORKS = alt.Column("network:N", title=None)


def by_round(table: pd.DataFrame) -> Any:
    """Fig. 4: utilization and accuracy against sparsity, for both methods; one point of the
    paper's (Table II)."""
    points = pd.concat(
        [
            pd.DataFrame(
                {
                    "network": table["network"],
                    "method": label,
                    "sparsity": table[f"{method}_sparsity"],
                    "utilization": 100 * table[f"{method}_utilization"],
                    "accuracy": table[f"{method}_accuracy"],
                }
            )
            for method, label in LABELS.items()
        ]
    )
    paper = table.dropna(subset="paper_utilization")
    one = pd.DataFrame(
        {
            "network": paper["network"],
            "method": PAPER,
            "sparsity": paper["lth_sparsity"],
            "utilization": 100 * paper["paper_utilization"],
        }
    )
    colour = colours("method", [*LABELS.values(), PAPER], [RED, BLUE, GREY])

    def panel(network: str, figure: str) -> Any:
        shown = points[points["network"] == network]
        y = alt.Y(f"{figure}:Q", title=f"{figure} (%)", scale=alt.Scale(domainMin=0))
        line = alt.Chart(shown).mark_line(point=True).encode(x=PRUNED, y=y, color=colour)
        mark = alt.Chart(one[one["network"] == network]).mark_point(
            shape="diamond", filled=True, size=150, opacity=1
        )
        marked = (
            line + mark.encode(x=PRUNED, y=y, color=colour) if figure == "utilization" else line
        )
        return marked.properties(width=270, height=180, title=network)

    return alt.vconcat(
        *(
            alt.hconcat(*(panel(network, figure) for network in table["network"].unique()))
            for figure in ("utilization", "accuracy")
        )
    )


def energy_by_round(table: pd.DataFrame) -> Any:
    """Fig. 7b: energy and cycles that u-Ticket saves, by sparsity."""
    long = table.melt(
        ["network", "sparsity"], ["energy_cut", "latency_cut"], "figure", "saved"
    ).replace({"energy_cut": "energy", "latency_cut": "latency"})
    return (
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=PRUNED,
            y=alt.Y("saved:Q", title="saved by u-Ticket (%)"),
            color=colours("figure", ["energy", "latency"], [ORANGE, BLUE]),
            column=NETWORKS,
        )
        .properties(width=270, height=180)
    )


def layers(table: pd.DataFrame) -> Any:
    """Fig. 6: cycles and utilization, layer by layer from the input down."""
    panels = []
    for network, part in table.replace({"method": LABELS}).groupby("network", sort=False):
        names = list(dict.fromkeys(part["layer"]))
        for figure, unit in LAYER_FIGURES.items():
            first = figure == next(iter(LAYER_FIGURES))
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
                .encode(x=x, y=y, yOffset="method:N", color=METHODS)
                .properties(width=135, height=18 * len(names), title=f"{network}: {figure}")
            )
    return alt.concat(*panels, columns=len(LAYER_FIGURES))


def energy_parts(table: pd.DataFrame) -> Any:
    """Fig. 8: energy by part, and what it is spent on."""
    kinds = ["dynamic", "working", "waiting"]
    long = table.replace({"method": LABELS}).melt(
        ["network", "method", "part"], kinds, "kind", "energy"
    )
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("energy:Q", title="energy (E_dyn)", axis=alt.Axis(format="~s")),
            y=alt.Y("method:N", title=None),
            row=alt.Row("part:N", title=None),
            column=NETWORKS,
            color=colours("kind", kinds, [BLUE, ORANGE, GREY]),
        )
        .properties(width=270, height=45)
    )


def pe_counts(table: pd.DataFrame) -> Any:
    """Table III: energy and latency against the number of PEs, the paper's and ours."""
    long = pd.concat(
        [
            table.assign(value=table[whose], whose=whose)[
                ["network", "n_pe", "quantity", "value", "whose"]
            ]
            for whose in ("paper", "ours")
        ]
    )
    return (
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=alt.X("n_pe:Q", title="PEs", scale=alt.Scale(type="log", base=2)),
            y=alt.Y("value:Q", title="relative to 2 PEs"),
            color=colours("whose", ["paper", "ours"], [GREY, BLUE]),
            row=alt.Row("network:N", title=None),
            column=alt.Column("quantity:N", title=None),
        )
        .properties(width=270, height=120)
    )


def accesses(table: pd.DataFrame) -> Any:
    """Fig. 9a: accesses of 32 bits for one image, by sparsity of the LTH run."""
    kinds = ["dram_weights", "dram_spikes", "sram_weights", "sram_spikes"]
    plain = table[table["method"] == "lth"]
    long = plain.melt(["network", "sparsity"], kinds, "of", "accesses")
    return (
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=PRUNED,
            y=alt.Y(
                "accesses:Q",
                title="accesses of 32 bits",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="~s"),
            ),
            color=colours("of", kinds, [BLUE, GREEN, ORANGE, PINK]),
            column=NETWORKS,
        )
        .properties(width=270, height=200)
    )


CHARTS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "Table III": pe_counts,
    "Fig. 4": by_round,
    "Fig. 6": layers,
    "Fig. 7b": energy_by_round,
    "Fig. 8": energy_parts,
    "Fig. 9a": accesses,
}
"""Name in `uticket_lite.paper.SECTIONS` to the function that draws its table."""
