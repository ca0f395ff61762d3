"""The paper's tables and figures, beside what the recorded tickets of this project give."""

from uticket_lite.paper.sections import SECTIONS, side_by_side

__all__ = ["SECTIONS", "side_by_side"]
