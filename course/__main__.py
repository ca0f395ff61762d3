"""`python -m course` writes notebooks/; `python -m course solutions DIR` those with solutions."""

import sys
from pathlib import Path

from course.generate import NOTEBOOKS, written

solutions = sys.argv[1:2] == ["solutions"]
folder = Path(sys.argv[2]) if solutions else NOTEBOOKS
folder.mkdir(parents=True, exist_ok=True)
for name, text in written(solutions).items():
    (folder / name).write_text(text, encoding="utf-8", newline="\n")
print(f"wrote {len(written())} notebooks into {folder}")
