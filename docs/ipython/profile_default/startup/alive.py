"""While the site is built, an explorer is shown as its exported page: alive without a kernel.

One that cannot be exported (it opens another, say) stays the picture with words that any notebook
without a kernel shows.
"""

import html
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

HEIGHT = 720


def _alive(explorer: Any, include: Collection[str] = (), exclude: Collection[str] = ()) -> Any:
    folder = Path(os.environ["UTICKET_ALIVE"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{explorer.kind}-{len(list(folder.iterdir())) + 1}.html"
    try:
        explorer.export(path)
    except ValueError as error:
        print(f"{explorer.kind}: a picture only, {error}", file=sys.__stderr__)
        return explorer._repr_mimebundle_()
    title = html.escape(f"The {explorer.kind} explorer")
    at = f"alive/{path.name}"
    frame = (
        f'<iframe class="alive" title="{title}" src="{at}" height="{HEIGHT}" loading="lazy">'
        "</iframe>"
        f'<p><a href="{at}">{title} in a page of its own</a></p>'
    )
    return {"text/html": frame, "text/plain": repr(explorer)}


get_ipython().display_formatter.mimebundle_formatter.for_type_by_name(  # type: ignore[name-defined]  # noqa: F821
    "uticket_lite.explore.explorer", "Explorer", _alive
)
