"""`predict` asks and keeps the guess; `reveal` shows it beside the truth."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from uticket_lite.explore.charts.palette import INK
from uticket_lite.paper.section import coded
from uticket_lite.teach import keeping, pictures
from uticket_lite.teach.questions import Guess, Question

_asked: dict[str, Question] = {}
_waiting: dict[str, Callable[[], None]] = {}
"""By question: shows its answer, once there is a guess."""
_looking: dict[tuple[str, ...], Callable[[], None]] = {}
"""By questions: shows again what was guessed of them."""


class Words(widgets.HTML):
    """Words that are seen where no widgets are shown, too: on GitHub, or in an exported page."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return {**super()._repr_mimebundle_(**kwargs), "text/html": self.value}


class Form(widgets.VBox):
    """A question to answer; where no widgets are shown, its words, and how to answer in code."""

    asked: Question

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        said = self.children[-1].value or f"<p>{IN_CODE}</p>"
        words = f"<p><b>{coded(self.asked.text)}</b></p>{said}"
        return {**super()._repr_mimebundle_(**kwargs), "text/html": words}


IN_CODE = (
    "No field below? Then answer in code: add <code>guess=…</code> to the call of "
    "<code>predict</code> (a number, one of its choices, a list of loads, or "
    '<code>"skip"</code>), and run the cell again.'
)


def predict(
    name: str,
    question: str,
    *,
    choices: Sequence[str] = (),
    unit: str = "",
    low: float = 0,
    high: float = 1_000_000,
    pes: int = 0,
    guess: Any = None,
    reason: str = "",
) -> widgets.Widget:
    """A field for a guess and its reason, empty until somebody answers.

    For name, question, choices, unit, low, high and pes see `Question`. The guess is kept when
    *Keep my guess* is pressed; *Skip* goes on without one. Where no fields and buttons are shown,
    answer in code: put `guess=` a number, one of the choices, a list of loads, or "skip" into the
    call, and `reason=` if you like.
    Raises ValueError for a guess that is no answer.
    """
    asked = _asked[name] = Question(name, question, tuple(choices), unit, low, high, pes)
    if guess is not None:
        _keep(asked, None if guess == "skip" else asked.read(guess), reason)
    return _form(asked)


def reveal(
    name: str, truth: float | str | Sequence[float], leads_to: Mapping[Any, str] | None = None
) -> widgets.Widget:
    """The guess beside the truth; without a guess yet, it asks for one and waits.

    name: of the question. truth: in the same unit. leads_to: wrong answers, and the idea that
    leads to each; for numbers, a guess within a sixth of one counts as the same, and "below" and
    "above" are all others that are farther from the truth than that; for drawn loads the answers
    are "flatter" and "more uneven", by largest over mean.
    """
    if isinstance(truth, str):
        known: Guess = truth
    elif isinstance(truth, int | float | np.number):
        known = float(truth)
    else:
        known = [round(float(load)) for load in truth]
    shown = Words()

    def show() -> None:
        shown.value = _revealed(name, known, leads_to or {})

    _waiting[name] = show
    show()
    return shown


def look_back(*names: str) -> widgets.Widget:
    """Guess and truth of these questions (default: of all), side by side, with your reasons."""
    shown = Words()

    def show() -> None:
        shown.value = _table(names)

    _looking[names] = show
    show()
    return shown


def _table(names: Sequence[str]) -> str:
    kept = keeping.read()
    rows = []
    for name in names or kept:
        if name not in kept:
            continue
        asked = Question.from_json(name, kept[name])
        truth = kept[name].get("truth")
        cells = (
            asked.text,
            asked.say(kept[name]["guess"]),
            kept[name]["reason"],
            "not yet revealed" if truth is None else asked.say(truth),
        )
        rows.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
    if not rows:
        return "<p>No predictions are kept yet.</p>"
    head = "".join(f"<th>{word}</th>" for word in ("question", "your guess", "why", "it is"))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table class="uticket-guesses"><tr>{head}</tr>{body}</table>{STYLE}'


STYLE = """<style>.uticket-guesses td, .uticket-guesses th {padding: .2em .8em; text-align: left;
vertical-align: top; border-bottom: 1px solid currentColor}</style>"""


def compared(question: Question, guess: Guess | None, truth: Guess, idea: str = "") -> str:
    """Guess and truth as HTML: a picture, words, and the idea that may have led to the guess."""
    said, known = question.say(guess), question.say(truth)
    unit = f" {question.unit}" if question.unit else ""
    words = f"Your guess: {said}. {'The answer' if isinstance(truth, str) else 'It is'}"
    words += f": {known}." if isinstance(truth, str) else f" {known}."
    if isinstance(truth, list):
        highest = max(truth + guess if isinstance(guess, list) else truth)
        drawn = pictures.bars([truth], f"The loads: {known}.", highest=highest)
        if isinstance(guess, list):
            yours = pictures.bars([guess], f"Your loads: {said}.", highest)
            drawn = f"<p>You drew</p>{yours}<p>It is</p>{drawn}"
    elif isinstance(truth, str):
        chosen = {choice: int(choice == guess) for choice in question.choices}
        drawn = "".join(
            f"<li>{html.escape(choice)}{' ← your guess' if yours else ''}"
            f"{' ✓ <b>it is this</b>' if choice == truth else ''}</li>"
            for choice, yours in chosen.items()
        )
        drawn = f"<ul>{drawn}</ul>"
    else:
        drawn = pictures.axis([guess] if isinstance(guess, float) else [], truth, words, unit)
    hint = f"<p>{coded(idea)}</p>" if idea else ""
    return f"{drawn}<p>{html.escape(words)}</p>{hint}"


def idea_behind(guess: Guess | None, truth: Guess, leads_to: Mapping[Any, str]) -> str:
    """The idea that leads to such a guess; "" if none is known, or the guess is right."""
    if guess is None or guess == truth:
        return ""
    if isinstance(guess, list) and isinstance(truth, list):
        return leads_to.get(_unlike(guess, truth), "")
    if not isinstance(guess, float) or not isinstance(truth, float):
        return leads_to.get(guess, "") if isinstance(guess, str) else ""
    numbers = [wrong for wrong in leads_to if not isinstance(wrong, str)]
    close = [wrong for wrong in numbers if abs(guess - wrong) <= abs(wrong) / 6 + 1e-9]
    nearest = min(close, key=lambda wrong: abs(guess - wrong), default=None)
    if nearest is not None and abs(guess - truth) > abs(guess - nearest):
        return leads_to[nearest]
    far = abs(guess - truth) > abs(truth) / 6
    return leads_to.get("above" if guess > truth else "below", "") if far else ""


def _unlike(guess: list[int], truth: list[int]) -> str:
    """How drawn loads differ in what waits: the largest above the mean, by more than a third."""
    above, right = (max(loads) * len(loads) / sum(loads) - 1 for loads in (guess, truth))
    return "flatter" if above < right / 1.5 else "more uneven" if above > right * 1.5 else ""


def _revealed(name: str, truth: Guess, leads_to: Mapping[Any, str]) -> str:
    try:
        kept = keeping.read().get(name)
    except ValueError as error:
        return f"<p>{html.escape(str(error))}</p>"
    if keeping.automatic() and name in _asked:
        kept = {**_asked[name].as_json(), "guess": _asked[name].any_answer()}
    if kept is None:
        return (
            "<p><b>First your guess:</b> answer the question above, or skip it. "
            "The answer then appears here.</p>"
        )
    asked = Question.from_json(name, kept)
    keeping.keep_truth(name, truth)
    return compared(asked, kept["guess"], truth, idea_behind(kept["guess"], truth, leads_to))


def _form(asked: Question) -> widgets.Widget:
    field, value = _field(asked)
    reason = widgets.Textarea(placeholder="Why? One sentence.", rows=2, layout={"width": "32em"})
    keep, skip = widgets.Button(description="Keep my guess"), widgets.Button(description="Skip")
    said = widgets.HTML()

    def answer(guess: Guess | None) -> None:
        try:
            said.value = f"<p>{html.escape(_keep(asked, guess, reason.value.strip()))}</p>"
        except (ValueError, OSError) as error:
            said.value = f"<p>Not kept: {html.escape(str(error))}</p>"

    def try_to_keep(_: Any) -> None:
        try:
            guess = asked.read(value())
        except ValueError as error:
            said.value = f"<p><b>{html.escape(str(error))}</b></p>"
            return
        answer(guess)

    keep.on_click(try_to_keep)
    skip.on_click(lambda _: answer(None))
    try:
        before = keeping.read().get(asked.name)
    except ValueError as error:
        before, said.value = None, f"<p>{html.escape(str(error))}</p>"
    if before is not None:
        said.value = f"<p>Kept: {html.escape(asked.say(before['guess']))}.</p>"
        reason.value = before["reason"]
    text = widgets.HTML(f"<p><b>{coded(asked.text)}</b></p>")
    form = Form([text, field, reason, widgets.HBox([keep, skip]), said])
    form.asked = asked
    return form


def _keep(asked: Question, guess: Guess | None, reason: str) -> str:
    """Keep a guess, and show every answer that waits for it; what to say of that."""
    if "truth" in keeping.read().get(asked.name, {}):
        return "You have seen the answer: your first guess stays."
    keeping.keep(asked, guess, reason)
    for show in (*_waiting.values(), *_looking.values()):
        show()
    return f"Kept: {asked.say(guess)}. Now run the next cell."


def _field(asked: Question) -> tuple[widgets.Widget, Callable[[], Any]]:
    """What takes the guess, and how to read it."""
    if asked.choices:
        options = widgets.RadioButtons(
            options=asked.choices, index=None, layout={"width": "max-content"}
        )
        return options, lambda: options.value
    if asked.pes:
        sliders = [
            widgets.IntSlider(
                0,
                int(asked.low),
                int(asked.high),
                orientation="vertical",
                description=f"PE {j}",
                style={"handle_color": INK},
            )
            for j in range(asked.pes)
        ]
        return widgets.HBox(sliders), lambda: [slider.value for slider in sliders]
    number = widgets.Text(placeholder="a number", layout={"width": "10em"})
    return widgets.HBox([number, widgets.Label(asked.unit)]), lambda: number.value
