"""Bundle Vega for the browser into one file: `python -m uticket_lite.explore.bundle`.

The file is shipped, so that charts need no network and no build step. Run this again when
Altair moves to another Vega-Lite version; a test compares the two.
"""

import altair as alt
import vl_convert

from uticket_lite.explore.explorer import VEGA_JS


def vega_bundle() -> str:
    """An ES module that exports `vegaEmbed`, for Altair's version of Vega-Lite."""
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.javascript_bundle("export { vegaEmbed };", version)


if __name__ == "__main__":
    VEGA_JS.write_text(vega_bundle())
    print(f"wrote {VEGA_JS} ({VEGA_JS.stat().st_size:,} bytes)")
