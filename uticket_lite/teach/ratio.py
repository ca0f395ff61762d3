"""The paper's six energy savings beside those of Eq. 3 with a ratio of one's own."""

from collections.abc import Callable

import ipywidgets as widgets
import pandas as pd

from uticket_lite import reference
from uticket_lite.explore.charts.palette import INK
from uticket_lite.paper.published import paper_table

Energy = Callable[[float, float, float, float], float]
"""Eq. 3 as learners write it: work, idle, spike sparsity, r → energy."""

CLOSE = 0.5
"""Points within which a saving counts as that of the paper, which prints one decimal."""
_STEP = 0.005


def savings(r: float, energy: Energy = reference.energy) -> pd.DataFrame:
    """Energy saved from LTH to u-Ticket in percent, by Eq. 3 from the paper's Tables I and II.

    r: E_leak / E_dyn. Rows: network and data set; columns: `Eq. 3`, `paper` (Fig. 7a) and
    `difference`, in points.
    """
    table = paper_table()

    def of(row: pd.Series, method: str) -> float:
        spikeless = row["spike_sparsity", method] / 100
        return energy(row["work", method], row["idle", method], spikeless, r)

    ours = table.apply(lambda row: 100 * (1 - of(row, "uticket") / of(row, "lth")), axis=1)
    paper = table["energy_cut", "uticket"]
    return pd.DataFrame({"Eq. 3": ours, "paper": paper, "difference": ours - paper})


def ratio_slider(energy: Energy = reference.energy) -> widgets.Widget:
    """A slider for r, above a table of the paper's numbers and of what Eq. 3 makes of them."""
    slider = widgets.FloatSlider(
        0.0,
        min=0,
        max=0.5,
        step=_STEP,
        description="r",
        readout_format=".3f",
        style={"handle_color": INK},
        layout={"width": "min(40em, 95%)"},
    )
    shown = widgets.HTML(ratio_table(slider.value, energy))

    def show(change: dict[str, float]) -> None:
        shown.value = ratio_table(change["new"], energy)

    slider.observe(show, "value")
    return widgets.VBox([slider, shown])


def ratio_table(r: float, energy: Energy = reference.energy) -> str:
    """`savings` beside the numbers that they follow from, as HTML; what is close is marked."""
    given, found = paper_table(), savings(r, energy)
    close = found["difference"].abs() <= CLOSE
    rows = []
    for key in found.index:
        figures = [
            f"{given.loc[key, (name, 'lth')]:g} → {given.loc[key, (name, 'uticket')]:g}"
            for name in ("work", "idle", "spike_sparsity")
        ]
        saved = [f"{found.loc[key, name]:.1f}" for name in ("paper", "Eq. 3")]
        saved.append(f"{found.loc[key, 'difference']:+.1f}" + (" ✓" if close[key] else ""))
        rows.append("".join(f"<td>{cell}</td>" for cell in (*key, *figures, *saved)))
    heads = (
        *("network", "data", "work, 10⁸", "idle, 10⁸", "s, %"),
        *("saved, paper, %", f"Eq. 3 with r = {r:.3f}", "difference, points"),
    )
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    said = f"{close.sum()} of {len(close)} savings are within {CLOSE:g} points."
    return (
        f'<table class="uticket-guesses"><tr>{head}</tr>{body}</table><p>{said}</p>'
        "<style>.uticket-guesses {border-collapse: collapse}"
        ".uticket-guesses td, .uticket-guesses th {padding: .1em .7em; text-align: left;"
        "white-space: nowrap; border-bottom: 1px solid currentColor}</style>"
    )
