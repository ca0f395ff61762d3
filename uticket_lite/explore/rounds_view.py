"""Recorded runs, round by round: what pruning does to accuracy and to the PEs."""

from collections.abc import Sequence

import pandas as pd

from uticket_lite.explore.charts import rounds_chart
from uticket_lite.explore.view import ChartView, Frame
from uticket_lite.recorded import load_history, recorded_tickets


def rounds_frame(histories: dict[str, pd.DataFrame]) -> Frame:
    """Data and summary for the histories of recorded runs."""
    columns = ["round", "sparsity", "utilization", "accuracy"]
    table = pd.concat([frame[columns].assign(run=name) for name, frame in histories.items()])
    last = table.groupby("run", sort=False).last()
    words = [
        f"{run}: at {row.sparsity:.1%} sparsity, utilization {row.utilization:.1%} and accuracy "
        f"{row.accuracy:.1%}"
        for run, row in last.iterrows()
    ]
    return {
        "data": {"rounds": table.to_dict("list")},
        "summary": "Last round of " + "; ".join(words) + ".",
    }


def rounds(names: Sequence[str] | None = None) -> ChartView:
    """Utilization and accuracy against sparsity for recorded runs, default all.

    Raises ValueError for an unknown name.
    """
    histories = {name: load_history(name) for name in names or recorded_tickets()}
    return ChartView(rounds_chart(), rounds_frame(histories))
