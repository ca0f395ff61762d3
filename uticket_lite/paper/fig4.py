"""Fig. 4: round by round."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.paper.published import paper_numbers
from uticket_lite.paper.recorded import (
    METHODS,
    nearest_round,
    networks,
    printed,
    report,
    run_name,
)
from uticket_lite.paper.section import Row, Section
from uticket_lite.tickets.recorded import load_history


def by_round() -> Iterator[Row]:
    """Sparsity, accuracy and utilization of each round; Table II's utilization of the LTH ticket
    beside the round that comes nearest to it."""
    ladder = paper_numbers().query("source == 'Fig. 4'")["value"].to_numpy()
    for network in networks():
        nearest = nearest_round(network, "lth")
        utilization = printed(network, "lth", "utilization")
        histories = {method: load_history(run_name(network, method)) for method in METHODS}
        for number in histories["lth"]["round"]:
            yield {
                "network": network,
                "round": number,
                "paper_sparsity": ladder[number],
                "paper_utilization": utilization if number == nearest else math.nan,
                **{
                    f"{method}_{name}": 100 * history[name][number]
                    for name in ("sparsity", "accuracy")
                    for method, history in histories.items()
                },
                **{
                    f"{method}_utilization": report(network, method, number).utilization
                    for method in METHODS
                },
            }


def chart(table: pd.DataFrame) -> Any:
    """Utilization and accuracy against sparsity, for both methods; one point of the paper's."""
    import altair as alt

    from uticket_lite.explore.charts.palette import METHOD_COLOURS
    from uticket_lite.explore.charts.style import lines

    points = pd.concat(
        pd.DataFrame(
            {
                "network": table["network"],
                "method": label,
                "sparsity": table[f"{method}_sparsity"],
                "utilization": 100 * table[f"{method}_utilization"],
                "accuracy": table[f"{method}_accuracy"],
            }
        )
        for method, label in METHODS.items()
    )
    paper = table.dropna(subset="paper_utilization").assign(label="the paper's LTH")
    paper["paper_utilization"] *= 100
    x = alt.X("sparsity:Q", title="weights pruned (%)", scale=alt.Scale(domain=[0, 100]))

    def panel(network: str, figure: str) -> Any:
        shown = points[points["network"] == network]
        y = alt.Y(f"{figure}:Q", title=f"{figure} (%)", scale=alt.Scale(domain=[0, 100]))
        drawn = lines(shown, x, y, "method", METHOD_COLOURS, names=figure == "utilization")
        if figure == "utilization":
            one = alt.Chart(paper[paper["network"] == network]).encode(
                x="lth_sparsity:Q", y="paper_utilization:Q"
            )
            mark = one.mark_point(
                shape="diamond", filled=True, size=150, opacity=1, color=METHOD_COLOURS["LTH"]
            )
            text = one.mark_text(align="left", dx=10).encode(text="label:N")
            drawn = drawn + mark + text
        return drawn.properties(width=330, height=190, title=network)

    figures = ("utilization", "accuracy")
    return alt.vconcat(
        *(
            alt.hconcat(*(panel(network, f) for f in figures))
            for network in table["network"].unique()
        )
    )


SECTION = Section(
    "Fig. 4",
    "Round by round",
    50,
    by_round,
    chart=chart,
    words="Utilization of LTH tickets falls with sparsity; u-Ticket's stays at 100 %. Accuracy of "
    "both, by sparsity. A diamond is the paper's utilization of its LTH ticket.",
)
