"""The course's website, opened from disk with the network off."""

import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from benchmarks import lab
from tests.launch.conftest import ROOT
from uticket_lite.explore import EXPLORERS
from uticket_lite.explore.page import STATIC

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
        text = path.read_text(encoding="utf-8")
        assert "Traceback" not in text
        assert f'href="{path.stem}.ipynb"' in text
        assert path.with_suffix(".ipynb").exists()


def said_without_a_kernel():
    """The first sentence of what explorers say when nobody answers, from where it is written."""
    source = (STATIC / "page" / "feed.mjs").read_text(encoding="utf-8")
    (literal,) = re.findall(r"^export const GONE =\n((?: +\".*\"(?: \+|;)\n)+)", source, re.M)
    return "".join(re.findall(r'"(.*)"', literal)).partition(".")[0] + "."


def seen(page, path):
    """The words on a page, once its explorer is drawn or says that it gets no answer."""
    page.goto(path.as_uri())
    if "uticket-explorer" in path.read_text(encoding="utf-8"):
        page.wait_for_function(
            """words => document.querySelector(".uticket-view[data-frame]")
                || document.body.innerText.includes(words)""",
            arg=said_without_a_kernel(),
            timeout=60_000,
        )
    return page.locator("body").inner_text()


def test_no_page_waits_for_a_kernel(site, page):
    explorers = sorted(site.glob("notebooks/alive/*.html"))
    assert len(explorers) >= len(EXPLORERS)
    for path in (*notebooks(site), *explorers):
        assert said_without_a_kernel() not in seen(page, path), path.name


def test_an_explorer_that_gets_no_answer_would_be_noticed(site, page, tmp_path):
    path = next(site.glob("notebooks/alive/*.html"))
    text = path.read_text(encoding="utf-8")
    silent = text.replace("else if (state) this.#say(", "else if (state) void (")
    assert silent != text
    (tmp_path / "silent.html").write_text(silent, encoding="utf-8")
    assert said_without_a_kernel() in seen(page, tmp_path / "silent.html")


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
