"""Pages with numbers in the places that were left for them."""

import re
from pathlib import Path

from course.guide.numbers import numbers

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PAGES = [DOCS / source.name for source in sorted(HERE.glob("*.md"))]
"""What is written."""


def filled(name: str) -> str:
    """The text of a page; `<<name>>` becomes the number of that name, KeyError for others."""
    found = numbers()
    text = (HERE / name).read_text(encoding="utf-8")
    made = re.sub(r"<<(\w+)>>", lambda place: found[place[1]], text)
    note = f"% Written by python -m course.guide from course/guide/{name}.\n\n"
    return note + made
