"""Write what explorers send to the browser: `python -m uticket_lite.explore.bundle`.

Vega in one file, so that charts need no network and no build step, and the charts'
specifications, so that explorers need not import Altair. Run this again when a chart changes or
Altair moves to another Vega-Lite version; a test compares.
"""

import json

import altair as alt
import vl_convert

from uticket_lite.explore import EXPLORERS
from uticket_lite.explore.charts import make_chart
from uticket_lite.explore.page import SPECS, VEGA_JS


def vega_bundle() -> str:
    """An ES module that exports `vegaEmbed`, for Altair's version of Vega-Lite."""
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.javascript_bundle("export { vegaEmbed };", version)


def specs() -> str:
    """Every explorer's chart as Vega-Lite, in JSON."""
    made = {kind: make_chart(kind).to_dict() for kind in EXPLORERS}
    return json.dumps(made, indent=1) + "\n"


if __name__ == "__main__":
    for file, content in ((VEGA_JS, vega_bundle()), (SPECS, specs())):
        file.write_text(content, encoding="utf-8", newline="\n")
        print(f"wrote {file} ({file.stat().st_size:,} bytes)")
