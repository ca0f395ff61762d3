"""The explorer in JupyterLab: each control changes the picture, and the figures are true."""

import re

import pytest

import uticket_lite as ut

NOTEBOOK = "00_start_here.ipynb"
PAINT_TIMEOUT_MS = 15_000


@pytest.fixture
def page(open_notebook):
    page = open_notebook(NOTEBOOK)
    explorer(page).wait_for(timeout=60_000)
    explorer(page).scroll_into_view_if_needed()
    page.wait_for_selector(".uticket-view canvas")
    return page


def explorer(page):
    return page.locator(".uticket-view").first


def figures(page):
    """What the explorer shows, label to text."""
    return explorer(page).evaluate(
        """view => Object.fromEntries([...view.querySelectorAll("dd")]
             .map(dd => [dd.dataset.figure, dd.textContent]))"""
    )


def picture(page):
    return explorer(page).locator("canvas").evaluate("canvas => canvas.toDataURL()")


def wait_for_new_frame(page, number):
    page.wait_for_function(
        "number => document.querySelector('.uticket-view').dataset.frame != number",
        arg=number,
        timeout=PAINT_TIMEOUT_MS,
    )


def frame_number(page):
    return explorer(page).get_attribute("data-frame")


def control(page, label):
    row = page.locator(".widget-inline-hbox", has=page.locator(f"label:text-is('{label}')"))
    return row.locator("select, [role=slider]")


def press(page, label, key, times=1):
    """Move a slider by keyboard, as someone without a mouse does."""
    handle = control(page, label)
    for _ in range(times):
        number = frame_number(page)
        handle.press(key)
        wait_for_new_frame(page, number)


def choose(page, label, option):
    number = frame_number(page)
    control(page, label).select_option(label=option)
    wait_for_new_frame(page, number)


def expected(ticket, accelerator, strategy="none"):
    report = ut.simulate(ticket, accelerator, strategy)
    return {
        "utilization": f"{report.utilization:.1%}",
        "latency (cycles)": f"{report.latency:,}",
        "idle (PE-cycles)": f"{report.idle:,}",
        "work (PE-cycles)": f"{report.work:,}",
        "energy (E_dyn)": f"{report.energy:,.0f}",
    }


def test_every_control_moves_the_picture_and_the_figures_are_simulates(page):
    last = ut.load_ticket("digits-lth", round=14)
    sixteen = ut.Accelerator(16)

    def check(changed, wanted):
        nonlocal before
        after = picture(page)
        assert after != before, f"{changed} painted nothing new"
        shown = figures(page)
        assert {key: shown[key] for key in wanted} == wanted, changed
        before = after

    before = ""
    check("start", expected(last, sixteen))

    press(page, "number of PEs", "ArrowLeft", times=3)
    check("number of PEs", expected(last, ut.Accelerator(13)))
    press(page, "number of PEs", "ArrowRight", times=3)
    before = picture(page)

    press(page, "pruning round", "ArrowLeft")
    check("pruning round", expected(ut.load_ticket("digits-lth", round=13), sixteen))
    press(page, "pruning round", "ArrowRight")
    before = picture(page)

    for name in ("uticket", "regrow-only", "sort"):
        choose(page, "strategy", ut.STRATEGIES[name].label)
        check(name, expected(last, sixteen, name))
    choose(page, "strategy", ut.STRATEGIES["none"].label)
    before = picture(page)

    choose(page, "mapping", ut.MAPPINGS["input-channel"])
    check("mapping", expected(last, ut.Accelerator(16, "input-channel")))
    choose(page, "mapping", ut.MAPPINGS["output-channel"])
    before = picture(page)

    choose(page, "layer", "conv3")
    row = ut.simulate(last, sixteen).layers.loc["conv3"]
    check("layer", {"conv3: utilization": f"{row['utilization']:.1%}"})

    press(page, "wave", "ArrowRight", times=2)
    check("wave", expected(last, sixteen))
    assert "wave 1 of 4" in explorer(page).locator(".uticket-summary").inner_text()

    choose(page, "ticket", "digits-uticket")
    check("ticket", expected(ut.load_ticket("digits-uticket", round=14), sixteen))


def test_combinations_that_make_no_sense_explain_themselves(page):
    choose(page, "mapping", ut.MAPPINGS["input-channel"])
    choose(page, "strategy", ut.STRATEGIES["sort"].label)
    message = explorer(page).locator(".uticket-message")
    assert message.is_visible()
    assert "no effect with mapping 'input-channel'" in message.inner_text()
    choose(page, "strategy", ut.STRATEGIES["none"].label)
    assert not message.is_visible()


def test_dragging_ends_on_the_right_value(page):
    handle = control(page, "number of PEs")
    for _ in range(5):  # JupyterLab may still scroll to the last cell: take hold again
        page.wait_for_timeout(500)
        handle.hover()
        box = handle.bounding_box()
        page.mouse.down()
        for step in range(60):
            page.mouse.move(box["x"] + 4 * (step % 30), box["y"] + box["height"] / 2)
        page.mouse.up()
        page.wait_for_timeout(1500)
        n = int(handle.get_attribute("aria-valuenow").split(".")[0])
        if n != 16:
            break
    assert n != 16
    wanted = expected(ut.load_ticket("digits-lth", round=14), ut.Accelerator(n))
    assert {key: figures(page)[key] for key in wanted} == wanted


def test_vega_comes_once_per_page_and_is_not_in_the_notebook(page):
    sizes = page.evaluate(
        """() => {
            const views = document.querySelectorAll(".uticket-view").length;
            const panel = jupyterapp.shell.currentWidget;
            return [views, JSON.stringify(panel.content.model.toJSON()).length];
        }"""
    )
    assert sizes[0] == 2, "the explorer and the chart of the rounds"
    assert sizes[1] < 1_000_000


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_ink_follows_the_theme(open_notebook, theme):
    page = open_notebook(NOTEBOOK, theme=theme)
    page.wait_for_selector(".uticket-view canvas", timeout=60_000)
    colour = explorer(page).evaluate("view => getComputedStyle(view).color")
    brightness = sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3
    assert (brightness > 128) == theme.endswith("Dark")
