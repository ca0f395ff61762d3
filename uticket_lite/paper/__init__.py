"""The paper's tables and figures, one file each, beside what the recorded tickets give.

To add one, write a module here that defines `SECTION`. It then appears in `uticket paper`, in
the tests and, with a chart, in `picture`.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pandas as pd

from uticket_lite.edge.checks import one_of
from uticket_lite.paper.recorded import networks
from uticket_lite.paper.section import Section, coded

if TYPE_CHECKING:
    from IPython.display import HTML

    from uticket_lite.explore.pictures import Picture


def _find() -> dict[str, Section]:
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    found = [module.SECTION for module in modules if hasattr(module, "SECTION")]
    return {section.name: section for section in sorted(found, key=lambda section: section.rank)}


SECTIONS = _find()
"""Name of a table or figure to it, in the paper's order, then those that the paper lacks."""


def side_by_side(name: str) -> pd.DataFrame:
    """A table or figure of the paper (a name in `SECTIONS`) beside ours; see `Section.table`.

    Raises ValueError for an unknown name.
    """
    return SECTIONS[one_of("table or figure", name, SECTIONS)].table()


def shown(name: str, table: pd.DataFrame | None = None) -> "HTML":
    """A table or figure beside ours as a notebook shows it: numbers, and below them the reasons.

    Networks that are not recorded have nothing beside them and are left out, if others are.
    table: of `side_by_side(name)`, if you have it. Raises ValueError for an unknown name.
    """
    from IPython.display import HTML

    section = SECTIONS[one_of("table or figure", name, SECTIONS)]
    table = section.table() if table is None else table
    if section.why is not None and networks():
        table = table[table["network"].isin(networks())]
    numbers = table.drop(columns="why", errors="ignore")
    written = numbers.to_html(index=False, na_rep="–", float_format="{:.4g}".format, border=0)
    items = "".join(
        f"<li><b>{', '.join(quantities)}</b>: {coded(why)}</li>"
        for why, quantities in section.reasons(table).items()
    )
    return HTML(f'{written}<ul style="text-align: left">{items}</ul>' if items else written)


def picture(name: str, table: pd.DataFrame | None = None) -> "Picture":
    """A figure of the paper drawn of our numbers.

    table: of `side_by_side(name)`, if you have it. Raises ValueError for a name without a chart.
    """
    from uticket_lite.explore.pictures import Picture  # brings Altair

    drawn = {name: section for name, section in SECTIONS.items() if section.chart is not None}
    section = drawn[one_of("figure", name, drawn)]
    return Picture(section.draw(section.table() if table is None else table), section.words)


__all__ = ["SECTIONS", "Section", "picture", "shown", "side_by_side"]
