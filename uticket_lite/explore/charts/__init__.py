"""One Altair chart for each explorer, over named data sets that its frames fill.

Importing Altair takes longer than all the rest, so the explorers show the specifications in
`static/specs.json`, which `python -m uticket_lite.explore.bundle` writes from these charts.
"""

import importlib
from typing import Any


def make_chart(kind: str) -> Any:
    """The Altair chart of an explorer."""
    chart = importlib.import_module(f"{__name__}.{kind}").chart()
    return chart.configure(**importlib.import_module(f"{__name__}.style").LOOK)
