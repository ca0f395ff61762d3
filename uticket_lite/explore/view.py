"""`ChartView`: an Altair chart in a notebook that takes new data without being rebuilt."""

import zlib
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import anywidget
import traitlets

_STATIC = Path(__file__).parent / "static"
VEGA_JS = _STATIC / "vega.js"
"""The bundle of Vega for the browser; `uticket_lite.explore.bundle` makes it."""

Frame = dict[str, Any]
"""What a view shows: `data` (data set name → column name → list), `figures` ([label, text]
pairs), `summary` (the view in words) and `message` (why something is not shown)."""


@cache
def _packed_vega() -> bytes:
    return zlib.compress(VEGA_JS.read_bytes(), 9)


class ChartView(anywidget.AnyWidget):
    """Draws `chart` once and replaces its named data with every `show`.

    Vega travels to the page as a message from the kernel, once per page: nothing is fetched
    from elsewhere and none of it is saved with the notebook.
    """

    _esm = _STATIC / "view.js"
    _css = _STATIC / "view.css"
    spec = traitlets.Dict().tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)

    def __init__(self, chart: alt.TopLevelMixin, frame: Frame) -> None:
        super().__init__(spec=chart.to_dict(), frame={**frame, "number": 0})
        self.on_msg(self._answer)

    def show(self, frame: Frame) -> None:
        """Replace data, figures, summary and message."""
        self.frame = {**frame, "number": self.frame["number"] + 1}

    def _answer(self, widget: Any, content: dict[str, Any], buffers: list[bytes]) -> None:
        if content.get("ask") == "vega":
            self.send({"vega": True}, [_packed_vega()])
