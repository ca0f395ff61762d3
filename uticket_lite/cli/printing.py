"""How commands print what they find: as JSON, or as text for people."""

import json
import math
from typing import Any

import pandas as pd

from uticket_lite.edge.checks import printable
from uticket_lite.simulation.report import Report


def records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table, with its index, for JSON."""
    return table.reset_index().to_dict("records")


def print_json(value: Any) -> None:
    """Print what JSON can hold; what is not known (NaN) as null."""
    print(json.dumps(_without_nan(value), indent=1, allow_nan=False))


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what is not known is null."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def key_figures(report: Report) -> list[tuple[str, str]]:
    """Name and text of what a report says of the whole ticket."""
    energy = f"{report.energy:,.0f} times one PE's dynamic energy per input spike"
    price = report.price
    return [
        ("utilization", f"{report.utilization:.3f}"),
        ("latency", f"{report.latency:,} cycles"),
        ("work", f"{report.work:,} PE-cycles"),
        ("idle", f"{report.idle:,} PE-cycles"),
        ("energy", "not known: no spike sparsity" if math.isnan(report.energy) else energy),
        ("sparsity", f"{report.ticket.sparsity:.2%} of the counted layers, as run"),
        (
            "price",
            f"{price['touched']:.1%} of the non-zeros touched, {price['extra']:+.1%} non-zeros, "
            f"{price['permuted']} filters permuted, {price['buffered']} waves buffered",
        ),
    ]


def as_text(table: pd.DataFrame) -> str:
    """The table as text: shares as percentages, whole numbers with thousands separators."""
    forms = {"sparsity": "{:.2%}", "touched": "{:.1%}", "extra": "{:+.1%}", "energy": "{:,.0f}"}
    kinds = {"i": "{:,}", "f": "{:.3f}"}
    shown = {
        str(name): forms.get(str(name), kinds[column.dtype.kind]).format
        for name, column in table.items()
        if column.dtype.kind in kinds
    }
    plain = table.rename(index=lambda name: printable(str(name)))  # names are data
    return plain.to_string(formatters=shown, na_rep="-")
