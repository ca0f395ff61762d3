"""What the course stands on: `predict` before you look, `reveal` after, `check` what you wrote.

Predictions stay in `predictions.json` beside the notebook; nothing leaves the machine. Where the
environment variable UTICKET_ANSWERS is `auto` (tests), questions answer themselves and nothing
is kept. An exercise is one entry in a module of `exercises`.
"""

from uticket_lite.teach.asking import look_back, predict, reveal
from uticket_lite.teach.checking import Verdict, check
from uticket_lite.teach.exercises import EXERCISES
from uticket_lite.teach.keeping import predictions
from uticket_lite.teach.live import LiveRounds, own_balance
from uticket_lite.teach.measuring import accuracy_trained_with, accuracy_with, spike_totals
from uticket_lite.teach.ratio import ratio_slider, savings

__all__ = [
    "EXERCISES",
    "LiveRounds",
    "Verdict",
    "accuracy_trained_with",
    "accuracy_with",
    "check",
    "look_back",
    "own_balance",
    "predict",
    "predictions",
    "ratio_slider",
    "reveal",
    "savings",
    "spike_totals",
]
