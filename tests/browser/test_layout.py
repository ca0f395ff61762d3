"""Pictures have room: nothing is cut off or written over, at any width, in any state."""

import itertools

import pytest

import uticket_lite as ut
from uticket_lite import explore

NETWORKS = sorted({run.rsplit("-", 1)[0] for run in ut.recorded_tickets()})
STATES = {
    "workload": {"n_pe": [2, 16, 64], "versus": ["", "uticket-magnitude"]},
    "timeline": {"n_pe": [8, 64]},
    "rounds": {"network": NETWORKS, "x": ["round", "sparsity"]},
    "strategies": {"n_pe": [16], "mapping": ["output-channel", "input-channel"]},
    "sweep": {"figure": ["utilization", "latency"], "n_pe": [2, 64], "round": [0, 7]},
    "energy": {"round": [0, 5, 14], "n_pe": [16, 64]},
    "spikes": {"n_pe": [3, 64], "barrier": ["layer", "position"]},
}
WIDTHS = (360, 600, 900, 1280, 1600)  # a phone, a notebook at 900 px with a sidebar, and others

MEASURE = """async svg => {
  const place = document.createElement("div");
  place.innerHTML = svg;
  document.body.append(place);
  const whole = place.querySelector("svg").getBoundingClientRect();
  const words = [...place.querySelectorAll("text")].filter(t => t.textContent.trim() &&
      getComputedStyle(t).opacity > 0 && t.getAttribute("opacity") !== "0").map(t => {
    const box = t.getBoundingClientRect();
    return [t.textContent, box.left - whole.left, box.top - whole.top,
      box.right - whole.left, box.bottom - whole.top];
  });
  place.remove();
  return {words, width: whole.width, height: whole.height};
}"""


def overlaps(words):
    """Pairs of words of which one is written over the other, by more than a pixel."""
    for (a, *first), (b, *second) in itertools.combinations(words, 2):
        across = min(first[2], second[2]) - max(first[0], second[0])
        down = min(first[3], second[3]) - max(first[1], second[1])
        # Boxes of lines are higher than letters: lines of text may touch.
        if across > 1 and down > 4:
            yield a, b


def check(page, svg, about):
    """All words of a picture can be read."""
    measured = page.evaluate(MEASURE, svg)
    assert len(measured["words"]) > 5
    assert not list(overlaps(measured["words"])), about
    for text, left, top, right, bottom in measured["words"]:
        assert "…" not in text, (about, text)
        inside = left > -2 and top > -2
        inside &= right < measured["width"] + 2 and bottom < measured["height"] + 2
        assert inside, (about, text)


def drawn(page):
    """The picture on the page, as it is there."""
    with page.expect_download() as download:
        page.locator("button:text-is('SVG')").click()
    return download.value.path().read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", STATES)
def test_no_words_are_written_over_others(open_file, tmp_path, kind):
    explorer = explore.EXPLORERS[kind]()
    explorer.export(tmp_path / "page.html", list(STATES[kind])[-1:])
    page = open_file(tmp_path / "page.html")
    start = explorer.state
    for values in itertools.product(*STATES[kind].values()):
        explorer.state = start
        explorer.state = explorer.nearest(**dict(zip(STATES[kind], values, strict=True)))
        check(page, explorer.svg(), (kind, values))


@pytest.mark.parametrize("kind", STATES)
def test_titles_of_plots_side_by_side_stand_on_one_line(open_file, tmp_path, kind):
    explorer = explore.EXPLORERS[kind]()
    plots = explorer.spec.get("hconcat", [])
    titles = {plot["title"]["text"] for plot in plots if "title" in plot}
    assert titles or kind in ("timeline", "rounds")
    explorer.export(tmp_path / "page.html", list(STATES[kind])[-1:])
    page = open_file(tmp_path / "page.html")
    words = page.evaluate(MEASURE, explorer.svg())["words"]
    tops = [top for text, _, top, _, _ in words if text in titles]
    assert len(tops) == len(titles)
    assert max(tops, default=0) - min(tops, default=0) <= 1


@pytest.mark.parametrize("kind", STATES)
def test_pictures_fill_the_room_they_have_and_nothing_is_cut_off(open_file, tmp_path, kind):
    """From a phone to a wide screen, and in a state that needs much room; nothing scrolls
    sideways, and controls can be moved."""
    explorer = explore.EXPLORERS[kind]()
    crowded = {name: values[-1] for name, values in STATES[kind].items()}
    for state in (explorer.state, explorer.nearest(**crowded)):
        explorer.state = state
        explorer.export(tmp_path / "page.html", list(STATES[kind])[-1:])
        page = open_file(tmp_path / "page.html")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(1000)
            wide, room, whole, window = page.evaluate(
                """() => {
                    const chart = document.querySelector(".uticket-chart");
                    const page = document.documentElement;
                    return [chart.scrollWidth, chart.clientWidth, page.scrollWidth, innerWidth];
                }"""
            )
            assert wide <= room, (kind, width)
            assert whole <= window, (kind, width)
            picture = page.locator("canvas").bounding_box()["width"]
            assert picture > 0.85 * min(room, 1000), (kind, width)
            check(page, drawn(page), (kind, width))
            for slider in page.locator("input[type=range]").all():
                assert slider.bounding_box()["width"] >= 80, (kind, width)


def test_words_have_room_after_another_network_is_chosen(open_file, tmp_path):
    """The chart stays and gets new data: names and axes must fit that, too."""
    explore.rounds().export(tmp_path / "page.html", ["network", "x"])
    page = open_file(tmp_path / "page.html")
    page.set_viewport_size({"width": 1280, "height": 800})
    menu = page.locator("[data-control=network]")
    for name in menu.locator("option").all_text_contents() * 2:
        menu.select_option(label=name)
        page.wait_for_function(
            """name => JSON.parse(document.querySelector(".uticket-view").dataset.state)
                 .network === name""",
            arg=name,
        )
        check(page, drawn(page), name)


@pytest.mark.parametrize("kind", STATES)
def test_in_low_windows_plots_are_lower_and_words_still_have_room(open_file, tmp_path, kind):
    explorer = explore.EXPLORERS[kind]()
    explorer.state = explorer.nearest(**{name: of[-1] for name, of in STATES[kind].items()})
    explorer.export(tmp_path / "page.html", list(STATES[kind])[-1:])
    page = open_file(tmp_path / "page.html")
    heights = []
    for height in (1000, 880, 720, 560, 1000):
        page.set_viewport_size({"width": 900, "height": height})
        page.wait_for_timeout(1000)
        heights.append(page.locator("canvas").bounding_box()["height"])
        check(page, drawn(page), (kind, height))
    assert heights[0] == heights[1] == heights[-1]
    lower = heights[0] - heights[2], heights[2] - heights[3]
    if kind == "sweep":  # whose rows are as high as their words
        assert lower == (0, 0)
    else:
        assert min(lower) > 10


def test_charts_are_side_by_side_where_there_is_room(open_file, tmp_path):
    for kind in ("workload", "rounds", "strategies", "sweep", "energy"):
        explorer = explore.EXPLORERS[kind]("digits-lth")
        explorer.export(tmp_path / "page.html", round=[13, 14])
        page = open_file(tmp_path / "page.html")
        heights = {}
        for width in (1280, 560, 900, 1600):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(1500)
            heights[width] = page.locator("canvas").bounding_box()["height"]
        assert heights[560] > 1.5 * heights[1600] == 1.5 * heights[1280]


def test_charts_that_are_hidden_while_the_theme_changes_stack_afterwards(open_file, tmp_path):
    """As JupyterLab hides them; several pictures are asked for before the first is drawn."""
    explorer = explore.workload("digits-lth")
    explorer.export(tmp_path / "page.html", round=[13, 14])
    page = open_file(tmp_path / "page.html")

    def height(width):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(1500)
        return page.locator("canvas").bounding_box()["height"]

    wide = height(1280)
    assert height(560) > 1.5 * wide
    for light in ("false", "true", "false"):
        page.evaluate("document.querySelector('.uticket-view').style.display = 'none'")
        page.evaluate("light => (document.body.dataset.jpThemeLight = light)", light)
        page.wait_for_timeout(300)
    page.evaluate("document.querySelector('.uticket-view').style.display = ''")
    assert height(560) > 1.5 * wide
    assert height(1280) == wide
    assert height(560) > 1.5 * wide
