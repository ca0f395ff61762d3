"""How unlike the filters of a layer are."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.chance import expected_utilization
from uticket_lite.hardware.loads import capacities
from uticket_lite.tickets.ticket import Ticket


def spread(ticket: Ticket, accelerator: Accelerator, names: Iterable[str]) -> pd.DataFrame:
    """One row per layer: density, filter_cov, gini, floor.

    density: share of weights alive. filter_cov: standard deviation of the filters' non-zeros
    over their mean; chance alone gives √((1 − density)/(density · filter's size)). gini: of the
    filters' non-zeros, 0 if all have the same. floor: the utilization to expect if filters
    differed by chance only. filter_cov and gini are NaN where no non-zero is left.
    """
    rows = {}
    for name in names:
        layer = ticket.layers[name]
        density = layer.nonzeros / layer.size
        floor = expected_utilization(capacities(layer, accelerator), density)
        rows[name] = {"density": density, **_unlike(layer.counts), "floor": floor}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("layer")


def _unlike(counts: np.ndarray) -> dict[str, float]:
    total, k = counts.sum(), counts.size
    if total == 0:
        return {"filter_cov": np.nan, "gini": np.nan}
    ranks = 2 * np.arange(1, k + 1) - k - 1
    gini = float(ranks @ np.sort(counts) / (k * total))
    return {"filter_cov": float(counts.std() / counts.mean()), "gini": gini}
