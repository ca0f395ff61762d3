"""Charts as files: the same specification and data as on the screen, without a browser."""

from pathlib import Path

import altair as alt
import vl_convert

from uticket_lite.explore.charts import rounds_chart
from uticket_lite.explore.rounds_view import rounds_frame
from uticket_lite.explore.view import Frame
from uticket_lite.recorded import load_history

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
    histories = {name: load_history(name) for name in README_RUNS}
    return svg(rounds_chart(), rounds_frame(histories))


if __name__ == "__main__":  # python -m uticket_lite.explore.pictures, in the checkout
    README_PICTURE.write_text(readme_picture())
    print(f"wrote {README_PICTURE}")
