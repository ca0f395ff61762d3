"""`uticket predictions`: what a class guessed, for who teaches it."""

import argparse
from pathlib import Path

from uticket_lite.cli.parser import Commands


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


def _predictions(options: argparse.Namespace) -> int:
    from uticket_lite.edge.files import write_atomically
    from uticket_lite.teach.classes import class_page

    page = class_page(options.files)
    write_atomically(options.out, page.encode())
    print(f"wrote {options.out}: what {len(options.files)} learners predicted")
    return 0
