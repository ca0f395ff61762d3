"""What a table or figure of the paper is: its rows, what explains differences, its picture."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from uticket_lite.paper.published import paper_numbers
from uticket_lite.paper.recorded import DATASET, networks, trained

KEYS = ["network", "method", "n_pe", "quantity"]
"""What joins a number of ours with the paper's."""
Row = dict[Any, Any]


def rows(
    network: str, method: str, quantities: Mapping[str, float], n_pe: int = 16
) -> Iterator[Row]:
    """A row for each quantity of ours, name to number, NaN where we have none."""
    for quantity, value in quantities.items():
        yield dict(zip(KEYS, (network, method, n_pe, quantity), strict=True)) | {"ours": value}


def coded(plain: str) -> str:
    """Plain words as HTML, what stands between backticks as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(plain))


@dataclass(frozen=True)
class Section:
    """A table or figure of the paper, or one that this project adds.

    name: as the paper calls it. title: what it shows. rank: its place. ours: our numbers, see
    `rows`, which stand beside what the paper prints; or, without `why`, rows of a table of its
    own. why: what explains a difference, by quantity; `{trained}` stands for how the network was
    trained. units: of quantities that the paper does not print. chart: an Altair chart of the
    table, which imports Altair itself. words: the chart for those who cannot see it.
    """

    name: str
    title: str
    rank: int
    ours: Callable[[], Iterable[Row]]
    why: Mapping[str, str] | None = None
    units: Mapping[str, str] | None = None
    chart: Callable[[pd.DataFrame], Any] | None = None
    words: str = ""

    def table(self) -> pd.DataFrame:
        """Ours beside the paper's, one number a row: network, method, n_pe, quantity, unit, paper,
        ours, difference (ours − paper), why; NaN where the paper or we have no number.

        A section without `why` has columns of its own, and no rows if no run is recorded.
        """
        ours = pd.DataFrame(self.ours())
        if self.why is None:
            return ours
        numbers = paper_numbers()
        paper = numbers[(numbers["source"] == self.name) & (numbers["dataset"] == DATASET)]
        units = {**(self.units or {}), **paper.groupby("quantity")["unit"].first()}
        missing = paper[~paper["network"].isin(networks())]
        ours = pd.concat([ours.reindex(columns=[*KEYS, "ours"]), missing[KEYS]])
        ours = ours.astype({"n_pe": int, "ours": float})
        table = ours.merge(paper.astype({"n_pe": int}), how="left", on=KEYS)
        table = table.rename(columns={"value": "paper"}).assign(
            unit=table["quantity"].map(units),
            difference=table["ours"] - table["value"],
            why=[self._why(*key) for key in zip(table["network"], table["quantity"], strict=True)],
        )
        return table[[*KEYS, "unit", "paper", "ours", "difference", "why"]].reset_index(drop=True)

    def _why(self, network: str, quantity: str) -> str:
        if network not in networks():
            return f"No run of {network} is recorded."
        assert self.why is not None
        return self.why[quantity].format(trained=trained(network))

    def reasons(self, table: pd.DataFrame) -> dict[str, list[str]]:
        """What explains the differences of a table: reason to the quantities it is given for."""
        reasons: dict[str, list[str]] = {}
        if self.why is not None:
            for quantity, why in table[["quantity", "why"]].drop_duplicates().to_numpy():
                reasons.setdefault(why, []).append(quantity)
        return reasons

    def draw(self, table: pd.DataFrame) -> Any:
        """The chart of a table; where nothing is recorded yet, a chart that says so."""
        assert self.chart is not None
        if table.empty:
            import altair as alt

            words = f"{self.name}: no run is recorded that could be drawn"
            return alt.Chart(pd.DataFrame({"words": [words]})).mark_text().encode(text="words:N")
        return self.chart(table)
