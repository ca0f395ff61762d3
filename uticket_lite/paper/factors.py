"""What utilization at 98 % depends on: the last round of every run of the study."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from uticket_lite.paper.section import Row, Section
from uticket_lite.paper.study import SETTINGS, recorded_study


def last_rounds(table: pd.DataFrame) -> pd.DataFrame:
    """The last round of every run of the network of `base` that prunes, and in `factor` how the
    run differs from that."""
    rounds = table.dropna(subset="round")
    rounds = rounds[rounds["network"].isin(rounds.loc[rounds["run"] == "base", "network"])]
    last = rounds[rounds["round"] == rounds.groupby(["run", "seed"])["round"].transform("max")]
    last = last[last["round"] > 0]
    base = last[last["run"] == "base"].drop_duplicates("run")

    def differs(row: Any) -> str:
        names = [name for name in SETTINGS if name != "seed" and row[name] != base.iloc[0][name]]
        return ", ".join(f"{name} {row[name]}" for name in names) or "base"

    return last.assign(factor=last.apply(differs, axis=1) if len(base) else last["run"])


def factors() -> Iterator[Row]:
    """`last_rounds` of the recorded study: what differs, and what was lost to what."""
    table = pd.DataFrame(recorded_study())
    if len(table):
        columns = [
            "network",
            "method",
            "factor",
            "seed",
            "round",
            "sparsity",
            "accuracy",
            "utilization",
        ]
        columns += ["floor", "noise", "layers", "filters", "unbalanced", "filter_cov"]
        yield from last_rounds(table)[columns].to_dict("records")


def chart(table: pd.DataFrame) -> Any:
    """A dot for the last round of every run, and a tick for its floor, by what it changes."""
    import altair as alt

    from uticket_lite.explore.charts.palette import GREY, OTHERS

    last = table.assign(utilization=100 * table["utilization"], floor=100 * table["floor"])
    order = list(last.groupby("factor")["utilization"].mean().sort_values().index)
    y = alt.Y(
        "factor:N",
        title=None,
        sort=order,
        axis=alt.Axis(minExtent=200, maxExtent=400, labelLimit=0),
    )
    base = alt.Chart(last).encode(y=y)
    x = alt.X("utilization:Q", title="utilization (%), a dot for each run; its floor, a tick")
    x = x.scale(domain=[0, 100])
    dots = base.mark_point(filled=True, size=60, color=OTHERS[0]).encode(x=x)
    ticks = base.mark_tick(color=GREY, thickness=2).encode(x="floor:Q")
    return (ticks + dots).properties(width=420, height=24 * last["factor"].nunique())


SECTION = Section(
    "factors",
    "What utilization depends on: the last rounds of the study's runs",
    135,
    factors,
    chart=chart,
    words="Utilization of the last round of every run, and its floor, by what the run changes.",
)
