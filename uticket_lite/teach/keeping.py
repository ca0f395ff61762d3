"""Predictions, kept in a JSON file beside the notebook."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from uticket_lite.edge.files import write_atomically
from uticket_lite.teach.questions import Guess, Question

FILE = "predictions.json"
FORMAT = "uticket-lite predictions 1"
AUTO = "UTICKET_ANSWERS"
"""Environment variable: `auto` lets questions answer themselves, and keeps nothing."""

Kept = dict[str, dict[str, Any]]
"""Name of a question to the question, `guess` (None: skipped), `reason` and, once revealed,
`truth`."""


def automatic() -> bool:
    """Whether questions answer themselves."""
    return os.environ.get(AUTO) == "auto"


def read(path: str | os.PathLike[str] = FILE) -> Kept:
    """The predictions in a file; none if there is no file.

    Raises ValueError for a file that holds something else.
    """
    path = Path(path)
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}")
        answers = content["answers"]
        for name, kept in answers.items():
            Question.from_json(name, kept)
            _ = kept["guess"], kept["reason"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} does not hold predictions ({error}); move it away, and a new one is begun"
        ) from error
    return answers


def keep(question: Question, guess: Guess | None, reason: str) -> None:
    """Add a guess to the file, or change it; None: skipped. After the truth it stays as it is."""
    if automatic():
        return
    answers = read()
    if "truth" in answers.get(question.name, {}):
        return
    answers[question.name] = {**question.as_json(), "guess": guess, "reason": reason}
    _write(answers)


def keep_truth(name: str, truth: Guess) -> None:
    """Add what was revealed to a guess that is kept."""
    answers = read()
    if name in answers and not automatic():
        answers[name]["truth"] = truth
        _write(answers)


def predictions(path: str | os.PathLike[str] = FILE) -> pd.DataFrame:
    """Your predictions, a row each: name, question, guess, reason, truth; to look at or export.

    Raises ValueError for a file that holds something else.
    """
    columns = ["name", "question", "guess", "reason", "truth"]
    rows = [{"name": name, "truth": None, **kept} for name, kept in read(path).items()]
    return pd.DataFrame(rows, columns=columns)


def _write(answers: Kept) -> None:
    content = {"format": FORMAT, "answers": answers}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomically(FILE, text.encode())
