"""Charts as pictures, drawn without a browser."""

import base64
import html
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import vl_convert

from uticket_lite.explore.charts.palette import INK
from uticket_lite.explore.explorers.rounds import rounds

LOOK = {
    "background": "transparent",
    "padding": {"left": 5, "right": 20, "top": 5, "bottom": 5},  # names may end outside
    "config": {
        "axis": {
            "domainColor": INK,
            "gridColor": INK,
            "gridOpacity": 0.25,
            "tickColor": INK,
            "labelFlush": False,
        },
        "axisX": {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"},
        "axisY": {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"},
        "header": {"labelColor": INK, "titleColor": INK},
        "legend": {"labelColor": INK, "titleColor": INK},
        "point": {"opacity": 1},
        "text": {"color": INK},
        "title": {"color": INK, "fontWeight": "normal"},
        "view": {"stroke": None},
    },
}
README_RUNS = ("digits-lth", "digits-uticket")
README_PICTURE = Path("docs", "rounds.svg")


@dataclass(frozen=True)
class Picture:
    """A chart to show in a notebook, with words for those who cannot see it.

    It is drawn here, not by the browser, so that it needs neither network nor kernel later. It has
    no background and an ink that reads in the light and in the dark theme.
    """

    chart: alt.TopLevelMixin
    words: str

    def _repr_html_(self) -> str:
        drawn = vl_convert.vegalite_to_svg({**self.chart.to_dict(), **LOOK})
        data = base64.b64encode(drawn.encode()).decode()
        return f'<img alt="{html.escape(self.words)}" src="data:image/svg+xml;base64,{data}">'


def readme_picture() -> str:
    """The picture that the README shows, from the recorded runs."""
    return rounds(README_RUNS).svg()


if __name__ == "__main__":  # python -m uticket_lite.explore.pictures, in the checkout
    README_PICTURE.write_text(readme_picture(), encoding="utf-8", newline="\n")
    print(f"wrote {README_PICTURE}")
