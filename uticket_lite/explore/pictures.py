"""Charts as files: the same specification and data as on the screen, without a browser."""

from pathlib import Path

import altair as alt
import vl_convert

from uticket_lite.explore.explorer import Frame
from uticket_lite.explore.rounds import rounds

README_RUNS = ("digits-lth", "digits-uticket")
README_PICTURE = Path("docs", "rounds.svg")


def svg(chart: alt.TopLevelMixin, frame: Frame) -> str:
    """The chart with the frame's data as an SVG document."""
    spec = chart.to_dict()
    spec["background"] = "white"
    spec["datasets"] = {
        name: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for name, columns in frame["data"].items()
    }
    return vl_convert.vegalite_to_svg(spec)


def readme_picture() -> str:
    """The picture that the README shows, from the recorded runs."""
    return rounds(README_RUNS).svg()


if __name__ == "__main__":  # python -m uticket_lite.explore.pictures, in the checkout
    README_PICTURE.write_text(readme_picture())
    print(f"wrote {README_PICTURE}")
