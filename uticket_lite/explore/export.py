"""An explorer as one HTML file that needs no kernel, no network and no server.

The page's program is the one that notebooks load; what the kernel would answer is computed
before, for every state that chosen controls can reach, and packed: columns of data that are alike
are stored once, and the whole is deflated.
"""

import base64
import html
import itertools
import json
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uticket_lite.edge.checks import one_of
from uticket_lite.edge.files import write_atomically
from uticket_lite.explore.controls import exact, nearest
from uticket_lite.explore.page import STATIC, packed_vega, script
from uticket_lite.explore.still import still

if TYPE_CHECKING:
    from uticket_lite.explore.explorer import Explorer

MOST = 12_000
"""States that one file may hold; more take minutes to compute and many megabytes."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:;
 script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 sans-serif; margin: 1em auto; max-width: 1100px; padding: 0 1em; }}
h1 {{ font-size: 1.3em; }}
@media (prefers-color-scheme: dark) {{
  body {{
    background: #111;
    color: #e0e0e0;
    --jp-ui-font-color1: #e0e0e0;
    --jp-layout-color0: #111;
    --jp-layout-color1: #222;
    --jp-border-color1: #888;
    --jp-border-color2: #555;
    --jp-brand-color1: #56b4e9;
  }}
}}
{css}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div id="uticket-explorer"></div>
<div id="uticket-still">{still}</div>
</main>
<script type="text/plain" id="uticket-vega">{vega}</script>
<script type="text/plain" id="uticket-frames">{frames}</script>
<script type="module">
{script}
start();
</script>
</body>
</html>
"""


def export(
    explorer: "Explorer", path: str | os.PathLike[str], controls: Mapping[str, Any]
) -> dict[str, int]:
    """Write the page; see `Explorer.export`."""
    moving = _moving(explorer, controls)
    packed = json.dumps(_packed(explorer, moving), separators=(",", ":")).encode()
    page = _PAGE.format(
        title=html.escape(f"The {explorer.kind} explorer"),
        css=(STATIC / "explorer.css").read_text(encoding="utf-8"),
        still=still(explorer, drawn=False),
        vega=_base64(packed_vega()),
        frames=_base64(zlib.compress(packed, 9)),
        script=script("standalone").replace("export default ", ""),
    )
    write_atomically(Path(path), page.encode())
    return {name: len(values) for name, values in moving.items()}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _moving(explorer: "Explorer", controls: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each control that moves in the file, and the values it may take there."""
    offered = {about["name"]: _values(about) for about in explorer.frame["controls"]}
    names = [field.name for field in fields(explorer.state)]
    if not controls:  # as many as fit, in order
        moving: dict[str, list[Any]] = {}
        for name in names:
            if math.prod(map(len, (*moving.values(), offered[name]))) > MOST:
                break
            moving[name] = offered[name]
        return {name: values for name, values in moving.items() if len(values) > 1}
    given = {}
    for name, values in controls.items():
        one_of("control", name, names)
        given[name] = offered[name] if values is None else list(dict.fromkeys(values))
        for value in given[name]:
            if value not in offered[name]:
                exact(replace(explorer.state, **{name: value}), explorer.source)
    moving = {name: given[name] for name in names if given.get(name)}
    if (states := math.prod(map(len, moving.values()))) > MOST:
        sizes = " · ".join(f"{len(values)} of {name}" for name, values in moving.items())
        raise ValueError(
            f"{sizes} are {states:,} states; a file holds up to {MOST:,}. Leave a control out, or "
            "give fewer values, n_pe=[4, 16, 64] say"
        )
    return moving


def _values(about: dict[str, Any]) -> list[Any]:
    return [value for _, value in about["options"]]


def _packed(explorer: "Explorer", moving: dict[str, list[Any]]) -> dict[str, Any]:
    """What the page unpacks: `table` leads from where the moving controls stand to a frame."""
    frames: dict[Any, int] = {}
    pools: dict[str, dict[str, int]] = {"columns": {}, "controls": {}}
    rows: list[Any] = []
    table = []
    following: set[str] = set()
    present = explorer.state

    def kept(pool: str, value: Any) -> int:
        text = json.dumps(value, separators=(",", ":"))
        return pools[pool].setdefault(text, len(pools[pool]))

    for values in itertools.product(*moving.values()):
        asked = replace(present, **dict(zip(moving, values, strict=True)))
        state = nearest(asked, explorer.source, present)
        if state not in frames:
            frames[state] = len(rows)
            frame = explorer.framed(state)
            following |= {n for n, v in asdict(state).items() if v != getattr(present, n)}
            data = {
                name: {column: kept("columns", cells) for column, cells in columns.items()}
                for name, columns in frame["data"].items()
            }
            rest = {
                name: frame[name] for name in ("figures", "summary", "message", "clicks", "link")
            }
            shown = [kept("controls", about) for about in frame["controls"]]
            rows.append([list(asdict(state).values()), shown, data, rest])
        table.append(frames[state])
    return {
        "kind": explorer.kind,
        "spec": explorer.spec,
        "first": asdict(present),
        "moving": moving,
        "following": sorted(following - moving.keys()),
        "table": table,
        "frames": rows,
        **{pool: [json.loads(text) for text in known] for pool, known in pools.items()},
    }
