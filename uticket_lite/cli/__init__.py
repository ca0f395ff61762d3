"""The `uticket` command: tickets trained, recorded, simulated, compared; the paper beside ours."""

import os
import sys
from collections.abc import Sequence

from uticket_lite.cli.export import add_export
from uticket_lite.cli.paper import add_paper
from uticket_lite.cli.parser import Parser
from uticket_lite.cli.study import add_study
from uticket_lite.cli.sweep import add_sweep
from uticket_lite.cli.teach import add_course, add_predictions
from uticket_lite.cli.tickets import add_balance, add_compare, add_simulate
from uticket_lite.cli.train import add_record, add_train
from uticket_lite.cli.warm import add_warm


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `uticket`; returns the exit code: 0 done, 2 bad input, 130 interrupted."""
    parser = Parser(prog="uticket", description=__doc__)
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
    options = parser.parse_args(arguments)
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader (head, less) has seen enough: nothing went wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        print(
            f"uticket: this needs {error.name}, which is not installed; "
            "pip install 'uticket-lite[course]' installs everything the course needs",
            file=sys.stderr,
        )
        return 2
    except (ValueError, TypeError, OSError, ImportError) as error:
        print("uticket:", " ".join(str(error).split()), file=sys.stderr)
        return 2
