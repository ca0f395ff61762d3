"""`uticket course`: what a learner gets, the notebooks, laid out in a folder of their own."""

import argparse
import os
from pathlib import Path

import uticket_lite
from uticket_lite.cli.parser import Commands
from uticket_lite.edge.files import write_atomically

_PACKAGE = Path(uticket_lite.__file__).parent
NOTEBOOKS = next(
    (
        folder
        for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks")
        if folder.is_dir()
    ),
    _PACKAGE.parent / "notebooks",
)
"""The learners' notebooks: in the installed package, or beside it in a checkout."""


def add_course(commands: Commands) -> None:
    """Add `uticket course`."""
    course = commands.add_parser(
        "course",
        help="lay out the course's notebooks in a folder of your own",
        description="Copy the course's notebooks into DIR. What is there already is left alone.",
        epilog="Exit code: 0 done, 2 bad input.",
    )
    course.add_argument("dir", metavar="DIR", type=Path, help="made if missing")
    course.set_defaults(run=_course)


def lay_out(directory: str | os.PathLike[str]) -> list[Path]:
    """Copy the course's notebooks into a directory, made if missing; returns what was written.

    A notebook that is there already is left alone, so that nobody's work is lost.
    Raises FileNotFoundError if the notebooks were not installed, OSError where writing fails.
    """
    notebooks = sorted(NOTEBOOKS.glob("*.ipynb"))
    if not notebooks:
        raise FileNotFoundError(
            f"no notebooks at {NOTEBOOKS}; install the package again, or use a checkout"
        )
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for notebook in notebooks:
        copy = directory / notebook.name
        if not copy.exists():
            write_atomically(copy, notebook.read_bytes())
            written.append(copy)
    return written


def _course(options: argparse.Namespace) -> int:
    written = lay_out(options.dir)
    print(f"wrote {len(written)} notebooks into {options.dir}; the first is 00_start_here.ipynb")
    return 0
