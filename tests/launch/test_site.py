"""The course's website, opened from disk with the network off."""

import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from benchmarks import lab
from tests.launch.conftest import ROOT

MEGABYTES = 15


@pytest.fixture(scope="module")
def site():
    """Built before, by `make site`."""
    folder = ROOT / "build" / "site"
    if not (folder / "index.html").exists():
        pytest.fail("run make site")
    return folder


@pytest.fixture(scope="module")
def page(site):
    """A window whose every request to a host fails the test."""
    if not lab.CHROMIUM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no browser at {lab.CHROMIUM}")
    strangers = []
    with lab.browser() as browser:
        context = browser.new_context(offline=True, viewport={"width": 1100, "height": 900})
        context.on("request", lambda r: strangers.append(r.url) if r.url.startswith("http") else 0)
        yield context.new_page()
    assert not strangers


def notebooks(site):
    return sorted(path for path in (site / "notebooks").glob("*.html"))


def test_it_is_small_and_loads_nothing_from_elsewhere(site):
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size < MEGABYTES * 2**20
    for path in (site / "index.html", *notebooks(site)):
        loaded = re.findall(
            r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"(https?:[^\"]*)", path.read_text()
        )
        assert not loaded, path.name


def test_every_notebook_is_there_to_read_and_to_download(site):
    kept = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert [path.stem for path in notebooks(site)] == kept
    for path in notebooks(site):
        text = path.read_text()
        assert "No answer from the kernel" not in text
        assert "Traceback" not in text
        assert f'href="{path.stem}.ipynb"' in text
        assert path.with_suffix(".ipynb").exists()


def test_the_api_page_explains_every_public_name(site):
    import uticket_lite as ut

    text = (site / "api.html").read_text()
    for name in ut.__all__:
        thing = getattr(ut, name)
        if callable(thing):
            assert re.search(rf'id="uticket_lite(\.\w+)*\.{name}"', text), name


def test_an_explorer_moves_by_keyboard_without_a_kernel(site, page):
    page.goto((site / "notebooks" / "00_start_here.html").as_uri())
    frame = page.frame_locator("iframe.alive").first
    slider = frame.locator("input[type=range]:not([disabled])").first
    slider.wait_for(timeout=60_000)
    slider.focus()
    before = frame.locator("body").inner_text()
    slider.press("ArrowLeft")
    page.wait_for_timeout(1500)
    assert frame.locator("body").inner_text() != before


def test_pages_have_no_barriers_that_axe_finds(site, page):
    for name in ("index.html", "lecturers.html", "notebooks/00_start_here.html"):
        page.goto((site / name).as_uri())
        found = Axe().run(page)
        serious = [
            v for v in found.response["violations"] if v["impact"] in {"serious", "critical"}
        ]
        assert not serious, found.generate_report()
