"""The ticket that a command is given: a recorded one, or any file that tickets are made of."""

import argparse
import sys
import time
from pathlib import Path

from uticket_lite.tickets.checkpoint import SUFFIXES
from uticket_lite.tickets.recorded import load_ticket, recorded_tickets
from uticket_lite.tickets.ticket import Ticket

PATIENCE = 1.0
"""Seconds without a word."""


def load(options: argparse.Namespace) -> Ticket:
    """The recorded ticket of that name, else the ticket, state dict or checkpoint in that file."""
    path = Path(options.ticket)
    if options.ticket in recorded_tickets() or not (path.suffix or path.is_file()):
        return load_ticket(options.ticket, options.round)
    if options.round is not None:
        raise ValueError(f"--round {options.round} goes with a recorded ticket, not with {path}")
    if path.suffix in SUFFIXES:
        return Ticket.from_checkpoint(path)
    progress = Progress()
    try:
        return Ticket.from_safetensors(path, progress=progress)
    finally:
        progress.end()


class Progress:
    """Says on stderr how much is read, if it takes long; one line, written over."""

    def __init__(self) -> None:
        self.said = time.monotonic()
        self.line = ""

    def __call__(self, done: int, total: int) -> None:
        """So many weights are read, of so many."""
        if time.monotonic() - self.said > PATIENCE:
            self.said = time.monotonic()
            self.line = f"read {done:,} of {total:,} weights, {done / total:.0%}"
            print(f"\r{self.line}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Wipe the line."""
        if self.line:
            print(f"\r{' ' * len(self.line)}\r", end="", file=sys.stderr, flush=True)
