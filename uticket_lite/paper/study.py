"""What decides .59: utilization and its floor against training steps, over many small runs.

The paper does not say what its tickets' utilization depends on. `collect` reads runs that were
trained with `Settings.probe`: in their first round the weights were pruned to one sparsity, for a
look, again and again. Their table is recorded as `data/study.csv`:
`collect(runs).to_csv("data/study.csv", index=False, float_format="%.6g")`.
"""

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from uticket_lite.paper.published import paper_table
from uticket_lite.paper.recorded import DATASET, NETWORKS, PES
from uticket_lite.paper.section import Row, Section
from uticket_lite.simulation.lost import lost
from uticket_lite.simulation.spread import spread
from uticket_lite.tickets.history import read_history
from uticket_lite.tickets.recorded import DATA, history_file
from uticket_lite.tickets.ticket import Ticket

TABLE = "study.csv"
SETTINGS = {
    "dataset": "",
    "network": "vgg16",
    "method": "lth",
    "init": "torch",
    "neuron": "leaky",
    "loss": "mean-score",
    "norm": "folded",
    "scope": "global",
    "carry": "balanced",
    "prune": 0.25,
    "rewind_epoch": 0,
    "epochs": 0,
    "dense_epochs": 0,
    "learning_rate": 0.1,
    "anneal": "epoch",
    "cutout": 0,
    "seed": 0,
}
"""What runs may differ in, and what it is where a run does not say."""
CURVES = {
    "torch": "PyTorch's initialization",
    "kaiming": "the authors' initialization",
    "released": "all of the released recipe",
}
"""What the picture tells apart: an initialization, or that and the neuron, loss and norm."""
PANELS = {
    "vgg16-small": "VGG-16 at a quarter of its width",
    "vgg16": "VGG-16",
    "resnet19-small": "ResNet-19 at a quarter of its width",
    "resnet19": "ResNet-19",
}
"""The networks of the picture, in its order."""
PIXELS = {"cifar10-jpeg-16": "16×16 pixels", "cifar10-jpeg": "32×32 pixels"}


def collect(runs: Iterable[str | os.PathLike[str]]) -> pd.DataFrame:
    """One row for every probe and round of the runs, given by their directories.

    Columns: run, the settings in `SETTINGS`, step (of the first round; of a probe) or round (of a
    ticket), NaN for the other; sparsity and accuracy (of the whole network at that step, for a
    probe before pruning); what `lost` says: utilization, floor, noise, layers, filters; unbalanced,
    the utilization of a round's ticket before it was balanced; mean filter_cov and gini of the
    layers, by parameters (see `spread`); and where non-zeros lie, their share in each counted
    layer, with spaces between.
    A run that has not ended gives what it has seen so far; one that has not begun is left out.
    """
    return pd.DataFrame([row for run in runs for row in _rows_of(Path(run))])


def _rows_of(run: Path) -> Iterator[Row]:
    from uticket_lite.training.checkpoint import load_checkpoint
    from uticket_lite.training.directory import checkpoint_file

    if checkpoint_file(run).is_file():
        settings, state = load_checkpoint(checkpoint_file(run))
        rounds = state.rows
    elif history_file(run).is_file():
        history = read_history(history_file(run))
        settings, rounds = history["settings"], history["rounds"]
    else:
        return
    unbalanced = {row["round"]: row["utilization_before_balancing"] for row in rounds}
    known = {name: settings.get(name, otherwise) for name, otherwise in SETTINGS.items()}
    known["dataset"] = Path(known["dataset"]).stem
    about = {"run": run.name.rsplit("-seed", 1)[0], **known}
    for kind, files in (("step", "probes/step-*"), ("round", "round-*")):
        for file in sorted(run.glob(f"{files}.safetensors")):
            ticket, number = Ticket.load(file), int(file.stem.split("-")[1])
            yield {
                **about,
                "step": float("nan"),
                "round": float("nan"),
                kind: number,
                "sparsity": ticket.sparsity,
                "accuracy": ticket.provenance["accuracy"],
                **lost(ticket, PES).to_dict(),
                "unbalanced": unbalanced[number] if kind == "round" else float("nan"),
                **_spread_of(ticket),
            }


def _spread_of(ticket: Ticket) -> Row:
    each = spread(ticket, PES, ticket.counted)
    layers = [ticket.layers[name] for name in ticket.counted]
    sizes, nonzeros = (np.array([getattr(x, of) for x in layers]) for of in ("size", "nonzeros"))
    held = nonzeros > 0  # a layer without non-zeros has no spread
    means = {
        name: float(np.average(each[name][held], weights=sizes[held]))
        for name in ("filter_cov", "gini")
    }
    return {**means, "where": " ".join(f"{x:.5f}" for x in nonzeros / nonzeros.sum())}


def recorded_study() -> Iterator[Row]:
    """The rows of `collect` as recorded; none if there is no recording."""
    if (DATA / TABLE).is_file():
        yield from pd.read_csv(DATA / TABLE).to_dict("records")


def by_steps(table: pd.DataFrame) -> pd.DataFrame:
    """Utilization and floor by network, images, recipe, figure and step: mean, min and max over
    seeds.

    Of the probes of runs whose name begins with `steps`.
    """
    probes = table[table["run"].str.startswith("steps")].dropna(subset="step")
    probes = probes.assign(recipe=probes["init"])
    probes.loc[probes["neuron"] == "input-decay", "recipe"] = "released"
    long = probes.melt(
        ["network", "dataset", "recipe", "step", "seed"],
        ["utilization", "floor"],
        "figure",
        "value",
    )
    grouped = long.groupby(["network", "dataset", "recipe", "figure", "step"])["value"]
    return grouped.agg(["mean", "min", "max"]).reset_index()


def passes(table: pd.DataFrame, network: str, recipe: str, value: float) -> float:
    """Steps after which utilization (mean of `by_steps`) stays below `value`.

    Between two probes, on the straight line over log steps. NaN if it ends above, 0 if it was
    never above.
    """
    spread = by_steps(table)
    of = spread["network"].eq(network) & spread["recipe"].eq(recipe)
    line = spread[of & spread["figure"].eq("utilization")].sort_values("step")
    steps, means = line["step"].to_numpy(float), line["mean"].to_numpy(float)
    above = np.flatnonzero(means >= value)
    if above.size == 0:
        return 0.0
    last = int(above[-1])
    if last == len(means) - 1:
        return math.nan
    part = (means[last] - value) / (means[last] - means[last + 1])
    return float(max(steps[last], 1) ** (1 - part) * steps[last + 1] ** part)


def disagreement(table: pd.DataFrame, network: str) -> pd.Series:
    """How far apart two initializations put non-zeros, by step: the share of them that lies in
    another layer, 0 to 1, of the first seed that has both.

    While it is large, initialization decides where non-zeros lie; when it is small, training does.
    """
    probes = table[table["run"].str.startswith("steps") & table["network"].eq(network)]
    probes = probes[probes["neuron"].eq("leaky")].dropna(subset="step")
    first = probes[probes["seed"].eq(probes["seed"].min())].set_index(["init", "step"])["where"]
    one, other = (first.loc[init] for init in ("kaiming", "torch"))
    shares = {
        step: [np.array(where.loc[step].split(), float) for where in (one, other)]
        for step in one.index.intersection(other.index)
    }
    return pd.Series({step: float(abs(a - b).sum() / 2) for step, (a, b) in shares.items()})


def of_paper(network: str) -> float:
    """The paper's utilization of its LTH ticket of this network, narrow ones included."""
    whole = next(name for name in NETWORKS if network.startswith(name))
    return float(paper_table()["utilization", "lth"][whole, DATASET])


def steps_chart(table: pd.DataFrame) -> Any:
    """Utilization and floor against training steps, a panel for each network."""
    import altair as alt

    from uticket_lite.explore.charts import palette

    spread = by_steps(table)
    for column in ("mean", "min", "max"):
        spread[column] *= 100
    x = alt.X(
        "step:Q",
        title="training steps before weights are pruned to 98.2 %",
        scale=alt.Scale(type="symlog", constant=1, domain=[0, spread["step"].max()]),
        axis=alt.Axis(values=[0, 1, 10, 100, 1000, 10_000, 100_000], format=",d"),
    )
    y = alt.Y("mean:Q", title="utilization (%)", scale=alt.Scale(domain=[0, 100]))
    colour = alt.Color(
        "recipe:N",
        title=None,
        scale=alt.Scale(
            domain=list(CURVES.values()),
            range=[palette.RECIPE_COLOURS[recipe] for recipe in CURVES],
        ),
        legend=alt.Legend(orient="top", labelLimit=0, symbolOpacity=1, columnPadding=30),
    )
    dash = alt.StrokeDash(
        "figure:N",
        scale=alt.Scale(domain=["utilization", "floor"], range=[[1, 0], [4, 3]]),
        legend=None,
    )
    spread["recipe"] = spread["recipe"].map(CURVES)

    def panel(network: str, images: str) -> Any:
        title = f"{PANELS.get(network, network)}, images of {PIXELS.get(images, images)}"
        part = spread[(spread["network"] == network) & (spread["dataset"] == images)]
        measured = part[part["figure"] == "utilization"]
        line = alt.Chart(part).mark_line().encode(x=x, y=y, color=colour, strokeDash=dash)
        band = alt.Chart(measured).mark_area(opacity=0.25)
        last = part.sort_values("step").groupby(["recipe", "figure"]).tail(1)
        last = last.sort_values("mean").groupby("figure").tail(1)
        last = last.assign(
            step=spread["step"].max(), name=last["figure"].map({"floor": "if filters were alike"})
        )
        floor = alt.Chart(last.dropna(subset="name")).mark_text(align="left", dx=6, dy=-6)
        where = {"mean": [100 * of_paper(network)], "step": [spread["step"].max()]}
        rule = pd.DataFrame({**where, "name": [f"the paper's ticket, {of_paper(network)}"]})
        line_of_paper = alt.Chart(rule).mark_rule(color=palette.METHOD_COLOURS["LTH"], size=1.5)
        text = alt.Chart(rule).mark_text(align="left", dx=6, dy=6)
        return (
            band.encode(x=x, y=alt.Y("min:Q"), y2="max:Q", color=colour)
            + line_of_paper.encode(y=y)
            + line
            + floor.encode(x=x, y=y, text="name:N")
            + text.encode(x=x, y=y, text="name:N")
        ).properties(width=560, height=230, title=title)

    each = spread[["network", "dataset"]].drop_duplicates()
    place = {network: i for i, network in enumerate(PANELS)}
    each = each.sort_values("network", key=lambda networks: networks.map(place))
    return alt.vconcat(*(panel(*which) for which in each.itertuples(index=False)))


SECTION = Section(
    "study",
    "What decides .59: utilization at one sparsity, by training",
    130,
    recorded_study,
    chart=steps_chart,
    words="Utilization after pruning to 98.2 %, and what it would be with filters alike, against "
    "training steps, for two initializations; a rule is the paper's.",
)
