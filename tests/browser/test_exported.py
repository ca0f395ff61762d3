"""Exported explorers: opened from disk, with the network off."""

import json

import pytest

from uticket_lite import explore


def test_a_file_opens_from_disk_and_its_sliders_move_by_keyboard(open_file, tmp_path):
    explorer = explore.workload("digits-lth")
    explorer.export(tmp_path / "page.html", round=[13, 14], n_pe=[4, 8, 16], strategy=None)
    page = open_file(tmp_path / "page.html")
    view = page.locator(".uticket-view")
    view.locator("[data-control=n_pe]").press("ArrowLeft")
    view.locator("[data-control=round]").press("ArrowLeft")
    view.locator("[data-control=strategy]").select_option(value=None, index=5)
    name = list(explorer.frame["controls"][2]["options"])[5][1]
    explorer.link = f"workload?n_pe=8&round=13&strategy={name}"
    page.wait_for_function(
        "words => document.querySelector('.uticket-summary').textContent === words",
        arg=explorer.frame["summary"],
        timeout=20_000,
    )
    figures = view.evaluate("""view => Object.fromEntries([...view.querySelectorAll("dd")]
        .map(dd => [dd.dataset.figure, dd.textContent]))""")
    assert figures == dict(explorer.frame["figures"])
    for absent in ("mapping", "layer", "wave", "versus"):
        assert view.locator(f"[data-control={absent}]").is_disabled()
    assert "not in this file" in view.inner_text()
    assert not page.locator("#uticket-still").count()
    assert view.locator("canvas").first.evaluate("canvas => canvas.width") > 300


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_file_is_drawn_at_phone_width_in_both_schemes(open_file, tmp_path, scheme):
    explore.rounds("digits-lth").export(tmp_path / "page.html", ["round"])
    options = {"color_scheme": scheme, "viewport": {"width": 390, "height": 800}}
    page = open_file(tmp_path / "page.html", **options)
    ink = page.locator(".uticket-view").evaluate("view => getComputedStyle(view).color")
    assert (sum(json.loads(f"[{ink[4:-1]}]")) > 384) == (scheme == "dark")
    control = page.locator("[data-control=round]").bounding_box()
    assert control["width"] > 80
    assert control["x"] + control["width"] <= 390
