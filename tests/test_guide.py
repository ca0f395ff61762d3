"""The lecturer's pages: their numbers are today's, their plans add up, what they show exists."""

import re
import subprocess
import sys

import pandas as pd
import pytest
import vl_convert

import uticket_lite as ut
from course.generate import SOURCES, title
from course.grading import points_by_part
from course.guide.figures import FIGURES
from course.guide.lab import best_designs
from course.guide.numbers import numbers
from course.guide.pages import PAGES, filled
from course.guide.trained import DRAWS, SEEDS, TABLE
from uticket_lite import reference
from uticket_lite.paper.published import paper_table

TEACHING, EXAM = (
    next(page for page in PAGES if page.stem == name).read_text(encoding="utf-8")
    for name in ("teaching", "exam")
)
CHAPTERS = re.split(r"^## (?=\d\d · )", TEACHING, flags=re.M)[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_hold_todays_numbers(page):
    assert page.read_text(encoding="utf-8") == filled(page.name), "run python -m course.guide"


def minutes(text):
    """The sum of each table of minutes."""
    tables = re.findall(r"\| min \|[^\n]*\n\|[-|]+\|\n((?:\| \d+ \|[^\n]*\n)+)", text)
    return [sum(map(int, re.findall(r"^\| (\d+) \|", table, re.M))) for table in tables]


def test_plans_take_as_long_as_they_say():
    assert minutes(TEACHING.partition("## 00 ·")[0]) == [90, 240]


def test_every_notebook_has_a_chapter_with_a_plan_of_its_own_length():
    assert len(CHAPTERS) == len(SOURCES)
    for source, chapter in zip(SOURCES, CHAPTERS, strict=True):
        assert chapter.startswith(source.stem[:2])
        (planned,) = minutes(chapter)
        assert f"**Time** {planned} minutes" in source.read_text(encoding="utf-8"), source.stem
        if not source.stem.endswith("lab"):
            for part in ("**Open with**", "**Expected answers.**", "**Short of time.**"):
                assert part in chapter
            assert re.search(
                r"^# \*\*An open question\.\*\*", source.read_text(encoding="utf-8"), re.M
            )
            assert "**Open question.**" in chapter
            assert chapter.count("\n| ", chapter.index("| misconception |")) >= 3


def test_links_name_notebooks_and_titles_that_exist():
    files = {f"{source.stem}.ipynb": title(source) for source in SOURCES}
    for words, file in re.findall(r"\[([^]]+)\]\(notebooks/([^)]+)\)", TEACHING + EXAM):
        assert file in files
        assert words in (file[:2], "the lab") or files[file].startswith(words)


def test_figures_are_named_and_every_named_figure_exists():
    named = set(re.findall(r"`(\d\d-[\w-]+)`", TEACHING))
    assert named <= set(FIGURES), named - set(FIGURES)
    for chapter in CHAPTERS[:11]:
        assert any(name.startswith(chapter[:2]) for name in named), chapter[:30]


@pytest.mark.parametrize("name", ["00-waiting", "00-by-hand", "03-membrane", "10-fig-4"])
def test_a_figure_is_a_picture(name):
    svg = FIGURES[name]()
    assert svg.startswith("<svg")
    assert vl_convert.svg_to_png(svg).startswith(b"\x89PNG")


def test_code_prints_what_it_says():
    examples = re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", TEACHING, re.S)
    assert examples
    for code, printed in examples:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout == printed


def test_the_rubric_has_the_labs_points():
    rows = re.findall(r"^\| (`?\w+`?.*?) \| (\d) \|", CHAPTERS[-1], re.M)
    points = points_by_part()
    by_tests = [int(n) for part, n in rows if part.startswith("`")]
    by_hand = [int(n) for part, n in rows if part.startswith("argument")]
    assert by_tests == [int(n) for part, n in points.items() if part != "argument"]
    assert sum(by_hand) == points["argument"]
    assert sum(points.values()) == 20


def test_twelve_questions_with_points_that_add_up_and_a_notebook_each():
    questions = re.split(r"^## ", EXAM, flags=re.M)[1:]
    assert len(questions) == 12
    total = 0
    for number, question in enumerate(questions, 1):
        worth = int(re.match(rf"{number} · .* \((\d)\)", question)[1])
        assert sum(map(int, re.findall(r"\((\d)\)", question))) == 2 * worth
        assert "](notebooks/" in question
        total += worth
    assert f"({total} in all)" in EXAM


def test_what_answers_say_of_single_cases():
    assert pytest.approx(reference.utilization([10, 6, 4, 4])) == 1 - 4 / 10 * 4 / 3
    assert -(-9 // 2) == 5
    row = paper_table().loc["resnet19", "fashion-mnist"]
    assert row["energy_cut", "uticket"] == 63.8
    assert (row["sparsity", "lth"], row["sparsity", "uticket"]) == (98.2, 99.0)
    like = paper_table().loc["resnet19", "cifar10"]
    assert (like["sparsity", "lth"], like["sparsity", "uticket"]) == (97.6, 98.4)


def test_the_labs_customer_has_something_to_weigh():
    """Training, gated clocks, the deadline and the area each change what is best."""
    of = best_designs()
    assert of["design"] != of["design_trained"], "training again"
    assert of["design_gated"] == of["design"], "gated clocks"
    assert of["design_tight"] == of["design_trained"], "the deadline"
    assert of["design_wide"].endswith("32 PEs"), "the area"
    assert 1 < float(of["paid"].split()[0]) < 1000, "billions of images, not none and not never"


def test_what_training_a_last_ticket_once_more_gives():
    table = pd.read_csv(TABLE)
    once = table[table["ticket"] == "once"]
    assert sorted(zip(once["seed"], once["draw"], strict=True)) == [
        (seed, draw) for seed in SEEDS for draw in DRAWS
    ]
    lowest, highest = (f"{100 * once['accuracy'].agg(end):.0f}" for end in ("min", "max"))
    (loop,) = (source for source in SOURCES if source.stem.startswith("05"))
    assert f"it ended at {lowest} to {highest} %" in loop.read_text(encoding="utf-8")
    assert float(numbers()["oneshot"]) / 100 + 0.25 < once["accuracy"].min(), "most is back"
    ends = ut.load_seeds("digits-uticket").query("round == 14").set_index("seed")["accuracy"]
    means = once.groupby("seed")["accuracy"].mean()
    assert (means < ends[means.index]).all(), "a little less than in the loop"
    assert (ends[means.index] - means).mean() < 0.05
    starts = table.query("seed == 0 and ticket == 'lth'").groupby("start")["accuracy"]
    assert starts.max()["new"] < starts.max()["first"] < starts.max()["early"]
