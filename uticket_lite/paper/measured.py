"""What the recorded tickets give for each table and figure of the paper.

Every number is computed from `data/` when it is asked for. The recorded networks were trained
with fewer timesteps than the paper's; cycles are counted with the paper's. The paper compares
tickets of unlike sparsity; so beside each of its tickets stands the round of ours that is pruned
nearest to it (`nearest_round`).

Each table is an iterator of rows. Those named by `KEYS` have our number as `ours`, NaN where we
have none, and stand beside what the paper prints; the others are the numbers behind a picture.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.hardware.energy import pe_energy
from uticket_lite.paper.published import paper_numbers, paper_table
from uticket_lite.simulation.memory import memory_accesses, system_energy
from uticket_lite.simulation.report import Report
from uticket_lite.simulation.run import balance, simulate
from uticket_lite.tickets.recorded import load_history, load_ticket, recorded_tickets

DATASET = "cifar10"
METHODS = ("lth", "uticket")
PES, TIMESTEPS = Accelerator(16), 4
Row = dict[Any, Any]
KEYS = ["network", "method", "n_pe", "quantity"]


def run_name(network: str, method: str) -> str:
    """The recorded run that stands beside the paper's."""
    return f"{network}-{DATASET}-{method}"


def networks() -> tuple[str, ...]:
    """The paper's networks of which both methods are recorded."""
    known = recorded_tickets()
    return tuple(
        network
        for network in ("vgg16", "resnet19")
        if all(run_name(network, method) in known for method in METHODS)
    )


def nearest_round(network: str, method: str, sparsity: float | None = None) -> int:
    """The recorded round pruned nearest to `sparsity`, in percent; default Table I's."""
    wanted = _printed(network, method, "sparsity") if sparsity is None else sparsity
    history = load_history(run_name(network, method))
    return int((100 * history["sparsity"] - wanted).abs().argmin())


@cache
def report(
    network: str, method: str, number: int | None = None, n_pe: int = 16, strategy: str = "none"
) -> Report:
    """A recorded round on `n_pe` PEs, with the paper's timesteps.

    number: of the round; default the one that stands beside Table I's ticket.
    """
    number = nearest_round(network, method) if number is None else number
    ticket = load_ticket(run_name(network, method), number)
    return simulate(replace(ticket, timesteps=TIMESTEPS), Accelerator(n_pe), strategy)


def saving(before: float, after: float) -> float:
    """In percent."""
    return 100 * (1 - after / before)


def _printed(network: str, method: str, quantity: str) -> float:
    """Of Tables I and II."""
    return float(paper_table()[quantity, method][network, DATASET])


def _rounds(network: str, method: str) -> Iterator[tuple[int, float]]:
    """Rounds, and the share of weights pruned in each, in percent."""
    history = load_history(run_name(network, method))
    yield from zip(history["round"], 100 * history["sparsity"], strict=True)


def _rows(network: str, method: str, n_pe: int = 16, **quantities: float) -> Iterator[Row]:
    for quantity, value in quantities.items():
        yield dict(zip(KEYS, (network, method, n_pe, quantity), strict=True)) | {"ours": value}


def accuracy_and_sparsity() -> Iterator[Row]:
    """Of the networks after training with the tickets, in percent; and the tickets' rounds."""
    for network in networks():
        for method in METHODS:
            history = load_history(run_name(network, method))
            number = nearest_round(network, method)
            names = ("accuracy", "sparsity", "spike_sparsity")
            percent = {name: 100 * float(history[name][number]) for name in names}
            yield from _rows(network, method, n_pe=16, **percent, round=number)


def cycles() -> Iterator[Row]:
    """Work and idle (1e8 PE-cycles), latency (1e8 cycles) and utilization of the tickets.

    busy: the share of all PE-cycles that work, in percent; latency falls to it if nobody waits.
    """
    for network in networks():
        for method in METHODS:
            ran = report(network, method)
            cycles = {name: getattr(ran, name) / 1e8 for name in ("work", "idle", "latency")}
            busy = 100 * ran.work / (ran.work + ran.idle)
            yield from _rows(network, method, **cycles, utilization=ran.utilization, busy=busy)


def pe_counts() -> Iterator[Row]:
    """The LTH ticket, balanced anew for every number of PEs."""
    for network in networks():
        two = report(network, "lth", n_pe=2, strategy="uticket")
        for n in (2, 4, 8, 16, 32, 64):
            ran = report(network, "lth", n_pe=n, strategy="uticket")
            yield from _rows(
                network,
                "uticket",
                n,
                energy=ran.energy / two.energy,
                latency=ran.latency / two.latency,
            )


def other_balancers() -> Iterator[Row]:
    """Queues and permutations on the LTH round that is pruned nearest to what the paper says.

    unbalanced: utilization of the same round without them. Area is not modelled.
    """
    numbers = paper_numbers()
    for network in networks():
        history = load_history(run_name(network, "lth"))
        for method, strategy in (("fifo", "fifo-d"), ("permuting", "sort")):
            paper = numbers[(numbers["source"] == "Fig. 1") & (numbers["method"] == method)]
            wanted = paper.set_index("quantity")["value"]["sparsity"]
            number = nearest_round(network, "lth", wanted)
            yield from _rows(
                network,
                method,
                utilization=report(network, "lth", number, strategy=strategy).utilization,
                unbalanced=report(network, "lth", number).utilization,
                sparsity=100 * history["sparsity"][number],
                extra_area=math.nan,
            )


def energy_cuts() -> Iterator[Row]:
    """Energy that u-Ticket's ticket needs less than LTH's, in percent.

    same_round: both tickets from the round of the u-Ticket one, so of nearly equal sparsity.
    """
    for network in networks():
        before, after = (report(network, method).energy for method in METHODS)
        alike = report(network, "lth", nearest_round(network, "uticket")).energy
        yield from _rows(
            network,
            "uticket",
            energy_cut=saving(before, after),
            same_round=saving(alike, after),
        )


def energy_split() -> Iterator[Row]:
    """What an energy cut is made of, in points that add up to it: the paper's by its Tables I and
    II, and ours.

    waiting: if nobody waited and nothing else changed. nonzeros: if work then changed as much as
    the number of non-zeros. rest: non-zeros in other layers with other positions, other spikes.
    """
    paper = paper_table()
    for network, dataset in paper.index:
        row = paper.loc[(network, dataset)]
        tickets = (
            {
                "work": row["work", method],
                "idle": row["idle", method],
                "spike_sparsity": row["spike_sparsity", method] / 100,
                "nonzeros": 1 - row["sparsity", method] / 100,
            }
            for method in METHODS
        )
        yield {"network": network, "dataset": dataset, "whose": "paper"} | _split(*tickets)
    for network in networks():
        layers = (report(network, method).layers for method in METHODS)
        yield {"network": network, "dataset": DATASET, "whose": "ours"} | _split(*layers)


def _split(lth: Any, uticket: Any) -> Row:
    """The points, from work, idle, spike_sparsity and nonzeros of tickets, or of their layers."""

    def energy(ticket: Any, idle: Any) -> float:
        return float(np.sum(pe_energy(ticket["work"], idle, ticket["spike_sparsity"])))

    whole, last = (energy(ticket, ticket["idle"]) for ticket in (lth, uticket))
    no_waiting = energy(lth, 0 * lth["idle"])
    fewer = no_waiting * float(np.sum(uticket["nonzeros"]) / np.sum(lth["nonzeros"]))
    steps = zip((whole, no_waiting, fewer), (no_waiting, fewer, last), strict=True)
    points = [100 * (before - after) / whole for before, after in steps]
    return dict(zip(("waiting", "nonzeros", "rest"), points, strict=True)) | {"all": sum(points)}


def by_round() -> Iterator[Row]:
    """Sparsity, accuracy and utilization of each round; Table II's utilization of the LTH ticket
    beside the round that comes nearest to it."""
    printed = paper_numbers().query("source == 'Fig. 4'")["value"].to_numpy()
    for network in networks():
        nearest = nearest_round(network, "lth")
        utilization = _printed(network, "lth", "utilization")
        lth, uticket = (load_history(run_name(network, method)) for method in METHODS)
        for number in lth["round"]:
            reports = [report(network, method, number) for method in METHODS]
            yield {
                "network": network,
                "round": number,
                "paper_sparsity": printed[number],
                "paper_utilization": utilization if number == nearest else math.nan,
                **{
                    f"{method}_{name}": 100 * history[name][number]
                    for name in ("sparsity", "accuracy")
                    for method, history in zip(METHODS, (lth, uticket), strict=True)
                },
                "lth_utilization": reports[0].utilization,
                "uticket_utilization": reports[1].utilization,
            }


def cuts_by_round() -> Iterator[Row]:
    """Energy and cycles that u-Ticket saves in each round, in percent."""
    for network in networks():
        for number, sparsity in _rounds(network, "lth"):
            before, after = (report(network, method, number) for method in METHODS)
            yield {
                "network": network,
                "round": number,
                "sparsity": sparsity,
                "energy_cut": saving(before.energy, after.energy),
                "latency_cut": saving(before.latency, after.latency),
            }


def layers() -> Iterator[Row]:
    """Cycles and utilization of every layer."""
    columns = ["work", "idle", "latency", "utilization"]
    for network in networks():
        for method in METHODS:
            table = report(network, method).layers[columns].reset_index()
            for row in table.to_dict("records"):
                yield {"network": network, "method": method, **row}


def energy_parts() -> Iterator[Row]:
    """Energy by part (MAC, LIF, MEM) and by what it is spent on."""
    for network in networks():
        for method in METHODS:
            parts = report(network, method).breakdown().groupby("part", sort=False).sum()
            for row in parts.reset_index().to_dict("records"):
                yield {"network": network, "method": method, **row}


def accesses() -> Iterator[Row]:
    """Accesses of 32 bits for one image, in every round."""
    for network in networks():
        for method in METHODS:
            for number, sparsity in _rounds(network, method):
                ran = report(network, method, number)
                yield {
                    "network": network,
                    "method": method,
                    "round": number,
                    "sparsity": sparsity,
                    **memory_accesses(ran).sum().to_dict(),
                }


def system() -> Iterator[Row]:
    """The PEs' share of all energy with memory, and what u-Ticket saves of it, in percent."""
    for network in networks():
        before, after = (system_energy(report(network, method)) for method in METHODS)
        share = 100 * before["PE"] / sum(before.values())
        cut = saving(sum(before.values()), sum(after.values()))
        yield from _rows(network, "lth", pe_share=share)
        yield from _rows(network, "uticket", system_energy_cut=cut)


def balancing_share() -> Iterator[Row]:
    """Balancing the LTH ticket, timed now, as a share of the recorded rounds' time."""
    for network in networks():
        ticket = report(network, "lth").ticket
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            balance(ticket, PES)
            seconds.append(time.perf_counter() - began)
        a_round = load_history(run_name(network, "lth"))["seconds"].median()
        yield from _rows(network, "uticket", balancing_share=100 * min(seconds) / a_round)


def beyond() -> Iterator[Row]:
    """On the same LTH ticket: an order that costs no weight, and a metric that is gamed."""
    for network in networks():
        for strategy in ("none", "sort", "uticket", "regrow-only"):
            ran = report(network, "lth", strategy=strategy)
            plain = report(network, "lth")
            yield {
                "network": network,
                "strategy": strategy,
                "utilization": ran.utilization,
                "latency_cut": saving(plain.latency, ran.latency),
                "energy_cut": saving(plain.energy, ran.energy),
                "touched": 100 * ran.price["touched"],
                "extra": 100 * ran.price["extra"],
            }
