"""Explorers have no fault that axe-core finds, in notebooks and in files."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from uticket_lite import explore


def audit(page, where):
    """Faults are none, and axe did look."""
    found = Axe().run(page, where, {}).response
    faults = [
        (fault["id"], fault["help"], *(node["html"] for node in fault["nodes"]))
        for fault in found["violations"]
    ]
    assert not faults
    assert len(found["passes"]) > 10


def test_all_explorers_in_both_themes(open_cells):
    makers = "\n".join(f"display(explore.{kind}())" for kind in explore.EXPLORERS)
    page = open_cells(f"from uticket_lite import explore\n{makers}", name="audit.ipynb")
    page.wait_for_function(
        "count => document.querySelectorAll('.uticket-view[data-frame]').length === count",
        arg=len(explore.EXPLORERS),
        timeout=120_000,
    )
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        page.wait_for_timeout(3000)
        audit(page, ".uticket-view")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_exported_pages(open_file, tmp_path, scheme):
    for kind in ("workload", "rounds", "sweep"):
        explorer = explore.EXPLORERS[kind]("digits-lth")
        explorer.export(tmp_path / "page.html", round=[13, 14])
        audit(open_file(tmp_path / "page.html", color_scheme=scheme), "html")
