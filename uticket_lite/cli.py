"""The `uticket` command."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `uticket`; returns the exit code: 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(prog="uticket", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_train(commands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, TypeError, OSError) as error:
        print(f"uticket: {error}", file=sys.stderr)
        return 2


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    train = commands.add_parser(
        "train",
        help="train, prune, balance and rewind a network; write a ticket per round",
        description="Find lottery tickets: a directory with a ticket per round and history.json.",
    )
    train.add_argument("--dataset", default="digits", help="default: %(default)s")
    train.add_argument("--network", default="digits", help="default: %(default)s")
    train.add_argument(
        "--method",
        default="lth",
        help="lth (prune only), uticket (prune and balance) or another strategy that changes "
        "masks; default: %(default)s",
    )
    train.add_argument("--rounds", type=int, default=15, help="rounds; default: %(default)s")
    train.add_argument("--epochs", type=int, help="epochs a round; default: chosen for digits")
    train.add_argument("--n-pe", type=int, default=16, help="PEs to balance for; default: 16")
    train.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    train.add_argument("--out", type=Path, required=True, help="directory to write")
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    from uticket_lite.training import Settings, find_tickets

    given = {
        field.name: value
        for field in fields(Settings)
        if (value := getattr(options, field.name, None)) is not None
    }
    settings = Settings(**given)
    options.out.mkdir(parents=True, exist_ok=True)  # fail before the training, not after
    run = find_tickets(settings)
    run.save(options.out)
    print(run.history.to_string(index=False))
    print(f"wrote {len(run.tickets)} tickets to {options.out}")
    return 0 if len(run.tickets) == settings.rounds else 130
