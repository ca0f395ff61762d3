"""Many configurations at once: tickets × mappings × strategies × seeds × PEs × gatings."""

import math
import os
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from uticket_lite.edge.checks import LARGEST, instance, one_of, whole_number
from uticket_lite.hardware.accelerator import MAPPINGS, MOST_PES, Accelerator
from uticket_lite.hardware.energy import GATINGS
from uticket_lite.simulation.chunks import run_chunks
from uticket_lite.simulation.grid import Block, Grid
from uticket_lite.simulation.report import CYCLES
from uticket_lite.strategies import STRATEGIES, Strategy, chosen
from uticket_lite.tickets.recorded import load_ticket
from uticket_lite.tickets.ticket import Ticket

if TYPE_CHECKING:
    from distributed import Client

OneTicket: TypeAlias = Ticket | str | tuple[str, int]
Tickets: TypeAlias = OneTicket | Iterable[OneTicket] | Mapping[str, OneTicket]

MOST = 2**20
"""Values of one kind in a sweep: many more than anybody waits for."""
MOST_ROWS = 10**10
"""Configurations of a whole sweep: a day and more at a hundred thousand a second."""


def sweep(
    tickets: Tickets,
    n_pe: int | Iterable[int] = 16,
    mappings: str | Iterable[str] = "output-channel",
    strategies: str | Strategy | Iterable[str | Strategy] | None = None,
    seeds: int | Iterable[int] = 0,
    gating: str | Iterable[str] = "paper",
    *,
    cycles: str = "full",
    folder: str | os.PathLike[str] | None = None,
    collect: bool = True,
    workers: int = 1,
    processes: bool = False,
    client: "Client | None" = None,
    progress: bool = True,
) -> pd.DataFrame:
    """`simulate` for every combination of the arguments, one row each; columns: `COLUMNS`.

    tickets: a `Ticket`, the name of a recorded one (its last round) or (name, round); several
    of these; or a mapping from names of your own to them. Tickets of a list are called by the
    recorded name, `name round 3`, or `ticket 0`, counting all. strategies: names or `Strategy`
    objects; default all. A strategy is left out with mappings on which it does nothing. seeds:
    for strategies that choose at random; the others have the same row for each. gating: names
    in `GATINGS`; it decides energy alone. cycles: as in `simulate`. Of all these, one value or
    several (up to 2²⁰, and 10¹⁰ combinations), none twice.

    folder: where to write the rows, as Parquet files, while the sweep runs (needs pyarrow). A
    sweep that was interrupted goes on from there when it is called with the same folder and the
    same arguments; finished chunks are not computed again. Any Parquet reader reads the folder.
    collect: whether to return the rows, about 75 bytes each; if not, they are in the folder
    alone, memory stays the same however many there are, and the table returned is empty.

    workers: how many chunks run at a time on this machine, as threads or (`processes`) as
    processes of their own; these are quicker where a strategy is written in Python. client: a
    `distributed.Client`, whose cluster runs the chunks instead. progress: show a bar, where the
    sweep takes more than a second.

    The table is the same however it is computed. Raises TypeError or ValueError for what is not
    known or does not go together, before anything runs; ValueError for a folder that holds
    something else; ConnectionError where a cluster is lost on the way.
    """
    whole_number("workers", workers)
    if not collect and folder is None:
        raise ValueError("collect=False needs a folder for the rows: folder='rows', say")
    grid = make_grid(tickets, n_pe, mappings, strategies, seeds, gating, cycles)
    return run_chunks(grid, folder, collect, workers, processes, client, progress)


def make_grid(
    tickets: Tickets,
    n_pe: int | Iterable[int],
    mappings: str | Iterable[str],
    strategies: str | Strategy | Iterable[str | Strategy] | None,
    seeds: int | Iterable[int],
    gating: str | Iterable[str],
    cycles: str,
) -> Grid:
    """The configurations, checked; arguments as in `sweep`."""
    cycles = one_of("cycles", cycles, CYCLES)
    known = STRATEGIES.values() if strategies is None else _several("strategies", strategies)
    grid = Grid(
        _named(tickets),
        tuple(one_of("mapping", name, MAPPINGS) for name in _several("mappings", mappings)),
        tuple(chosen(strategy) for strategy in known),
        _numbers("seeds", seeds, 0),
        _numbers("n_pe (number of PEs)", n_pe, 1, MOST_PES),
        tuple(one_of("gating", name, GATINGS) for name in _several("gating", gating)),
        cycles,
    )
    axes = (grid.tickets, grid.mappings, grid.strategies, grid.seeds, grid.n_pe, grid.gating)
    if (rows := math.prod(map(len, axes))) > MOST_ROWS:
        raise ValueError(
            f"a sweep has at most {MOST_ROWS:,} configurations, and this one "
            f"{' × '.join(f'{len(axis):,}' for axis in axes)} = {rows:,} (tickets × mappings × "
            "strategies × seeds × n_pe × gating); sweep fewer at a time"
        )
    _unique("mappings", grid.mappings)
    _unique("gating", grid.gating)
    _unique("strategies", [strategy.name for strategy in grid.strategies])
    for strategy in grid.strategies:
        objections = [strategy.objection(Accelerator(1, mapping)) for mapping in grid.mappings]
        if strategies is not None and all(objections):
            raise ValueError(objections[0])
    for block in grid.blocks:
        _check_bits(grid, block)
    return grid


def _several(what: str, values: Any) -> list[Any]:
    """One value or several, as a list of at least one."""
    single = isinstance(values, str | bytes | Strategy | Ticket) or not np.iterable(values)
    listed = [values] if single else list(islice(values, MOST + 1))
    if len(listed) > MOST:
        raise ValueError(f"{what}: more than {MOST:,} of them; sweep fewer at a time")
    if not listed:
        raise ValueError(f"{what} is empty; a sweep needs at least one")
    return listed


def _numbers(what: str, values: Any, minimum: int, maximum: int = LARGEST) -> np.ndarray:
    numbers = [whole_number(what, value, minimum, maximum) for value in _several(what, values)]
    _unique(what, numbers)
    return np.array(numbers, np.int64)


def _unique(what: str, values: Iterable[Any]) -> None:
    met = set()
    for value in values:
        if value in met:
            raise ValueError(f"{what} has {value!r} twice; every configuration is run once")
        met.add(value)


def _named(tickets: Any) -> dict[str, Ticket]:
    """Tickets by their names, loaded; see `sweep`."""
    if isinstance(tickets, Mapping):
        if not tickets:
            raise ValueError("tickets is empty; a sweep needs at least one")
        return {_text(str(name)): _loaded(ticket) for name, ticket in tickets.items()}
    alone = isinstance(tickets, tuple) and len(tickets) == 2 and hasattr(tickets[1], "__index__")
    listed = [tickets] if alone else _several("tickets", tickets)
    names = [_name(number, ticket) for number, ticket in enumerate(listed)]
    _unique("tickets", names)
    return {_text(name): _loaded(ticket) for name, ticket in zip(names, listed, strict=True)}


def _text(name: str) -> str:
    """A name as text that every file can hold; bytes that are none are spelled out."""
    return name.encode("utf-8", "backslashreplace").decode()


def _name(number: int, ticket: Any) -> str:
    if isinstance(ticket, str | os.PathLike):
        return os.fspath(ticket)
    if isinstance(ticket, tuple) and len(ticket) == 2:
        return f"{ticket[0]} round {whole_number('round', ticket[1], 0)}"
    return f"ticket {number}"


def _loaded(ticket: Any) -> Ticket:
    if isinstance(ticket, str | os.PathLike):
        return load_ticket(ticket)
    if isinstance(ticket, tuple) and len(ticket) == 2:
        return load_ticket(*ticket)
    instance("ticket", ticket, Ticket, '"digits-lth", ("digits-lth", 14) or a Ticket')
    return ticket


def _check_bits(grid: Grid, block: Block) -> None:
    """ValueError where it has to be known which weights survived, and it is not."""
    if block.strategy.changes != "mask" and block.mapping == "output-channel":
        return
    ticket = grid.tickets[block.ticket]
    if any(ticket.layers[name].counts_only for name in ticket.counted):
        raise ValueError(
            f"ticket {block.ticket!r} knows only how many weights of each filter survived, not "
            f"which ones: it cannot run with mapping {block.mapping!r} and strategy "
            f"{block.strategy.name!r}; take a later round, or sweep it by itself with strategies "
            "that leave masks alone and mapping 'output-channel'"
        )
