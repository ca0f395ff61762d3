"""`uticket export`: an explorer as one HTML file that needs no kernel and no network."""

import argparse
from pathlib import Path
from typing import Any

from uticket_lite.cli.parser import Commands, Parser

NOTES = """\
Explorers: {explorers}. LINK may also be the
state that an explorer shows under its picture, "workload?run=digits-lth&n_pe=8" say. Controls that
move in the file take all their values (--moves round) or those given (--moves n_pe=4,16,64); the
others stand still, disabled. Without --moves: as many of the first controls as 12,000 states allow.
For sweep, --ticket may also be the folder that `uticket sweep` writes.
"""


def add_export(commands: Commands) -> None:
    """Add `uticket export`."""
    command = commands.add_parser(
        "export",
        help="write an explorer as one HTML file, for a browser without Jupyter",
        description="Write an explorer as one HTML file that needs no kernel and no network.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("explorer", metavar="LINK", help="an explorer's name, or its state")
    command.add_argument("--ticket", metavar="RUN", help="a recorded run; default: all of them")
    command.add_argument("--out", type=Path, required=True, help="file to write, .html")
    command.add_argument("--force", action="store_true", help="replace --out if it exists")
    command.add_argument(
        "--moves", nargs="+", default=[], metavar="CONTROL", help="what moves in the file"
    )
    command.late = _name_explorers
    command.set_defaults(run=_export)


def _name_explorers(command: Parser) -> None:
    from uticket_lite.explore import EXPLORERS

    command.epilog = NOTES.format(explorers=", ".join(EXPLORERS))


def _export(options: argparse.Namespace) -> int:
    from uticket_lite.edge.checks import one_of
    from uticket_lite.explore import EXPLORERS, open_link

    out: Path = options.out
    if out.suffix != ".html":
        raise ValueError(f"--out {out} must end in .html")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"no folder {out.parent} to write {out.name} in; make it first")
    if out.exists() and not options.force:
        raise FileExistsError(f"--out {out} exists; name another file, or replace it by --force")
    if options.ticket is None:
        explorer = open_link(options.explorer)
    else:
        kind = one_of("explorer", options.explorer.partition("?")[0], EXPLORERS)
        explorer = EXPLORERS[kind](options.ticket)
        if "?" in options.explorer:
            explorer.link = options.explorer
    sizes = explorer.export(out, dict(_moves(text, explorer) for text in options.moves))
    moving = ", ".join(f"{name} ({size})" for name, size in sizes.items()) or "nothing"
    print(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB); moves in it: {moving}")
    return 0


def _moves(text: str, explorer: Any) -> tuple[str, Any]:
    """A control and its values, from `n_pe=4,16` or `n_pe`."""
    name, given, values = text.partition("=")
    if not given:
        return name, None
    number = isinstance(getattr(explorer.state, name, ""), int)
    try:
        return name, [int(value) if number else value for value in values.split(",")]
    except ValueError:
        raise ValueError(f"--moves {text}: {name} takes whole numbers, as in {name}=4,16") from None
