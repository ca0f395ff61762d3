"""`uticket simulate`, `compare` and `balance`: what reads a ticket."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from uticket_lite.cli.loading import load
from uticket_lite.cli.parser import Commands
from uticket_lite.cli.printing import as_text, key_figures, print_json, records
from uticket_lite.hardware.accelerator import MAPPINGS, Accelerator
from uticket_lite.simulation.comparison import compare
from uticket_lite.simulation.report import CYCLES, Report
from uticket_lite.simulation.run import balance, simulate
from uticket_lite.strategies import MASK_STRATEGIES, STRATEGIES, Strategy
from uticket_lite.tickets.recorded import recorded_tickets
from uticket_lite.tickets.ticket import Ticket

TICKET = """\
TICKET is the name of a recorded ticket ({names}) or a file: a ticket or
a plain state dict of torch as .safetensors (sharded: its .safetensors.index.json), or a checkpoint
that torch.save wrote (.pth, .pt, .pth.tar). A state dict knows neither output positions nor
timesteps, so cycles are those of one position and timestep; its layers are taken in the order
of their names, and the first convolution as the one that encodes the input (not counted).
"""

UNITS = """\
latency: cycles. work, idle: PE-cycles; work + idle = PEs · latency. utilization: Eq. 2 of Yin et
al. 2024, 0 to 1. energy: Eq. 3, in units of one PE's dynamic energy per input spike; not known
(null) unless the ticket has spike sparsities. sparsity: share of pruned weights of the counted
layers, after balancing. price: non-zeros touched (dropped or regrown) and extra, as shares of
those given; filters permuted; waves buffered, which a PE may run ahead.
"""

SIMULATE_JSON = """\
--json prints one object: ticket {name, round, timesteps}, accelerator {n_pe, mapping}, strategy,
seed, cycles, utilization, latency, work, idle, energy, sparsity, price {touched, extra,
permuted, buffered}, layers [{layer, parameters, nonzeros, sparsity, waves, work, idle, latency,
utilization, energy, empty}]. What is not known is null.
"""

COMPARE_JSON = """\
--json prints one object: ticket {name, round, timesteps}, accelerator {n_pe, mapping}, seed,
cycles, strategies [{strategy, changes, utilization, latency, work, idle, energy, sparsity,
touched, extra, permuted, buffered}]. What is not known is null.
"""


def add_simulate(commands: Commands) -> None:
    """Add `uticket simulate`."""
    command = _add_command(
        commands,
        "simulate",
        "run a ticket on an array of PEs: utilization, cycles, energy",
        STRATEGIES,
        _listed("cycles", CYCLES),
        UNITS,
        SIMULATE_JSON,
    )
    _add_strategy(command, "none")
    _add_cycles_and_json(command)
    command.set_defaults(run=_simulate)


def _simulate(options: argparse.Namespace) -> int:
    ticket = load(options)
    report = simulate(
        ticket, _accelerator(options), options.strategy, options.seed, cycles=options.cycles
    )
    if options.json:
        print_json(_about(options, ticket) | _figures(report))
        return 0
    print(_title(options, ticket))
    print(f"strategy {STRATEGIES[options.strategy].label}\n")
    for name, figure in key_figures(report):
        print(f"{name:<12} {figure}")
    print()
    print(as_text(report.layers.drop(columns="empty")))
    return 0


def add_compare(commands: Commands) -> None:
    """Add `uticket compare`."""
    command = _add_command(
        commands,
        "compare",
        "run a ticket under several strategies, a row each",
        STRATEGIES,
        _listed("cycles", CYCLES),
        UNITS,
        COMPARE_JSON,
    )
    command.add_argument(
        "--strategy",
        nargs="+",
        metavar="S",
        help="one or more of those below; default: all that mapping and ticket allow",
    )
    _add_cycles_and_json(command)
    command.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    ticket = load(options)
    table = compare(
        ticket, _accelerator(options), options.strategy, options.seed, cycles=options.cycles
    )
    if options.json:
        print_json(_about(options, ticket) | {"strategies": records(table)})
        return 0
    print(_title(options, ticket))
    print("latency in cycles; work, idle in PE-cycles; energy in one PE's per input spike\n")
    print(as_text(table))
    return 0


def add_balance(commands: Commands) -> None:
    """Add `uticket balance`."""
    command = _add_command(
        commands,
        "balance",
        "balance the masks of a ticket and write it as a new ticket",
        MASK_STRATEGIES,
        "Only the counted layers change.",
    )
    _add_strategy(command, "uticket")
    command.add_argument("--out", type=Path, required=True, help="ticket to write, .safetensors")
    command.add_argument("--force", action="store_true", help="replace --out if it exists")
    command.set_defaults(run=_balance)


def _balance(options: argparse.Namespace) -> int:
    _check_out(options.out, options.force)
    ticket, accelerator = load(options), _accelerator(options)
    balanced = balance(ticket, accelerator, options.strategy, options.seed)
    before, after = (simulate(t, accelerator) for t in (ticket, balanced))
    balanced.save(options.out)
    print(
        f"wrote {options.out}: utilization {before.utilization:.3f} -> {after.utilization:.3f}, "
        f"latency {before.latency:,} -> {after.latency:,} cycles, "
        f"sparsity {ticket.sparsity:.2%} -> {balanced.sparsity:.2%}"
    )
    return 0


def _check_out(out: Path, force: bool) -> None:
    """Fail before the work, not after, and never replace a file unasked."""
    if out.suffix != ".safetensors":
        raise ValueError(f"--out {out} must end in .safetensors, as ticket files do")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"no folder {out.parent} to write {out.name} in; make it first")
    if out.is_dir():
        raise IsADirectoryError(f"--out {out} is a folder; name a file")
    if out.exists() and not force:
        raise FileExistsError(f"--out {out} exists; name another file, or replace it by --force")


def _add_command(
    commands: Commands,
    name: str,
    summary: str,
    strategies: Mapping[str, Strategy],
    *notes: str,
) -> argparse.ArgumentParser:
    """A command that reads a ticket, with the options that all of them share."""
    labels = {name: strategy.label for name, strategy in strategies.items()}
    about_ticket = TICKET.format(names=", ".join(recorded_tickets()))
    lists = (_listed("strategies", labels), _listed("mappings", MAPPINGS))
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n".join((about_ticket, *lists, *notes)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("ticket", metavar="TICKET", help="name of a recorded ticket, or a file")
    command.add_argument("--round", type=int, help="of a recorded ticket; default: the last")
    command.add_argument("--pe", type=int, default=16, metavar="N", help="PEs; default: 16")
    command.add_argument(
        "--mapping", default="output-channel", metavar="M", help="see below; default: %(default)s"
    )
    command.add_argument(
        "--seed", type=int, default=0, help="for strategies that choose at random; default: 0"
    )
    return command


def _add_strategy(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "--strategy", default=default, metavar="S", help="see below; default: %(default)s"
    )


def _add_cycles_and_json(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cycles", default="full", metavar="C", help="see below; default: %(default)s"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object, see below")


def _listed(what: str, choices: Mapping[str, str]) -> str:
    return "\n".join((f"{what}:", *(f"  {name:<18} {text}" for name, text in choices.items()), ""))


def _accelerator(options: argparse.Namespace) -> Accelerator:
    return Accelerator(options.pe, options.mapping)


def _about(options: argparse.Namespace, ticket: Ticket) -> dict[str, Any]:
    """What was run, for JSON."""
    number = ticket.provenance.get("round")
    return {
        "ticket": {"name": options.ticket, "round": number, "timesteps": ticket.timesteps},
        "accelerator": asdict(_accelerator(options)),
        "seed": options.seed,
        "cycles": options.cycles,
    }


def _figures(report: Report) -> dict[str, Any]:
    """What came out, for JSON."""
    return {
        "strategy": report.strategy.name,
        **report.figures,
        "price": report.price,
        "layers": records(report.layers),
    }


def _title(options: argparse.Namespace, ticket: Ticket) -> str:
    number = ticket.provenance.get("round")
    cycles = CYCLES[options.cycles]
    if "state_dict" in ticket.provenance:
        cycles = "a state dict's cycles are those of one output position and timestep"
    return (
        f"{options.ticket}{'' if number is None else f', round {number}'}: "
        f"{len(ticket.counted)} of {len(ticket.layers)} layers counted, "
        f"{ticket.sparsity:.2%} sparse, timesteps {ticket.timesteps}\n"
        f"{options.pe} PEs, mapping {options.mapping}; {cycles}"
    )
