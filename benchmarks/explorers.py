"""Explorers in a browser: from key press to painted picture, dragging, memory.

In a real JupyterLab; the workload explorer shows a VGG-16 ticket, 98.2 % sparse. Beside it, the
same bars are drawn by assigning `JupyterChart.chart`, as Altair's documentation does.
"""

import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import CDPSession, Page

from benchmarks import lab
from benchmarks.measure import Figure
from uticket_lite.explore import EXPLORERS

KINDS = tuple(EXPLORERS)
OURS = """from uticket_lite import explore
import uticket_lite as ut
vgg = ut.synthetic_ticket("vgg16", sparsity=.982, filter_cov=.3)
explore.workload(vgg)"""
THEIRS = """import altair as alt, ipywidgets
alt.JupyterChart.enable_offline()
explorer = explore.workload(vgg)
slider = ipywidgets.IntSlider(16, 1, 64, description="theirs")
def draw(n):
    explorer.state = explorer.nearest(n_pe=n)
    bars = alt.Chart(explorer.tables["bars"]).mark_bar().encode(
        x="pe:O", y="start:Q", y2="end:Q", color="kind:N")
    mark = alt.Chart(alt.Data(values=[{}])).mark_text().encode(text=alt.value(f"n={n}"))
    return (bars + mark).properties(width=340, height=220)
chart = alt.JupyterChart(draw(16))
slider.observe(lambda change: setattr(chart, "chart", draw(change.new)), "value")
ipywidgets.VBox([slider, chart])"""

# Painted: after the next frame has been handed to the screen.
WATCH = """() => {
    window.painted = (done) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => done(performance.now());
        channel.port2.postMessage(0);
    });
    window.texts = new Map(); // of charts in SVG: when each was painted first
    new MutationObserver(() => {
        for (const { textContent } of document.querySelectorAll("svg text"))
            if (textContent.startsWith("n=") && !window.texts.has(textContent)) {
                window.texts.set(textContent, undefined);
                window.painted((now) => window.texts.set(textContent, now));
            }
    }).observe(document, { childList: true, subtree: true });
    window.addEventListener("keydown", () => (window.pressed = performance.now()), true);
}"""
NEXT_STATE = """view => new Promise((resolve, reject) => {
    const before = view.dataset.frame;
    setTimeout(() => reject(new Error("nothing was painted")), 20000);
    const watch = new MutationObserver(() => {
        if (view.dataset.frame === before) return;
        watch.disconnect();
        window.painted((now) => resolve(now - window.pressed));
    });
    watch.observe(view, { attributeFilter: ["data-frame"] });
})"""


def figures() -> Iterable[Figure]:
    """All figures of the suite; takes about two minutes."""
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        home = Path(folder)
        with lab.lab(home) as url:
            context = lab.new_context(browser, [])
            makers = [f"explore.{kind}()" for kind in KINDS[1:]]
            lab.write_notebook(home / "notebooks/bench.ipynb", OURS, *makers, THEIRS)
            page = lab.open_notebook(context, url, "bench.ipynb", "JupyterLab Light")
            page.evaluate(WATCH)
            yield first_picture(page)
            lab.run_all(page)
            page.wait_for_timeout(8000)
            yield from moves(page)
            yield from dragging(page)
            yield growth(page, context.new_cdp_session(page))


def first_picture(page: Page) -> Figure:
    """From running the first cell in a fresh kernel to the explorer's picture."""
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=lab.RUN_TIMEOUT_MS)
    page.locator(".jp-CodeCell .cm-content").first.click()
    took = page.evaluate(
        """async () => {
            const began = performance.now();
            jupyterapp.commands.execute("notebook:run-cell");
            while (!document.querySelector(".uticket-view")?.dataset.frame)
                await new Promise(requestAnimationFrame);
            return new Promise(done => window.painted(now => done(now - began)));
        }"""
    )
    return Figure("first picture in a fresh kernel", took / 1000, unit="s", limit=4)


def moves(page: Page) -> Iterable[Figure]:
    """Single moves, half a second apart: the median, and what 95 of 100 stay below."""
    theirs = statistics.median(reference_moves(page))
    for which, kind in enumerate(KINDS):
        controls = {"slider": "input[type=range]:enabled", "menu": "select:enabled"}
        for name, selector in controls.items():
            taken = keys(page, which, selector, 24)
            middle, high = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
            what = f"{kind}: key on a {name}"
            yield Figure(f"{what}, median", middle, limit=0.05)
            yield Figure(f"{what}, 95 of 100", high, limit=0.09)
            if (kind, name) == ("workload", "slider"):
                against = "JupyterChart.chart = …"
                yield Figure(what, middle, theirs, against, limit=3, at_least=True)
    taken = keys(page, 0, "[data-control=n_pe]", 60, pause_ms=0)
    yield Figure("workload: keys without a pause, median", statistics.median(taken), limit=0.05)


def keys(page: Page, which: int, selector: str, times: int, pause_ms: int = 500) -> list[float]:
    """Seconds from key press to painted picture, to and fro on one control."""
    view = page.locator(".uticket-view").nth(which)
    view.scroll_into_view_if_needed()
    last = view.locator(selector).count() - 1
    control = view.locator(selector).nth(min(1, last))
    slider = control.evaluate("control => control.tagName === 'INPUT'")
    back, on = ("ArrowLeft", "ArrowRight") if slider else ("ArrowUp", "ArrowDown")
    control.press("Home")
    page.wait_for_timeout(500)
    steps = control.evaluate(
        "control => control.tagName === 'INPUT' ? Number(control.max) : control.length - 1"
    )
    taken = []
    for number in range(times):
        key = on if number // steps % 2 == 0 else back
        handle = view.element_handle()
        page.evaluate("view => { window.next = (%s)(view); }" % NEXT_STATE, handle)  # noqa: UP031
        control.press(key)
        taken.append(page.evaluate("() => window.next") / 1000)
        page.wait_for_timeout(pause_ms)
    return taken


def reference_moves(page: Page) -> list[float]:
    """The same for an ipywidgets slider that assigns a new chart."""
    handle = page.locator(".widget-inline-hbox [role=slider]").last
    handle.scroll_into_view_if_needed()
    taken = []
    for number in range(12):
        handle.press("ArrowRight")
        text = f"n={17 + number}"
        page.wait_for_function("text => window.texts.get(text)", arg=text)
        taken.append(page.evaluate("text => window.texts.get(text) - window.pressed", text) / 1000)
        page.wait_for_timeout(500)
    return taken


def dragging(page: Page) -> Iterable[Figure]:
    """Pictures painted in a second while a slider is dragged."""
    view = page.locator(".uticket-view").first
    slider = view.locator("[data-control=n_pe]")
    slider.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = slider.bounding_box()
    if box is None:
        raise RuntimeError("the slider is not on the page")
    y = box["y"] + box["height"] / 2
    before = int(view.get_attribute("data-frame") or 0)
    page.mouse.move(box["x"] + 2, y)
    page.mouse.down()
    began = page.evaluate("performance.now()")
    for step in range(180):
        page.mouse.move(box["x"] + box["width"] * (step % 90) / 90, y)
        page.wait_for_timeout(12)
    ended = page.evaluate("performance.now()")
    page.mouse.up()
    painted = int(view.get_attribute("data-frame") or 0) - before
    rate = 1000 * painted / (ended - began)
    yield Figure("workload: pictures while dragging", rate, unit="1/s", limit=12, at_least=True)


def growth(page: Page, devtools: CDPSession) -> Figure:
    """What 500 moves leave behind in the page's memory."""

    def used() -> float:
        devtools.send("HeapProfiler.collectGarbage")
        return devtools.send("Runtime.getHeapUsage")["usedSize"] / 1e6

    control = page.locator(".uticket-view").first.locator("[data-control=n_pe]")
    for _ in range(130):  # fills what is kept of neighbours
        control.press("ArrowRight")
    control.press("Home")
    page.wait_for_timeout(2000)
    before = used()
    for number in range(500):
        control.press("ArrowRight" if number // 60 % 2 == 0 else "ArrowLeft")
    page.wait_for_timeout(2000)
    return Figure("memory after 500 moves more", max(used() - before, 0.0), unit="MB", limit=2)
