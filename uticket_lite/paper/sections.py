"""The paper's tables and figures, beside what the recorded tickets of this project give."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from uticket_lite.edge.checks import one_of
from uticket_lite.paper import measured
from uticket_lite.paper.measured import DATASET, KEYS, Row, run_name
from uticket_lite.paper.published import paper_numbers
from uticket_lite.tickets.recorded import DATA, history_file


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
    NaN where the paper or we have no number, and where the paper shows a picture, the numbers
    behind ours alone.
    Raises ValueError for an unknown name.
    """
    section = SECTIONS[one_of("table or figure", source, SECTIONS)]
    ours = pd.DataFrame(section.ours())
    if "ours" not in ours:
        return ours
    numbers = paper_numbers()
    paper = numbers[(numbers["source"] == source) & numbers["dataset"].isin([DATASET])]
    units = UNITS | paper.groupby("quantity")["unit"].first().to_dict()
    table = ours.merge(paper.astype({"n_pe": int}), how="left", on=KEYS)
    table = table.rename(columns={"value": "paper"}).assign(
        unit=table["quantity"].map(units),
        difference=table["ours"] - table["value"],
        why=[
            section.why[quantity].format(trained=trained(network))
            for quantity, network in zip(table["quantity"], table["network"], strict=True)
        ],
    )
    table = table[[*KEYS, "unit", "paper", "ours", "difference", "why"]]
    return table.dropna(subset=["paper", "ours"], how="all").reset_index(drop=True)


def trained(network: str) -> str:
    """How the recorded runs of a network were trained, in words that begin with its name."""
    about = json.loads(history_file(DATA / run_name(network, "lth")).read_text())
    settings, images = about["settings"], about["images"]
    first = settings.get("dense_epochs") or settings["epochs"]
    return (
        f"{network} with {images['train']:,} images ({images['test']:,} to test), "
        f"{settings['epochs']} epochs a round, {first} in the first, T = {settings['timesteps']}, "
        f"initialization `{settings.get('init', 'torch')}`"
    )


UNITS = {"round": "1", "busy": "%", "unbalanced": "1", "same_round": "%"}
"""Of quantities that the paper does not print."""
TRAINING = {
    "accuracy": "Fewer steps, fewer images, another initialization: {trained}.",
    "sparsity": "The recorded round that comes nearest. Both prune a quarter of what is left. "
    "Whichever mask u-Ticket carries on, the balanced one (here, and the paper's text) or the "
    "unbalanced one (its code), none ends sparser than LTH: Table I's 98.4 to 99.0 % are "
    "unexplained.",
    "spike_sparsity": "Of layers' inputs, each layer counted alike; the authors' code counts the "
    "outputs of neurons, each neuron alike.",
    "round": "The recorded round, of 0 to 14.",
}
CYCLES = {
    "work": "A non-zero costs its layer's output positions; ours lie in other layers.",
    "idle": "As work and utilization.",
    "latency": "As work and utilization.",
    "utilization": "Initialization decides how many weights each layer keeps, training how unlike "
    "its filters become: {trained}.",
    "busy": "Work / (work + idle). Utilization is averaged by parameters, most of which lie in "
    "layers with few positions; this is what latency feels.",
}
PE_COUNTS = {
    "energy": "Ours moves only because each wave's mean is rounded up. The paper does not say "
    "what moves its own.",
    "latency": "Both halve with every doubling; the paper prints two digits.",
}
ENERGY_CUT = {
    "energy_cut": "Made of waiting, fewer non-zeros and other work: see `split`.",
    "same_round": "Without the paper's choice of tickets of unlike sparsity.",
}
OTHER_DESIGNS = {
    "utilization": "The paper cites other designs; ours are queues of 4 waves (fifo-d) and the "
    "permutation `sort`, on our LTH ticket of that round.",
    "unbalanced": "The same round without them: so few weights pruned hardly need balancing.",
    "sparsity": "The recorded round that comes nearest.",
    "extra_area": "Area is not modelled here.",
}
SYSTEM = {
    "pe_share": "The paper does not state what memory costs; ours follows the figures and the "
    "dataflow in `uticket_lite.simulation.memory`.",
    "system_energy_cut": "As the share of the PEs; and another sparsity moves the traffic for "
    "weights.",
}
BALANCING = {
    "balancing_share": "Compiled here, and timed on this machine against rounds on the one that "
    "trained: {trained}. The paper does not say how it balanced.",
}

SECTIONS: dict[str, Section] = {
    "Fig. 1": Section("Other balancers", measured.other_balancers, OTHER_DESIGNS),
    "Table I": Section(
        "Accuracy and sparsity of the tickets", measured.accuracy_and_sparsity, TRAINING
    ),
    "Table II": Section("Cycles and utilization", measured.cycles, CYCLES),
    "Table III": Section("More PEs, relative to 2", measured.pe_counts, PE_COUNTS),
    "Fig. 4": Section("Round by round", measured.by_round, {}),
    "Fig. 6": Section("Layer by layer", measured.layers, {}),
    "Fig. 7a": Section("Energy saved", measured.energy_cuts, ENERGY_CUT),
    "split": Section("What an energy cut is made of, in points", measured.energy_split, {}),
    "Fig. 7b": Section("Energy and cycles saved, round by round", measured.cuts_by_round, {}),
    "Fig. 8": Section("Where the energy goes, in units of E_dyn", measured.energy_parts, {}),
    "Fig. 9a": Section("Accesses to memory", measured.accesses, {}),
    "Fig. 9b": Section("The whole system", measured.system, SYSTEM),
    "text": Section("What balancing costs", measured.balancing_share, BALANCING),
    "beyond": Section("On the same ticket: what the paper does not show", measured.beyond, {}),
}
"""Name of a table or figure to what stands beside it; `split` and `beyond` are ours."""
