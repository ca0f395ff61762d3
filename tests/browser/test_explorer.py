"""Explorers in JupyterLab: each control changes the picture, and the figures are true."""

import itertools
import json
import re

import nbformat
import pytest

import uticket_lite as ut
from benchmarks import lab
from course.generate import SOURCES, notebook
from uticket_lite import explore

START = "00_start_here.ipynb"
PAINT_TIMEOUT_MS = 20_000
WORKLOAD = "from uticket_lite import explore\nworkload = explore.workload()\nworkload"


class Shown:
    """An explorer on the page."""

    def __init__(self, page, which=0):
        self.page = page
        self.view = page.locator(".uticket-view").nth(which)
        page.wait_for_function(
            "which => document.querySelectorAll('.uticket-view')[which]?.dataset.frame",
            arg=which,
            timeout=60_000,
        )
        self.view.scroll_into_view_if_needed()

    def control(self, name):
        return self.view.locator(f"[data-control={name}]")

    @property
    def state(self):
        return json.loads(self.view.get_attribute("data-state"))

    @property
    def link(self):
        return self.view.locator(".uticket-tools input").input_value()

    @property
    def summary(self):
        return self.view.locator(".uticket-summary").text_content()

    @property
    def figures(self):
        """Label to text."""
        return self.view.evaluate(
            """view => Object.fromEntries([...view.querySelectorAll("dd")]
                 .map(dd => [dd.dataset.figure, dd.textContent]))"""
        )

    @property
    def message(self):
        message = self.view.locator(".uticket-message")
        return message.inner_text() if message.is_visible() else ""

    @property
    def picture(self):
        return self.view.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")

    def wait_for(self, **state):
        """Until it shows these."""
        self.page.wait_for_function(
            """([view, state]) => {
                const shown = JSON.parse(view.dataset.state ?? "{}");
                return Object.entries(state).every(([name, value]) => shown[name] === value);
            }""",
            arg=[self.view.element_handle(), state],
            timeout=PAINT_TIMEOUT_MS,
        )

    def press(self, name, key, times=1):
        """Move a slider by keyboard, as someone without a mouse does."""
        for _ in range(times):
            number = self.view.get_attribute("data-frame")
            self.control(name).press(key)
            self.page.wait_for_function(
                "([view, number]) => view.dataset.frame !== number",
                arg=[self.view.element_handle(), number],
                timeout=PAINT_TIMEOUT_MS,
            )

    def choose_without_waiting(self, name, option):
        self.control(name).select_option(label=option)

    def choose(self, name, option, value):
        self.control(name).select_option(label=option)
        self.wait_for(**{name: value})


@pytest.fixture
def workload(open_cells):
    return Shown(open_cells(WORKLOAD))


def expected(ticket, accelerator, strategy="none"):
    report = ut.simulate(ticket, accelerator, strategy)
    return {
        "utilization": f"{report.utilization:.1%}",
        "latency (cycles)": f"{report.latency:,}",
        "waiting (PE-cycles)": f"{report.idle:,}",
        "work (PE-cycles)": f"{report.work:,}",
        "energy (E_dyn)": f"{report.energy:,.0f}",
    }


@pytest.fixture(scope="module")
def here():
    """The same explorers in this process, by kind."""
    return {kind: make() for kind, make in explore.EXPLORERS.items()}


def test_every_control_of_every_explorer_moves_the_picture_by_keyboard(open_cells, here):
    """Figures and words are those that the same state has without a browser."""
    makers = "\n".join(f"display(explore.{kind}())" for kind in here)
    page = open_cells(f"from uticket_lite import explore\n{makers}")
    for which, (kind, explorer) in enumerate(here.items()):
        shown = Shown(page, which)
        for name in explorer.frame["state"].__dict__:
            (control,) = (c for c in explorer.frame["controls"] if c["name"] == name)
            known = [value for _, value in control["options"]]
            assert shown.control(name).is_disabled() == (len(known) == 1)
            if len(known) == 1:
                continue
            before = shown.picture, shown.figures, shown.summary
            at = known.index(shown.state[name])
            if control["kind"] == "slider":
                wanted = known[at - 1] if at else known[1]
                shown.control(name).press("ArrowLeft" if at else "ArrowRight")
            else:
                wanted = known[at + 1] if at + 1 < len(known) else known[at - 1]
                shown.control(name).press("ArrowDown" if at + 1 < len(known) else "ArrowUp")
            shown.wait_for(**{name: wanted})
            explorer.link = shown.link
            assert getattr(explorer.state, name) == wanted
            assert shown.figures == dict(explorer.frame["figures"]), (kind, name)
            assert shown.summary == explorer.frame["summary"], (kind, name)
            after = shown.picture, shown.figures, shown.summary
            assert after != before, (kind, name)
            label = shown.view.locator(f"label:text-is('{control['label']}')")
            assert label.get_attribute("for") == shown.control(name).get_attribute("id")


def test_figures_are_simulates(workload):
    last, sixteen = ut.load_ticket("digits-lth", round=14), ut.Accelerator(16)

    def check(wanted):
        assert {key: workload.figures[key] for key in wanted} == wanted

    workload.choose("run", "digits-lth", "digits-lth")
    check(expected(last, sixteen))
    before = workload.picture
    workload.press("n_pe", "ArrowLeft", times=3)
    assert workload.picture != before
    check(expected(last, ut.Accelerator(13)))
    workload.press("n_pe", "ArrowRight", times=3)
    workload.press("round", "ArrowLeft")
    check(expected(ut.load_ticket("digits-lth", round=13), sixteen))
    workload.press("round", "End")
    for name in ("uticket", "regrow-only", "sort"):
        before = workload.picture
        workload.choose("strategy", ut.STRATEGIES[name].label, name)
        assert workload.picture != before
        check(expected(last, sixteen, name))
    workload.choose("versus", ut.STRATEGIES["none"].label, "none")
    both = f" vs {expected(last, sixteen)['utilization']}"
    assert workload.figures["utilization"].endswith(both)


def test_combinations_that_make_no_sense_explain_themselves(workload):
    workload.choose("mapping", ut.MAPPINGS["input-channel"], "input-channel")
    assert not workload.message
    workload.choose("strategy", ut.STRATEGIES["sort"].label, "sort")
    assert "no effect with mapping 'input-channel'" in workload.message


def test_dragging_ends_on_the_right_value(workload):
    workload.choose("run", "digits-lth", "digits-lth")
    slider, page = workload.control("n_pe"), workload.page
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y, frames = box["y"] + box["height"] / 2, int(workload.view.get_attribute("data-frame"))
    page.mouse.move(box["x"] + box["width"] * 0.24, y)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(box["x"] + box["width"] * (0.2 + 0.6 * step / 59), y)
        page.wait_for_timeout(10)
    page.mouse.up()
    n = int(slider.evaluate("input => input.nextElementSibling.textContent"))
    assert n > 40
    workload.wait_for(n_pe=n)
    assert int(workload.view.get_attribute("data-frame")) > frames + 5, "it moved on the way"
    wanted = expected(ut.load_ticket("digits-lth", round=14), ut.Accelerator(n))
    assert {key: workload.figures[key] for key in wanted} == wanted


def test_dragging_while_a_parallel_kernel_runs_harms_nobody(open_cells):
    """Messages of widgets arrive on other threads than the cell's."""
    busy = """import torch
from uticket_lite.training import FusedLeaky
x, neurons, done = torch.randn(4, 32, 64, 16, 16), FusedLeaky(), 0
import time
end = time.time() + 4
while time.time() < end:
    neurons(x)
    done += 1
print("done", done)"""
    page = open_cells(WORKLOAD, "import torch", name="busy.ipynb")
    shown = Shown(page)
    lab_cell = page.locator(".jp-CodeCell").nth(1)
    lab_cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(busy)
    page.keyboard.press("Control+Enter")
    for _ in range(40):
        shown.control("n_pe").press("ArrowRight")
        page.wait_for_timeout(60)
    shown.wait_for(n_pe=56)
    lab_cell.locator("text=done").last.wait_for(timeout=60_000)
    assert not page.locator("text=Kernel Restarting").count()


def test_state_is_set_from_code_and_by_link(open_cells):
    page = open_cells(WORKLOAD, "workload.link = 'workload?run=digits-lth&n_pe=5'")
    shown = Shown(page)
    shown.wait_for(n_pe=5, run="digits-lth")
    link = shown.view.locator(".uticket-tools input")
    link.fill("workload?n_pe=7&strategy=sort")
    link.press("Enter")
    shown.wait_for(n_pe=7, strategy="sort")
    link.fill("workload?n_pe=700")
    link.press("Enter")
    page.wait_for_function(
        "view => view.querySelector('.uticket-message').textContent.includes('nearest: 64')",
        arg=shown.view.element_handle(),
    )
    assert shown.state["n_pe"] == 7


def test_a_click_on_a_round_opens_it_in_the_workload_explorer(open_cells):
    page = open_cells(WORKLOAD, "explore.rounds(['digits-lth', 'digits-uticket'], opens=workload)")
    workload, rounds = Shown(page, 0), Shown(page, 1)
    assert rounds.state["round"] == workload.state["round"] == 14
    # Near the first panel's upper left corner lie rounds 0 and 1 of both runs.
    for x, y in itertools.product(range(40, 76, 4), range(4, 24, 4)):
        rounds.view.locator("canvas").click(position={"x": x, "y": y})
    page.wait_for_timeout(500)
    assert rounds.state["round"] < 2
    workload.wait_for(round=rounds.state["round"], run=rounds.state["run"])


def test_pictures_and_data_are_downloaded(workload, tmp_path):
    for name, start in (
        ("SVG", b"<svg"),
        ("PNG", b"\x89PNG"),
        ("CSV", b"table,pe,waves,wave,kind"),
    ):
        with workload.page.expect_download() as download:
            workload.view.locator(f"button:text-is('{name}')").click()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        assert file.name == f"workload.{name.lower()}"
        assert file.read_bytes().startswith(start)
    bars = [line for line in file.read_text().splitlines() if line.startswith("bars,")]
    assert len(bars) == 2 * 4 * 16, "work and waiting, of each wave and PE"


def test_an_error_is_shown_and_the_next_move_works(open_cells):
    page = open_cells(
        WORKLOAD,
        """make = workload._make
def fail(state, source):
    if state.n_pe == 17:
        raise RuntimeError("a planted error")
    return make(state, source)
workload._make = fail""",
    )
    shown = Shown(page)
    shown.control("n_pe").press("ArrowRight")
    page.wait_for_function(
        "view => view.querySelector('.uticket-message').textContent.includes('planted')",
        arg=shown.view.element_handle(),
    )
    assert shown.control("n_pe").input_value() == "15", "the control is back at what is shown"
    shown.control("n_pe").press("ArrowLeft")
    shown.wait_for(n_pe=15)
    assert not shown.message


COLOURS = """picture => {
  const canvas = document.createElement("canvas");
  const width = canvas.width = picture.naturalWidth ?? picture.width;
  const height = canvas.height = picture.naturalHeight ?? picture.height;
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  let inks = 0;
  for (let i = 0; i < data.length; i += 4) {
    const near = (at) => Math.abs(data[at] - 0x7a) < 8;
    inks += data[i + 3] > 200 && near(i) && near(i + 1) && near(i + 2);
  }
  return [data[3], inks > 100];
}"""
"""How opaque a picture's corner is, and whether there is ink that is seen in both themes."""


def test_a_notebook_without_its_kernel_shows_what_was_seen_last(open_cells, open_notebook):
    page = open_cells(WORKLOAD, name="kept.ipynb")
    shown = Shown(page)
    shown.press("n_pe", "ArrowLeft")
    page.wait_for_timeout(2500)  # until the picture is kept
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("jupyterapp.commands.execute('kernelmenu:shutdown')")
    page.wait_for_timeout(1500)
    again = open_notebook("kept.ipynb", run=False)
    view = again.locator(".uticket-view").first
    view.locator("img").wait_for(timeout=60_000)
    assert view.locator("[data-control=n_pe]").input_value() == "14"
    assert view.locator(".uticket-summary").inner_text() == shown.summary
    assert view.locator("[data-control=n_pe]").is_disabled()
    again.wait_for_selector("text=Run All Above Selected Cell", timeout=30_000)
    assert not again.locator("text=model not found").count()
    assert view.locator("img").evaluate("img => img.naturalWidth > 300")
    paper, inks = view.locator("img").evaluate(COLOURS)
    assert paper == 0, "it stands on the paper of any theme: no white box in a dark one"
    assert inks, "words and axes, as dark as they are light"
    assert shown.view.locator("canvas").evaluate(COLOURS)[0] == 255, (
        "the picture moved is as it was"
    )


def test_the_notebook_stays_small_and_vega_comes_once(open_cells):
    cells = [WORKLOAD, *(f"explore.{kind}()" for kind in explore.EXPLORERS)]
    page = open_cells(*cells, name="small.ipynb")
    for which in range(len(cells)):
        Shown(page, which)
    lab.run_all(page)  # again: what the first run made is closed
    page.wait_for_timeout(6000)
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1500)
    models, size = page.evaluate(
        """() => {
            const content = jupyterapp.shell.currentWidget.content.model.toJSON();
            const state = content.metadata.widgets["application/vnd.jupyter.widget-state+json"];
            const models = Object.values(state.state).filter(m => m.model_name === "AnyModel");
            return [models.length, JSON.stringify(content).length];
        }"""
    )
    assert models == len(cells)
    assert size < 1_000_000


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_ink_follows_the_theme(open_cells, theme):
    shown = Shown(open_cells(WORKLOAD, theme=theme))
    colour = shown.view.evaluate("view => getComputedStyle(view).color")
    brightness = sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3
    assert (brightness > 128) == theme.endswith("Dark")


def test_everything_is_reached_by_tab(workload):
    page = workload.page
    first = workload.control("run")
    first.focus()
    names = []
    for _ in range(12):
        names.append(
            page.evaluate(
                """() => document.activeElement.dataset.control
                     ?? document.activeElement.textContent
                     ?? document.activeElement.getAttribute("aria-label")"""
            )
        )
        page.keyboard.press("Tab")
    state = list(workload.state)
    assert sorted(names[: len(state)]) == sorted(state)
    assert names[len(state) : len(state) + 3] == ["SVG", "PNG", "CSV"]


def test_the_start_notebook_shows_its_explorer(open_notebook):
    page = open_notebook(START)
    assert Shown(page).summary.startswith("digits-lth, round 14 of seed 0, 16 PEs")


READY = """import uticket_lite as ut
from uticket_lite import explore
pruned = ticket = ut.load_ticket("digits-lth", round=14)
rounds = [("digits-lth", r) for r in (2, 6, 10, 14)]
names = ["none", "shuffle", "sort", "pair", "lpt", "queue", "fifo-d"]
table = ut.sweep(rounds, [2, 4, 8, 16, 32, 64], strategies=names, progress=False)"""
"""What explorers of the course need that its notebooks make before."""


def test_what_to_try_is_seen_together_with_the_picture(open_notebook, lab_home):
    """In a window of 1280 × 720, beside JupyterLab's files: for every explorer of the course, from
    the list or the paragraph before it to the end of its picture."""
    cells = [nbformat.v4.new_code_cell(READY)]
    for source in SOURCES:
        for before, cell in itertools.pairwise(notebook(source).cells):
            asked = re.search(r"^(\w+ = )?explore\.", cell.source, re.M)
            asked = asked and cell.cell_type == "code" and "print" not in cell.source
            if asked and before.cell_type == "markdown":
                cells += [
                    nbformat.v4.new_markdown_cell(before.source),
                    nbformat.v4.new_code_cell(cell.source),
                ]
    assert len(cells) > 2 * len(explore.EXPLORERS)
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, lab_home / "notebooks" / "try.ipynb")
    page = open_notebook("try.ipynb")
    room = page.locator(".jp-WindowedPanel-outer").first.bounding_box()["height"]
    for which in range(len(cells) // 2):
        shown = Shown(page, which)
        page.wait_for_timeout(1000)
        words, top = shown.view.evaluate(
            """view => {
                const before = view.closest(".jp-Cell").previousElementSibling;
                const blocks = [...before.querySelectorAll("ol, p")];
                const last = blocks.filter(e => !e.closest("li")).pop();
                return [last.textContent, last.getBoundingClientRect().top];
            }"""
        )
        canvas = shown.view.locator("canvas").bounding_box()
        assert canvas["y"] + canvas["height"] - top <= room, words


SLOW = """import time
make, made = workload._make, []
def slowly(state, source):
    made.append(state.n_pe)
    time.sleep(0.6)
    return make(state, source)
workload._make = slowly"""


def run_cell(page, code):
    """Type code into the last cell, run it and return what it prints."""
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
    output = cell.locator(".jp-OutputArea-output")
    output.wait_for(timeout=PAINT_TIMEOUT_MS)
    return output.inner_text().strip()


def test_slow_moves_say_so_and_overtaken_ones_are_dropped(open_cells):
    page = open_cells(WORKLOAD, SLOW, "pass", name="slow.ipynb")
    shown = Shown(page)
    slider = shown.control("n_pe")
    for _ in range(12):
        slider.press("ArrowRight")
    page.wait_for_selector(".uticket-busy", timeout=PAINT_TIMEOUT_MS)
    shown.wait_for(n_pe=28)
    page.wait_for_selector(".uticket-busy", state="detached", timeout=PAINT_TIMEOUT_MS)
    assert int(run_cell(page, "print(len(made))")) < 8


def test_a_move_taken_back_while_it_is_computed_stays_taken_back(open_cells):
    page = open_cells(WORKLOAD, SLOW, "pass", name="slow.ipynb")
    shown = Shown(page)
    slider = shown.control("n_pe")
    slider.press("ArrowRight")
    slider.press("ArrowLeft")
    page.wait_for_timeout(3000)
    assert shown.state["n_pe"] == 16
    assert slider.input_value() == "15"
    assert run_cell(page, "print(workload.state.n_pe)") == "16"


def test_two_views_of_one_explorer_stay_together(open_cells):
    page = open_cells(WORKLOAD, "workload", name="two.ipynb")
    first, second = Shown(page, 0), Shown(page, 1)
    first.press("n_pe", "ArrowRight")
    second.wait_for(n_pe=17)
    second.control("n_pe").press("ArrowRight")
    first.wait_for(n_pe=18)
    ids = page.evaluate("[...document.querySelectorAll('[data-control]')].map(c => c.id)")
    assert len(set(ids)) == len(ids)


def test_after_a_restart_controls_and_figures_agree_and_what_the_words_say_helps(open_cells):
    page = open_cells("from uticket_lite import explore", "explore.workload()", name="again.ipynb")
    shown = Shown(page)
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_timeout(3000)
    shown.control("n_pe").press("End")
    shown.choose_without_waiting("strategy", ut.STRATEGIES["sort"].label)
    page.wait_for_selector("text=Run All Above Selected Cell", timeout=30_000)
    assert shown.control("n_pe").input_value() == "15", "controls are back at what is shown"
    assert shown.control("strategy").input_value() == ut.STRATEGIES["none"].label
    assert shown.state["n_pe"] == 16
    page.locator(".jp-CodeCell").last.locator(".cm-content").click()  # as the words say
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-above')")
    page.wait_for_timeout(1000)
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(1000)
    again = Shown(page)
    again.press("n_pe", "ArrowRight")
    assert again.state["n_pe"] == 17
