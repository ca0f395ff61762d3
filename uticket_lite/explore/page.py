"""The page's program: the modules of `static/page` as one script, which is what anywidget loads.

Joined here when it is asked for: nothing to build, nothing that could be out of date.
"""

import re
import zlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
VEGA_JS = STATIC / "vega.js"
"""The bundle of Vega for the browser."""
SPECS = STATIC / "specs.json"
"""What Vega-Lite draws for each kind of explorer. `uticket_lite.explore.bundle` writes both."""

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.mjs";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def script(entry: str) -> str:
    """The module `entry` and what it imports, imported first, as one ES module.

    Names are shared, so no two modules may declare the same one: a test loads the result.
    """
    modules: dict[str, str] = {}

    def add(name: str) -> None:
        if name not in modules:
            source = (STATIC / "page" / f"{name}.mjs").read_text(encoding="utf-8")
            for needed in _IMPORT.findall(source):
                add(needed)
            modules[name] = source

    add(entry)
    parts = [_IMPORT.sub("", source).strip() for source in modules.values()]
    kept = [_EXPORT.sub("", part) for part in parts[:-1]]
    return "\n\n".join([*kept, parts[-1]]) + "\n"


@cache
def packed_vega() -> bytes:
    """Vega, deflated."""
    return zlib.compress(VEGA_JS.read_bytes(), 9)
