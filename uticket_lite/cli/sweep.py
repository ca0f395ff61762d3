"""`uticket sweep`: every combination of tickets, PEs, mappings, strategies, seeds and gatings."""

import argparse
import sys
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uticket_lite.cli.parser import Commands
from uticket_lite.hardware.accelerator import MAPPINGS
from uticket_lite.hardware.energy import GATINGS
from uticket_lite.simulation.grid import COLUMNS
from uticket_lite.simulation.report import CYCLES
from uticket_lite.simulation.sweeps import OneTicket, sweep
from uticket_lite.strategies import STRATEGIES
from uticket_lite.tickets.recorded import recorded_tickets
from uticket_lite.tickets.ticket import Ticket

if TYPE_CHECKING:
    from distributed import Client

EPILOG = """\
TICKET is the name of a recorded ticket ({names}), NAME:ROUND,
or a .safetensors file, as in `uticket simulate`.

columns of the table, one row a configuration:
{columns}

strategies: {strategies}
mappings: {mappings}
gatings: {gatings}

The rows go to Parquet files in the folder --out while the sweep runs. The same command again
goes on where an interrupted one stopped. Exit code: 0 done, 2 bad input, 130 interrupted.
"""


def add_sweep(commands: Commands) -> None:
    """Add `uticket sweep`."""
    command = commands.add_parser(
        "sweep",
        help="run every combination of tickets, PEs, strategies and more, to Parquet files",
        description="Run every combination of tickets, PEs, strategies, seeds and more.",
        epilog=EPILOG.format(
            names=", ".join(recorded_tickets()),
            columns="\n".join(f"  {name:<16} {text}" for name, text in COLUMNS.items()),
            strategies=", ".join(STRATEGIES),
            mappings=", ".join(MAPPINGS),
            gatings=", ".join(GATINGS),
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    several: dict[str, Any] = {"nargs": "+", "metavar": "X"}
    command.add_argument("tickets", metavar="TICKET", nargs="+", help="see below")
    command.add_argument(
        "--pe", **several, type=numbers, default=[range(16, 17)],
        help="numbers of PEs, or ranges as 2-64 or 2-64:2; default: 16",
    )  # fmt: skip
    command.add_argument(
        "--seed", **several, type=numbers, default=[range(1)], help="as --pe; default: 0"
    )
    command.add_argument("--strategy", **several, help="default: all")
    command.add_argument(
        "--mapping", **several, default=["output-channel"], help="default: output-channel"
    )
    command.add_argument("--gating", **several, default=["paper"], help="default: paper")
    command.add_argument(
        "--cycles", choices=list(CYCLES), default="full", help="default: %(default)s"
    )
    command.add_argument("--out", type=Path, required=True, help="folder of the rows")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=1, help="threads; default: 1")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster: tcp://…")
    command.add_argument(
        "--processes", action="store_true", help="--workers are processes, not threads"
    )
    command.set_defaults(run=_sweep)


def numbers(text: str) -> range:
    """`16`, `2-64` (both ends included) or `2-64:2` (in steps of 2)."""
    ends, _, step = text.partition(":")
    first, dash, last = ends.partition("-")
    try:
        return range(int(first), int(last if dash else first) + 1, int(step or 1))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number, and no range as 2-64 or 2-64:2"
        ) from None


def _ticket(name: str) -> OneTicket:
    """What `sweep` takes for NAME, NAME:ROUND or a file."""
    if Path(name).suffix:
        return Ticket.from_safetensors(name)
    recorded, colon, number = name.partition(":")
    if colon and not number.isdecimal():
        raise ValueError(f"TICKET {name!r}: {number!r} is no round; write {recorded}:14, say")
    return (recorded, int(number)) if colon else recorded


def _connected(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError:
        raise ImportError("--scheduler needs Dask: pip install 'uticket-lite[cluster]'") from None
    client = Client(address, timeout=10)
    if not client.nthreads():
        client.close()
        raise ValueError(
            f"the cluster at {address} has no workers; start one: dask worker {address}"
        )
    return client


def _sweep(options: argparse.Namespace) -> int:
    tickets = {name: _ticket(name) for name in options.tickets}
    with ExitStack() as stack:
        client = None
        if options.scheduler:
            client = stack.enter_context(_connected(options.scheduler))
        try:
            sweep(
                tickets,
                chain.from_iterable(options.pe),
                options.mapping,
                options.strategy,
                chain.from_iterable(options.seed),
                options.gating,
                cycles=options.cycles,
                folder=options.out,
                collect=False,
                workers=options.workers,
                processes=options.processes,
                client=client,
            )
        except KeyboardInterrupt:
            print(f"\nuticket: interrupted; the rows so far are in {options.out}, and the same "
                  "command goes on from there", file=sys.stderr)  # fmt: skip
            return 130
    print(f"wrote {options.out}: pandas.read_parquet({str(options.out)!r}) reads it")
    return 0
