"""The course's website: `make site`. Nothing in it asks another host for anything."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import quote

import uticket_lite

HERE = Path(__file__).parent
ALIVE = HERE.parent / "alive"  # where the notebooks' explorers are written while they run
REPOSITORY = os.environ.get("REPOSITORY", "").rstrip("/")
"""Where the project is published, for links to Binder and Colab; none without."""

project = "uticket-lite"
version = release = uticket_lite.__version__
author = copyright = "The uticket-lite developers"
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["ipython"]

# Notebooks run as they are; their explorers are exported (see ipython/), not shown as widgets.
os.environ |= {
    "IPYTHONDIR": str(HERE / "ipython"),
    "UTICKET_ALIVE": str(ALIVE),
    "UTICKET_ANSWERS": "auto",
}
nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_merge_streams = True
suppress_warnings = ["mystnb.unknown_mime_type"]

# Docstrings are plain text with code in backticks.
default_role = "code"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "uticket-lite"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def _buttons(app, pagename, templatename, context, doctree):  # noqa: ANN001, ANN202
    """Above a notebook, the ways to run it; code that scrolls can be reached by keyboard."""
    context["body"] = context.get("body", "").replace("<pre>", '<pre tabindex="0">')
    if not pagename.startswith("notebooks/"):
        return
    name = pagename.removeprefix("notebooks/") + ".ipynb"
    links = {f"Download {name}": name}
    if REPOSITORY.startswith("https://github.com/"):
        of, at = REPOSITORY.removeprefix("https://github.com/"), quote(f"notebooks/{name}")
        links |= {
            "Run on Binder": f"https://mybinder.org/v2/gh/{of}/main?urlpath=lab/tree/{at}",
            "Open in Colab": f"https://colab.research.google.com/github/{of}/blob/main/{at}",
        }
    shown = " ".join(f'<a href="{href}">{text}</a>' for text, href in links.items())
    context["body"] = f'<p class="launch">{shown}</p>' + context["body"]


def _alive(app, exception):  # noqa: ANN001, ANN202
    """What pages refer to beside themselves: explorers, and notebooks to download."""
    if exception is None:
        notebooks = Path(app.outdir, "notebooks")
        if ALIVE.is_dir():
            shutil.copytree(ALIVE, notebooks / "alive", dirs_exist_ok=True)
        for notebook in Path(app.srcdir, "notebooks").glob("*.ipynb"):
            shutil.copy(notebook, notebooks)


def _literal(app, what, name, obj, options, lines):  # noqa: ANN001, ANN202
    """Outside code, a star and a bar mean themselves."""
    parts = re.split(r"(`[^`]*`)", "\n".join(lines))
    parts[::2] = [re.sub(r"([*|])", r"\\\1", text) for text in parts[::2]]
    lines[:] = "".join(parts).split("\n")


def setup(app):  # noqa: ANN001, ANN201
    """Called by Sphinx."""
    app.connect("html-page-context", _buttons)
    app.connect("build-finished", _alive)
    app.connect("autodoc-process-docstring", _literal)
