"""The paper's tables and figures, beside what the recorded tickets of this project give.

Every number of ours is computed from `data/` when it is asked for. The recorded networks were
trained with fewer timesteps than the paper's; cycles are counted with the paper's. The paper
compares tickets of unlike sparsity; so beside each of its tickets stands the round of ours that
is pruned nearest to it (`nearest_round`).
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pandas as pd

from uticket_lite.accelerator import Accelerator
from uticket_lite.errors import one_of
from uticket_lite.memory import memory_accesses, system_energy
from uticket_lite.recorded import (
    DATA,
    history_file,
    load_history,
    load_ticket,
    recorded_tickets,
)
from uticket_lite.simulation import Report, balance, simulate

DATASET = "cifar10"
METHODS = ("lth", "uticket")
PES, TIMESTEPS = Accelerator(16), 4
Row = dict[Any, Any]
KEYS = ["network", "method", "n_pe", "quantity"]


def paper_numbers() -> pd.DataFrame:
    """What the paper prints (arXiv 2302.06746, version 1), one number a row; never ours.

    Columns: source (table or figure), network, dataset, method, n_pe, quantity, unit, value.
    """
    return pd.read_csv(DATA / "paper.csv")


def paper_table() -> pd.DataFrame:
    """Tables I and II and Fig. 7a: rows (network, dataset), columns (quantity, method)."""
    numbers = paper_numbers()
    chosen = numbers[numbers["source"].isin(["Table I", "Table II", "Fig. 7a"])]
    return chosen.pivot(
        index=["network", "dataset"], columns=["quantity", "method"], values="value"
    )


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


def trained(network: str) -> str:
    """How the recorded runs of a network were trained, in words that begin with its name."""
    about = json.loads(history_file(DATA / run_name(network, "lth")).read_text())
    settings, images = about["settings"], about["images"]
    first = settings.get("dense_epochs") or settings["epochs"]
    return (
        f"{network} with {images['train']:,} training images, {settings['epochs']} epochs a "
        f"round, {first} in the first, T = {settings['timesteps']}"
    )


def saving(before: float, after: float) -> float:
    """In percent."""
    return 100 * (1 - after / before)


@dataclass(frozen=True)
class Section:
    """A table or figure of the paper.

    title: what it shows. ours: our numbers, rows with KEYS and `ours`, joined with the paper's by
    those; or a table of its own if the paper shows a picture. why: what explains differences,
    by quantity; `{trained}` stands for how the network was trained.
    """

    title: str
    ours: Callable[[], Iterator[Row]]
    why: dict[str, str]


def side_by_side(source: str) -> pd.DataFrame:
    """A table or figure of the paper (a name in `SECTIONS`) beside ours.

    Columns: network, method, n_pe, quantity, unit, paper, ours, difference (ours − paper), why;
    where the paper shows a picture, the numbers behind ours alone.
    Raises ValueError for an unknown name.
    """
    section = SECTIONS[one_of("table or figure", source, SECTIONS)]
    ours = pd.DataFrame(section.ours())
    numbers = paper_numbers()
    paper = numbers[(numbers["source"] == source) & numbers["dataset"].isin([DATASET])]
    if "ours" not in ours:
        return ours
    paper = paper.rename(columns={"value": "paper"})[[*KEYS, "unit", "paper"]]
    table = paper.astype({"n_pe": int}).merge(ours, on=KEYS)
    table["difference"] = table["ours"] - table["paper"]
    table["why"] = [
        section.why[quantity].format(trained=trained(network))
        for quantity, network in zip(table["quantity"], table["network"], strict=True)
    ]
    return table


def _printed(network: str, method: str, quantity: str) -> float:
    """Of Tables I and II."""
    return float(paper_table()[quantity, method][network, DATASET])


def _rows(network: str, method: str, n_pe: int = 16, **quantities: float) -> Iterator[Row]:
    for quantity, value in quantities.items():
        yield dict(zip(KEYS, (network, method, n_pe, quantity), strict=True)) | {"ours": value}


def _accuracy_and_sparsity() -> Iterator[Row]:
    for network in networks():
        for method in METHODS:
            history = load_history(run_name(network, method))
            number = nearest_round(network, method)
            names = ("accuracy", "sparsity", "spike_sparsity")
            percent = {name: 100 * float(history[name][number]) for name in names}
            yield from _rows(network, method, n_pe=16, **percent)


def _cycles() -> Iterator[Row]:
    for network in networks():
        for method in METHODS:
            ran = report(network, method)
            cycles = {name: getattr(ran, name) / 1e8 for name in ("work", "idle", "latency")}
            yield from _rows(network, method, **cycles, utilization=ran.utilization)


def _pe_counts() -> Iterator[Row]:
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


def _other_balancers() -> Iterator[Row]:
    """Queues and permutations on the LTH round that is pruned nearest to what the paper says."""
    numbers = paper_numbers()
    for network in networks():
        history = load_history(run_name(network, "lth"))
        for method, strategy in (("fifo", "fifo-d"), ("permuting", "sort")):
            paper = numbers[(numbers["source"] == "Fig. 1") & (numbers["method"] == method)]
            wanted = paper.set_index("quantity")["value"]["sparsity"]
            number = nearest_round(network, "lth", wanted)
            ran = report(network, "lth", number, strategy=strategy)
            yield from _rows(
                network,
                method,
                utilization=ran.utilization,
                sparsity=100 * history["sparsity"][number],
            )


def _energy_cuts() -> Iterator[Row]:
    for network in networks():
        before, after = (report(network, method).energy for method in METHODS)
        yield from _rows(network, "uticket", energy_cut=saving(before, after))


def _by_round() -> Iterator[Row]:
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


def _cuts_by_round() -> Iterator[Row]:
    for network in networks():
        for number in load_history(run_name(network, "lth"))["round"]:
            before, after = (report(network, method, number) for method in METHODS)
            yield {
                "network": network,
                "round": number,
                "energy_cut": saving(before.energy, after.energy),
                "latency_cut": saving(before.latency, after.latency),
            }


def _layers() -> Iterator[Row]:
    columns = ["work", "idle", "latency", "utilization"]
    for network in networks():
        for method in METHODS:
            table = report(network, method).layers[columns].reset_index()
            for row in table.to_dict("records"):
                yield {"network": network, "method": method, **row}


def _energy_parts() -> Iterator[Row]:
    for network in networks():
        for method in METHODS:
            parts = report(network, method).breakdown().groupby("part", sort=False).sum()
            for row in parts.reset_index().to_dict("records"):
                yield {"network": network, "method": method, **row}


def _accesses() -> Iterator[Row]:
    """Accesses of 32 bits for one image, in every round."""
    for network in networks():
        for number in load_history(run_name(network, "lth"))["round"]:
            for method in METHODS:
                ran = report(network, method, number)
                about = {"network": network, "method": method, "round": number}
                yield {**about, **memory_accesses(ran).sum().to_dict()}


def _system() -> Iterator[Row]:
    for network in networks():
        before, after = (system_energy(report(network, method)) for method in METHODS)
        share = 100 * before["PE"] / sum(before.values())
        cut = saving(sum(before.values()), sum(after.values()))
        yield from _rows(network, "lth", pe_share=share)
        yield from _rows(network, "uticket", system_energy_cut=cut)


def _balancing_share() -> Iterator[Row]:
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


def _beyond() -> Iterator[Row]:
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


BALANCING = {
    "balancing_share": "Timed on this machine, against rounds on the one that trained: {trained}.",
}
TRAINING = {
    "accuracy": "Trained far less: {trained}.",
    "sparsity": "The recorded round that comes nearest. Both prune a quarter of what is left; "
    "here u-Ticket's balanced mask is carried on, as the paper's text says; its code carries the "
    "unbalanced one, which ends sparser.",
    "spike_sparsity": "Other weights, other spikes: {trained}.",
}
CYCLES = {
    "work": "A non-zero costs its layer's output positions; ours lie in other layers.",
    "idle": "As work and utilization.",
    "latency": "As work and utilization.",
    "utilization": "How unlike filters become depends on the training: {trained}.",
}
PE_COUNTS = {
    "energy": "Each wave's mean is rounded up, and a short last wave leaves PEs without a filter.",
    "latency": "Each wave's mean is rounded up, and a short last wave leaves PEs without a filter.",
}
ENERGY_CUT = {
    "energy_cut": "The paper's u-Ticket also has less work than its LTH ticket (Table II); where "
    "ours has not, only waiting is saved.",
}
OTHER_DESIGNS = {
    "utilization": "The paper cites other designs; ours are queues of 4 waves (fifo-d) and the "
    "permutation `sort`, on our LTH ticket of that round.",
    "sparsity": "The recorded round that comes nearest.",
}
SYSTEM = {
    "pe_share": "The paper does not state what memory costs; ours follows the figures and the "
    "dataflow in `uticket_lite.memory`.",
    "system_energy_cut": "As the share of the PEs.",
}

SECTIONS: dict[str, Section] = {
    "Fig. 1": Section("Other balancers", _other_balancers, OTHER_DESIGNS),
    "Table I": Section("Accuracy and sparsity of the tickets", _accuracy_and_sparsity, TRAINING),
    "Table II": Section("Cycles and utilization", _cycles, CYCLES),
    "Table III": Section("More PEs, relative to 2", _pe_counts, PE_COUNTS),
    "Fig. 4": Section("Round by round", _by_round, {}),
    "Fig. 6": Section("Layer by layer", _layers, {}),
    "Fig. 7a": Section("Energy saved", _energy_cuts, ENERGY_CUT),
    "Fig. 7b": Section("Energy and cycles saved, round by round", _cuts_by_round, {}),
    "Fig. 8": Section("Where the energy goes, in units of E_dyn", _energy_parts, {}),
    "Fig. 9a": Section("Accesses to memory", _accesses, {}),
    "Fig. 9b": Section("The whole system", _system, SYSTEM),
    "text": Section("What balancing costs", _balancing_share, BALANCING),
    "beyond": Section("On the same ticket: what the paper does not show", _beyond, {}),
}
"""Name of a table or figure to what stands beside it; `beyond` is ours alone."""
