"""`uticket train` and `uticket record`; torch loads when one of them is asked for."""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from uticket_lite.cli.parser import Commands, Parser
from uticket_lite.edge.checks import whole_number
from uticket_lite.edge.processors import sleep_while_waiting


def add_train(commands: Commands) -> None:
    """Add `uticket train`."""
    train = commands.add_parser(
        "train",
        help="train, prune, balance and rewind a network; write a ticket per round",
        description="Find lottery tickets: a directory with a ticket per round, history.json and "
        "the last weights. Killed or interrupted, the same command goes on where it stopped.",
    )
    train.add_argument("--out", type=Path, required=True, help="directory to write")
    train.add_argument(
        "--threads",
        type=int,
        default=1,
        help="of torch; more are quicker for large networks, but give other last bits, and so "
        "other tickets; recorded in history.json; default: %(default)s",
    )
    train.late = _add_settings
    train.set_defaults(run=_train)


def _add_settings(train: Parser) -> None:
    """An option for every training setting, from its declaration."""
    sleep_while_waiting()
    from uticket_lite.training.recipes import RECIPES
    from uticket_lite.training.settings import Settings, help_of, kind_of

    recipes = "; ".join(f"{name}: {recipe.text}" for name, recipe in RECIPES.items())
    text = f"many settings at once, each of which may be given too; {recipes}"
    train.add_argument("--recipe", choices=list(RECIPES), help=_plain(text))
    for setting in fields(Settings):
        option = f"--{setting.name.replace('_', '-')}"
        train.add_argument(option, type=kind_of(setting), help=_plain(help_of(setting)))


def _plain(text: str) -> str:
    """Help without marks, which argparse would print or take for its own."""
    return text.replace("`", "").replace("%", "%%")


def _train(options: argparse.Namespace) -> int:
    from uticket_lite.training import Settings, find_tickets
    from uticket_lite.training.recipes import RECIPES

    given = {
        field.name: value
        for field in fields(Settings)
        if (value := getattr(options, field.name, None)) is not None
    }
    settings = RECIPES[options.recipe].settings(**given) if options.recipe else Settings(**given)
    run = find_tickets(settings, out=options.out, threads=options.threads)
    if not run.rows:
        print(
            "uticket: interrupted before the first round was finished; the same command goes on",
            file=sys.stderr,
        )
        return 130
    print(run.history.to_string(index=False))
    print(f"wrote {len(run.tickets)} tickets to {options.out}")
    return 0 if len(run.tickets) == settings.rounds else 130


def add_record(commands: Commands) -> None:
    """Add `uticket record`."""
    record = commands.add_parser(
        "record",
        help="copy a finished run without what takes much space",
        description="Copy a finished run for keeping, under data/ say, where ut.load_ticket finds "
        "it by the directory's name.",
    )
    record.add_argument("directory", metavar="RUN", type=Path, help="directory that train wrote")
    record.add_argument("--out", type=Path, required=True, help="directory to write")
    record.add_argument(
        "--masks-from",
        type=int,
        default=0,
        metavar="ROUND",
        help="in rounds before this one, keep how many weights of each filter survived, not "
        "which; default: %(default)s",
    )
    record.add_argument("--no-weights", action="store_true", help="leave out the trained weights")
    record.add_argument(
        "--spikes",
        type=int,
        default=0,
        metavar="IMAGES",
        help="keep the spikes that the trained network makes of so many test images, for "
        "ut.load_spikes; default: none",
    )
    record.set_defaults(run=_record)


def _record(options: argparse.Namespace) -> int:
    from uticket_lite.training import LotteryRun
    from uticket_lite.training.record import write_spikes

    images = whole_number("--spikes", options.spikes, 0)
    run = LotteryRun.read(options.directory)
    run.save(options.out, masks_from=options.masks_from, weights=not options.no_weights)
    if images:
        write_spikes(run, options.out, images)
    print(f"wrote {len(run.tickets)} tickets to {options.out}")
    return 0
