"""What a class predicted: a page with a picture per question."""

import html
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from uticket_lite.paper.section import coded
from uticket_lite.teach import pictures
from uticket_lite.teach.keeping import Kept, read
from uticket_lite.teach.questions import Question

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>What the class predicted</title>
<style>body {{font: 1rem/1.5 sans-serif; max-width: 45rem; margin: 2rem auto; padding: 0 1rem;
color-scheme: light dark}}</style><h1>What the class predicted</h1>{}</html>
"""


def class_page(files: Sequence[Path]) -> str:
    """Predictions of a class, a file each, as one page of HTML.

    Raises FileNotFoundError for a file that is missing, ValueError for one that holds
    something else.
    """
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"no predictions at {file}")
    learners = [read(file) for file in files]
    names = dict.fromkeys(name for kept in learners for name in kept)
    return PAGE.format("".join(_question(name, learners) for name in names))


def _question(name: str, learners: Sequence[Kept]) -> str:
    kept = [learner[name] for learner in learners if name in learner]
    asked = Question.from_json(name, kept[0])
    guesses = [answer["guess"] for answer in kept if answer["guess"] is not None]
    truth = next((answer["truth"] for answer in kept if answer.get("truth") is not None), None)
    reasons = [answer["reason"] for answer in kept if answer["reason"]]
    said = f"{len(guesses)} guesses, {len(kept) - len(guesses)} skipped."
    listed = "".join(f"<li>{html.escape(reason)}</li>" for reason in reasons)
    drawn = _drawn(asked, guesses, truth) if guesses else ""
    return f"<h2>{coded(asked.text)}</h2>{drawn}<p>{said}</p><ul>{listed}</ul>"


def _drawn(asked: Question, guesses: list[Any], truth: Any) -> str:
    words = "; ".join(asked.say(guess) for guess in guesses)
    if asked.choices:
        counted = Counter(guesses)
        tallied = {choice: counted[choice] for choice in asked.choices}
        return pictures.tallies(tallied, words, truth)
    if asked.pes:
        mean = [round(sum(loads) / len(guesses)) for loads in zip(*guesses, strict=True)]
        known = pictures.bars([truth], "it is") if truth else ""
        return f"<p>mean of the guesses</p>{pictures.bars([mean], words)}{known}"
    unit = f" {asked.unit}" if asked.unit else ""
    if truth is None:
        return f"<p>{html.escape(words)}</p>"
    return pictures.axis(guesses, truth, f"{words}; it is {asked.say(truth)}", unit)
