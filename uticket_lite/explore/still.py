"""What an explorer shows where nothing can move: a picture, its figures and its words.

For notebooks on the web, in nbconvert, and in front ends that cannot show widgets.
"""

import base64
import html
import os
from typing import TYPE_CHECKING, Any

from IPython import get_ipython

if TYPE_CHECKING:
    from uticket_lite.explore.explorer import Explorer

INSTALL = (
    "A still picture. Run in Jupyter, this is an explorer whose controls move. If they do not "
    "appear there, JupyterLab runs in another environment than this notebook: install anywidget "
    "beside it too (python -m pip install anywidget), start it again and reload the page."
)


def still(explorer: "Explorer", *, drawn: bool) -> str:
    """HTML without scripts; `drawn` with the picture, which takes Vega half a second and more."""
    frame = explorer.frame
    figures = "".join(
        f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
        f"<td style='text-align:right'>{html.escape(value)}</td></tr>"
        for label, value in frame["figures"]
    )
    words = html.escape(frame["summary"])
    picture = ""
    if drawn:
        data = base64.b64encode(explorer.svg().encode()).decode()
        picture = f'<img alt="{words}" src="data:image/svg+xml;base64,{data}">'
    said = f"<p>{html.escape(frame['message'])}</p>" if frame["message"] else ""
    return (
        f"<div>{said}<table>{figures}</table>{picture}<p>{words}</p>"
        f"<p><small>{html.escape(INSTALL)}</small></p></div>"
    )


def somebody_looks() -> bool:
    """Whether a front end shows this cell's output while it runs, so that controls can move.

    nbconvert and other programs that execute notebooks answer no questions (`allow_stdin`);
    Voilà does neither, but its pages live on.
    """
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return True
    shell = get_ipython()
    parent: dict[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return bool(parent.get("content", {}).get("allow_stdin", True))
