"""`uticket course` and `uticket predictions`: for learners and for who teaches them."""

import argparse
from pathlib import Path

from uticket_lite.cli.parser import Commands


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


def add_predictions(commands: Commands) -> None:
    """Add `uticket predictions`."""
    summed = commands.add_parser(
        "predictions",
        help="sum up what a class predicted, a picture per question",
        description="Sum up the predictions.json files of a class in one page of HTML.",
        epilog="Exit code: 0 done, 2 bad input.",
    )
    summed.add_argument("files", metavar="FILE", nargs="+", type=Path, help="predictions.json")
    summed.add_argument(
        "--out", type=Path, default=Path("predictions.html"), help="default: %(default)s"
    )
    summed.set_defaults(run=_predictions)


def _course(options: argparse.Namespace) -> int:
    from uticket_lite.teach import lay_out

    written = lay_out(options.dir)
    print(f"wrote {len(written)} notebooks into {options.dir}; the first is 00_start_here.ipynb")
    return 0


def _predictions(options: argparse.Namespace) -> int:
    from uticket_lite.edge.files import write_atomically
    from uticket_lite.teach.classes import class_page

    page = class_page(options.files)
    write_atomically(options.out, page.encode())
    print(f"wrote {options.out}: what {len(options.files)} learners predicted")
    return 0
