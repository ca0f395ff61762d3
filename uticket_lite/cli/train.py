"""`uticket train` and `uticket record`."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from uticket_lite.cli.parser import Commands
from uticket_lite.hardware.accelerator import MAPPINGS

TRAIN_OPTIONS: tuple[tuple[str, Callable[[str], Any], str], ...] = (
    ("dataset", str, "digits, fashion-mnist, cifar10, cifar100, svhn, or an .npz file of arrays"),
    ("network", str, "digits, vgg9, vgg16 or resnet19"),
    (
        "method",
        str,
        "lth (prune only) or a strategy that changes masks (see uticket balance --help)",
    ),
    ("rounds", int, "training rounds, the first one dense"),
    ("prune", float, "fraction of the alive weights pruned between rounds"),
    ("scope", str, "prune the smallest weights of the network (global) or of each layer (layer)"),
    ("init", str, "of weights: torch (PyTorch's) or kaiming (the released VGG-16's)"),
    ("neuron", str, "leaky, or input-decay (the released code's)"),
    ("loss", str, "cross-entropy of the mean-score or of each-timestep (the released code's)"),
    ("cutout", int, "side of the square blanked in training images"),
    ("carry", str, "prune the balanced mask further, or the original before balancing"),
    ("epochs", int, "epochs in every round"),
    ("dense-epochs", int, "epochs in the first round, if it needs more"),
    ("rewind-epoch", int, "rewind weights to those after this epoch of the first round"),
    ("batch", int, "images in a batch"),
    ("learning-rate", float, "at the start of a round; it falls as a cosine"),
    ("timesteps", int, "T"),
    ("early-kl", float, "search with fewer timesteps: allowed divergence in nats"),
    ("norm", str, "batch norm over all timesteps (folded) or each by itself (stepwise)"),
    ("precision", str, "of convolutions and linear layers: float32 or bfloat16"),
    ("n-pe", int, "PEs to balance for"),
    ("mapping", str, f"to balance for: {' or '.join(MAPPINGS)}"),
    ("probe", float, "look at utilization at this sparsity while the first round trains"),
    ("seed", int, "of weights, order of images, and balancing"),
)
"""The fields of `training.Settings`; their defaults stay there, so that torch loads late."""


def add_train(commands: Commands) -> None:
    """Add `uticket train`."""
    train = commands.add_parser(
        "train",
        help="train, prune, balance and rewind a network; write a ticket per round",
        description="Find lottery tickets: a directory with a ticket per round, history.json and "
        "the last weights. Killed or interrupted, the same command goes on where it stopped.",
    )
    for name, kind, text in TRAIN_OPTIONS:
        train.add_argument(f"--{name}", type=kind, help=text)
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
    run = find_tickets(settings, out=options.out)
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
    record.set_defaults(run=_record)


def _record(options: argparse.Namespace) -> int:
    from uticket_lite.training import LotteryRun

    run = LotteryRun.read(options.directory)
    run.save(options.out, masks_from=options.masks_from, weights=not options.no_weights)
    print(f"wrote {len(run.tickets)} tickets to {options.out}")
    return 0
