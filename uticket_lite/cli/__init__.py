"""The `uticket` command: tickets trained, recorded, simulated, compared; the paper beside ours."""

import os
import platform
import sys
from collections.abc import Sequence
from typing import TextIO

from uticket_lite import __version__
from uticket_lite.cli.course import add_course
from uticket_lite.cli.export import add_export
from uticket_lite.cli.paper import add_paper
from uticket_lite.cli.parser import Parser
from uticket_lite.cli.predictions import add_predictions
from uticket_lite.cli.study import add_study
from uticket_lite.cli.sweep import add_sweep
from uticket_lite.cli.tickets import add_balance, add_compare, add_simulate
from uticket_lite.cli.train import add_record, add_train
from uticket_lite.cli.warm import add_warm
from uticket_lite.edge.checks import printable

TRACEBACK = "UTICKET_TRACEBACK"
"""Set, errors are shown with where they come from."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `uticket`; returns the exit code: 0 done, 2 bad input, 130 interrupted."""
    parser = Parser(prog="uticket", description=__doc__)
    about = f"uticket-lite {__version__}, Python {platform.python_version()}, {platform.platform()}"
    parser.add_argument("--version", action="version", version=about)
    commands = parser.add_subparsers(dest="command", required=True)
    add_train(commands)
    add_record(commands)
    add_study(commands)
    add_simulate(commands)
    add_compare(commands)
    add_balance(commands)
    add_sweep(commands)
    add_paper(commands)
    add_export(commands)
    add_course(commands)
    add_predictions(commands)
    add_warm(commands)
    _make_writable()
    try:
        options = parser.parse_args(arguments)
        code = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader (head, less) has seen enough: nothing went wrong
        _silence(sys.stdout)
        return 0
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        expected = isinstance(error, ValueError | TypeError | OSError | ImportError)
        said = " ".join(str(error).split())
        if isinstance(error, ModuleNotFoundError) and error.name:
            said = (
                f"this needs {error.name}, which is not installed; "
                "pip install 'uticket-lite[course]' installs all that the course needs"
            )
        if not expected or not said:
            said = f"{type(error).__name__}: {said} ({TRACEBACK}=1 shows where)"
        print("uticket:", printable(said), file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:
            _silence(sys.stdout)
        return 2


def _make_writable() -> None:
    """Streams that are closed take everything and drop it; what their encoding lacks is spelled
    out, so that printing never fails for the letters in a name."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _silence(stream: TextIO) -> None:
    """What is still to be written goes nowhere, and fails no more at exit."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
