"""The paper's figures, drawn from the tables of `uticket_lite.paper`."""

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from uticket_lite.explore.charts.style import BLUE, GREEN, GREY, ORANGE, PINK, RED

METHODS = alt.Color(
    "method:N",
    title=None,
    scale=alt.Scale(domain=["lth", "uticket"], range=[RED, BLUE]),
    legend=alt.Legend(orient="top"),
)


def by_round(table: pd.DataFrame) -> Any:
    """Fig. 4: utilization and accuracy against sparsity, for both methods."""
    long = pd.concat(
        [
            pd.DataFrame(
                {
                    "network": table["network"],
                    "method": method,
                    "sparsity": table[f"{method}_sparsity"],
                    "utilization (%)": 100 * table[f"{method}_utilization"],
                    "accuracy (%)": table[f"{method}_accuracy"],
                }
            )
            for method in ("lth", "uticket")
        ]
    )
    x = alt.X("sparsity:Q", title="weights pruned (%)")
    base = alt.Chart(long).mark_line(point=True)
    panels = [
        base.encode(x=x, y=alt.Y(f"{figure}:Q"), color=METHODS, strokeDash="network:N").properties(
            width=290, height=200
        )
        for figure in ("utilization (%)", "accuracy (%)")
    ]
    return alt.hconcat(*panels)


def energy_by_round(table: pd.DataFrame) -> Any:
    """Fig. 7b: energy and cycles that u-Ticket saves, by round."""
    long = table.melt(
        ["network", "round"], ["energy_cut", "latency_cut"], "figure", "saved"
    ).replace({"energy_cut": "energy", "latency_cut": "latency"})
    return (
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=alt.X("round:Q", title="pruning round"),
            y=alt.Y("saved:Q", title="saved by u-Ticket (%)"),
            color=alt.Color(
                "figure:N", title=None, scale=alt.Scale(range=[ORANGE, BLUE]), sort=None
            ),
            strokeDash="network:N",
        )
        .properties(width=420, height=200)
    )


def layers(table: pd.DataFrame) -> Any:
    """Fig. 6: utilization and latency, layer by layer."""
    order = list(dict.fromkeys(table["layer"]))
    rows = []
    for network, part in table.groupby("network", sort=False):
        x = alt.X("layer:N", title=None, sort=order, axis=alt.Axis(labelAngle=-45))
        base = alt.Chart(part).mark_bar().encode(x=x, xOffset="method:N", color=METHODS)
        rows.append(
            alt.hconcat(
                base.encode(y=alt.Y("utilization:Q", axis=alt.Axis(format=".0%"))).properties(
                    width=320, height=150, title=str(network)
                ),
                base.encode(
                    y=alt.Y("latency:Q", title="latency (cycles)", axis=alt.Axis(format="~s"))
                ).properties(width=320, height=150),
            )
        )
    return alt.vconcat(*rows)


def energy_parts(table: pd.DataFrame) -> Any:
    """Fig. 8: energy by part, and what it is spent on."""
    kinds = ["dynamic", "working", "waiting"]
    long = table.melt(["network", "method", "part"], kinds, "kind", "energy")
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("energy:Q", title="energy (E_dyn)", axis=alt.Axis(format="~s")),
            y=alt.Y("method:N", title=None),
            row=alt.Row("part:N", title=None),
            column=alt.Column("network:N", title=None),
            color=alt.Color(
                "kind:N", title=None, scale=alt.Scale(domain=kinds, range=[BLUE, ORANGE, GREY])
            ),
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
            color=alt.Color(
                "whose:N",
                title=None,
                scale=alt.Scale(domain=["paper", "ours"], range=[GREY, BLUE]),
            ),
            strokeDash=alt.StrokeDash("quantity:N", title=None),
        )
        .properties(width=420, height=200)
    )


def accesses(table: pd.DataFrame) -> Any:
    """Fig. 9a: accesses of 32 bits for one image, by round of the LTH run."""
    kinds = ["dram_weights", "dram_spikes", "sram_weights", "sram_spikes"]
    plain = table[table["method"] == "lth"]
    long = plain.melt(["network", "round"], kinds, "of", "accesses")
    return (
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=alt.X("round:Q", title="pruning round"),
            y=alt.Y(
                "accesses:Q",
                title="accesses of 32 bits",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="~s"),
            ),
            color=alt.Color(
                "of:N", title=None, scale=alt.Scale(domain=kinds, range=[BLUE, GREEN, ORANGE, PINK])
            ),
            column=alt.Column("network:N", title=None),
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
