"""Predictions: asked empty, kept, shown beside the truth, summed up for a class."""

import json
import re

import ipywidgets as widgets
import pytest

from uticket_lite import cli
from uticket_lite.strategies import STRATEGIES
from uticket_lite.teach import check, keeping, look_back, predict, predictions, reveal
from uticket_lite.teach.asking import compared, idea_behind
from uticket_lite.teach.questions import Question


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(keeping.AUTO, raising=False)


def all_of(kind, box):
    inside = [child for part in getattr(box, "children", ()) for child in all_of(kind, part)]
    return [box, *inside] if isinstance(box, kind) else inside


def press(box, name):
    next(b for b in all_of(widgets.Button, box) if b.description == name).click()


def said(box):
    return box.children[-1].value


def answer(box, value, reason=""):
    field = box.children[1]
    if isinstance(field, widgets.RadioButtons):
        field.value = value
    elif all_of(widgets.IntSlider, field):
        for slider, load in zip(all_of(widgets.IntSlider, field), value, strict=True):
            slider.value = load
    else:
        all_of(widgets.Text, field)[0].value = value
    all_of(widgets.Textarea, box)[0].value = reason
    press(box, "Keep my guess")


def test_a_question_is_empty_until_somebody_answers():
    number, choice = predict("a", "How many?"), predict("b", "Which?", choices=("x", "y"))
    assert all_of(widgets.Text, number)[0].value == ""
    assert all_of(widgets.RadioButtons, choice)[0].value is None
    for box in (number, choice):
        press(box, "Keep my guess")
        assert "Type one number" in said(box) or "Choose one" in said(box)
    assert predictions().empty


@pytest.mark.parametrize("given", ["", "-5", "1e9", "about 100", "None", "nan", "inf", "1 2"])
def test_what_is_no_answer_is_asked_again_and_not_kept(given):
    box = predict("a", "How many?")
    answer(box, given)
    assert "Type" in said(box)
    assert predictions().empty
    assert "First your guess" in reveal("a", 80).value


def test_the_truth_waits_for_the_guess_and_then_shows_both():
    box = predict("faster", "How many times faster?", unit="×")
    shown = reveal("faster", 80.0, leads_to={170: "work is not latency"})
    assert "First your guess" in shown.value
    assert "80" not in shown.value
    answer(box, "165 ×", "as much as the work")
    assert "165 ×" in shown.value
    assert "80 ×" in shown.value
    assert "work is not latency" in shown.value
    (row,) = predictions().to_dict("records")
    assert (row["guess"], row["truth"], row["reason"]) == (165, 80, "as much as the work")


def test_after_the_truth_the_first_guess_stays():
    box = predict("a", "How many?")
    answer(box, "3")
    reveal("a", 5)
    answer(box, "5")
    assert "first guess stays" in said(box)
    assert predictions()["guess"].tolist() == [3]
    again = predict("a", "How many?")
    assert "Kept: 3" in said(again)


def test_skipping_shows_the_truth_without_a_guess():
    box = predict("a", "How many?")
    press(box, "Skip")
    assert "Your guess: skipped. It is 5." in reveal("a", 5).value


def test_choices_and_drawn_loads():
    choice = predict("b", "Which?", choices=("larger", "smaller"))
    answer(choice, "larger")
    assert "smaller ✓" in reveal("b", "smaller").value
    assert "an idea" in reveal("b", "smaller", {"larger": "an idea"}).value
    drawn = predict("c", "Draw the loads", pes=4, high=12)
    answer(drawn, [0, 0, 0, 0])
    assert "at least one load" in said(drawn)
    answer(drawn, [3, 3, 3, 3])
    ideas = {"flatter": "too even", "more uneven": "too uneven"}
    shown = reveal("c", [10, 6, 4, 4], ideas).value
    assert "10, 6, 4, 4" in shown
    assert "too even" in shown
    assert idea_behind([10, 0, 0, 0], [10.0, 6.0, 4.0, 4.0], ideas) == "too uneven"
    assert idea_behind([9, 7, 4, 4], [10.0, 6.0, 4.0, 4.0], ideas) == ""


def test_ideas_are_named_only_for_guesses_near_them_and_farther_from_the_truth():
    ideas = {170: "work", 1: "nothing"}
    assert idea_behind(160.0, 80.0, ideas) == "work"
    assert idea_behind(81.0, 80.0, ideas) == ""
    assert idea_behind(120.0, 80.0, ideas) == ""
    assert idea_behind(None, 80.0, ideas) == ""
    sides = {170: "work", "below": "too low", "above": "too high"}
    assert idea_behind(160.0, 80.0, sides) == "work"
    assert idea_behind(40.0, 80.0, sides) == "too low"
    assert idea_behind(120.0, 80.0, sides) == "too high"
    assert idea_behind(75.0, 80.0, sides) == "", "near enough"


def test_an_answer_in_code_is_kept_like_one_with_the_mouse():
    assert "First your guess" in (shown := reveal("a", 5)).value
    form = predict("a", "How many?", guess=3, reason="because")
    assert "Your guess: 3. It is 5." in shown.value
    assert predictions()[["guess", "reason"]].to_numpy().tolist() == [[3, "because"]]
    assert "Kept: 3" in said(form)
    predict("a", "How many?", guess=4)
    assert predictions()["guess"].tolist() == [3], "after the truth"
    predict("b", "Which?", choices=("x", "y"), guess="skip")
    assert "skipped" in reveal("b", "y").value
    predict("c", "Draw the loads", pes=2, high=9, guess=[1, 2])
    assert predictions()["guess"].tolist()[-1] == [1, 2]
    with pytest.raises(ValueError, match="Choose one of the answers"):
        predict("d", "Which?", choices=("x", "y"), guess="z")
    assert "guess=" in predict.__doc__


def test_questions_and_answers_are_read_where_no_widgets_are_shown():
    asked = predict("a", "How `many`?")._repr_mimebundle_()["text/html"]
    assert "How <code>many</code>?" in asked
    assert "guess=…" in asked
    assert "Kept: 3" in predict("a", "How many?", guess=3)._repr_mimebundle_()["text/html"]
    assert "It is 5" in reveal("a", 5)._repr_mimebundle_()["text/html"]
    assert "<td>3</td>" in look_back("a")._repr_mimebundle_()["text/html"]


def test_an_axis_of_nothing_but_zero_has_ticks_that_can_be_read():
    assert not re.search(r"\de-\d", compared(Question("a", "?"), 0.0, 0.0))


def test_guess_and_truth_are_drawn_on_one_axis():
    drawn = compared(Question("a", "?", unit="×"), 170.0, 80.0)
    assert drawn.count("<svg") == 1
    assert "your guess: 170 ×" in drawn
    assert "it is 80 ×" in drawn
    assert 'aria-label="Your guess: 170 ×. It is 80 ×."' in drawn


def test_where_questions_answer_themselves_nothing_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv(keeping.AUTO, "auto")
    for name, options in (("a", {}), ("b", {"choices": ("x", "y")}), ("c", {"pes": 3})):
        press(predict(name, "?", **options), "Skip")
    assert "It is 5" in reveal("a", 5).value
    assert "The answer: y." in reveal("b", "y").value
    assert "It is 1, 2, 3" in reveal("c", [1, 2, 3]).value
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_left_alone_and_said(tmp_path):
    (tmp_path / keeping.FILE).write_text("{")
    box = predict("a", "How many?")
    answer(box, "3")
    assert "Not kept" in said(box)
    assert "move it away" in said(box)
    assert (tmp_path / keeping.FILE).read_text() == "{"


def test_looking_back_shows_guess_reason_and_truth():
    answer(predict("a", "How <many>?"), "3", "because")
    reveal("a", 5)
    table = look_back("a").value
    for part in ("How &lt;many&gt;?", "<td>3</td>", "<td>5</td>", "because"):
        assert part in table
    assert "No predictions" in look_back("other").value


def test_a_class_is_summed_up_in_a_picture_per_question(tmp_path, capsys):
    files = []
    for learner, (number, chosen) in enumerate([("170", "x"), ("60", "y"), ("100", "x")]):
        answer(predict("a", "How many?"), number, f"reason {learner}")
        answer(predict("b", "Which?", choices=("x", "y")), chosen)
        reveal("a", 80)
        reveal("b", "y")
        files.append(tmp_path / f"learner-{learner}.json")
        (tmp_path / keeping.FILE).rename(files[-1])
    assert cli.main(["predictions", *map(str, files), "--out", "class.html"]) == 0
    assert "3 learners" in capsys.readouterr().out
    page = (tmp_path / "class.html").read_text()
    assert page.count("<svg") == 2
    assert page.count("3 guesses, 0 skipped.") == 2
    assert "reason 2" in page
    assert cli.main(["predictions", "missing.json"]) == 2
    (tmp_path / "other.json").write_text(json.dumps({"format": "another"}))
    assert cli.main(["predictions", "other.json"]) == 2
    assert "move it away" in capsys.readouterr().err


def test_the_course_is_laid_out_without_losing_work(tmp_path, capsys):
    assert cli.main(["course", "mine"]) == 0
    notebooks = sorted(path.name for path in (tmp_path / "mine").iterdir())
    assert notebooks[0] == "00_start_here.ipynb"
    (tmp_path / "mine" / notebooks[0]).write_text("my work")
    (tmp_path / "mine" / notebooks[1]).unlink()
    assert cli.main(["course", "mine"]) == 0
    assert "wrote 1 notebooks" in capsys.readouterr().out
    assert (tmp_path / "mine" / notebooks[0]).read_text() == "my work"


def test_looking_back_follows_guesses_that_come_later():
    box, table = predict("later", "How many?"), look_back("later")
    reveal("later", 5)
    answer(box, "3")
    assert "<td>3</td>" in table.value
    assert "<td>5</td>" in table.value


def test_code_in_a_question_is_shown_as_code():
    box = predict("code", "Is `sort` < `pair`?", choices=("yes", "no"))
    assert "Is <code>sort</code> &lt; <code>pair</code>?" in box.children[0].value
    assert "<code>none</code>" in check(STRATEGIES["none"], "own_strategy")._repr_html_()
