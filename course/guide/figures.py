"""The course's key figures as SVG and PNG: `python -m course.guide.figures FOLDER`."""

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import torch
import vl_convert

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.explore.charts.palette import COUNTED, TIME
from uticket_lite.paper import SECTIONS
from uticket_lite.teach import accuracy_with, pictures
from uticket_lite.training import FusedLeaky

LIGHT = {"background": "white"}
NEUTRAL, SPIKE = TIME["work"], COUNTED["spikes"]
SCALE = 2
"""Pixels of a PNG for each unit of its SVG: sharp on a beamer."""


def explored(make: Callable[[], Any], **state: Any) -> str:
    """An explorer's picture, its controls moved to `state`."""
    explorer = make()
    explorer.state = explorer.nearest(**state)
    return explorer.svg()


def drawn(chart: alt.TopLevelMixin) -> str:
    """An Altair chart."""
    return vl_convert.vegalite_to_svg({**chart.to_dict(), **LIGHT})


def alone(svg: str) -> str:
    """A picture of `teach.pictures` as a file of its own, black on white."""
    width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups()
    page = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    whole = f'<svg {page} color="black" font-family="sans-serif" '
    return svg.replace("<svg ", whole, 1).replace(
        ">", '><rect width="100%" height="100%" fill="white"/>', 1
    )


def luck() -> str:
    """The first wave of 16 loads of a layer pruned at random, as in its notebook."""
    loads = np.random.default_rng(0).binomial(4608, 0.018, 512)[:16].tolist()
    return alone(pictures.bars([loads], f"Loads by luck alone: {loads}"))


def arrays() -> str:
    """Latency and utilization of the pruned network by number of PEs."""
    rows = [
        (n, figure, value)
        for n in (2, 4, 8, 16, 32, 64)
        for report in [ut.simulate(ut.load_ticket("digits-lth", round=14), ut.Accelerator(n))]
        for figure, value in (
            ("latency (cycles)", report.latency),
            ("utilization (%)", 100 * report.utilization),
        )
    ]
    base = alt.Chart(pd.DataFrame(rows, columns=["PEs", "figure", "value"]))
    line = base.mark_line(point=True).encode(
        x=alt.X("PEs:O", axis=alt.Axis(labelAngle=0)), y=alt.Y("value:Q", title=None)
    )
    return drawn(
        line.properties(width=280, height=200)
        .facet(column=alt.Column("figure:N", title=None))
        .resolve_scale(y="independent")
    )


def membrane() -> str:
    """Membrane and spikes of one neuron under a constant current."""
    spikes, membranes = FusedLeaky(beta=0.25, threshold=1.0).with_membranes(torch.full((8, 1), 0.9))
    table = pd.DataFrame(
        {
            "timestep": range(1, 9),
            "membrane": membranes[:, 0].tolist(),
            "spike": ["spike" if s else "none" for s in spikes[:, 0]],
        }
    )
    base = alt.Chart(table).encode(x=alt.X("timestep:O", axis=alt.Axis(labelAngle=0)))
    bars = base.mark_bar(width=18).encode(
        y=alt.Y("membrane:Q", title="membrane v"),
        color=alt.Color("spike:N", scale={"domain": ["spike", "none"], "range": [SPIKE, NEUTRAL]}),
    )
    words = base.mark_text(dy=-7).encode(y="membrane:Q", text=alt.Text("membrane:Q", format=".3"))
    threshold = pd.DataFrame({"membrane": [1.0]})
    rule = alt.Chart(threshold).mark_rule(strokeDash=[4, 3]).encode(y="membrane:Q")
    return drawn((bars + words + rule).properties(width=420, height=220))


def one_shot() -> str:
    """What the network reads before and after one-shot balancing, and trained in the loop."""
    pes, ticket = ut.Accelerator(n_pe=16), ut.load_ticket("digits-lth", round=14)
    after = ut.balance(ticket, pes, "uticket", seed=0)
    accuracy = {
        "pruned": accuracy_with("digits-lth", ticket),
        "balanced afterwards": accuracy_with("digits-lth", after),
        "balanced in the loop": accuracy_with("digits-uticket", ut.load_ticket("digits-uticket")),
    }
    table = pd.DataFrame({"ticket": accuracy.keys(), "accuracy": accuracy.values()})
    base = alt.Chart(table).encode(
        x=alt.X("accuracy:Q", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("ticket:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
    )
    words = base.mark_text(align="left", dx=4).encode(text=alt.Text("accuracy:Q", format=".1%"))
    return drawn((base.mark_bar(size=22, color=NEUTRAL) + words).properties(width=420, height=110))


def formats() -> str:
    """Bits of a mask and of a list of positions for one layer of the recorded VGG-16, by round."""
    rows = [
        (layer.sparsity, form, bits / 1e6)
        for number in range(2, 14)
        for layer in [ut.load_ticket("vgg16-cifar10-lth", number).layers["conv9"]]
        for form, bits in (("mask", layer.size), ("list", 13 * layer.nonzeros))
    ]
    table = pd.DataFrame(rows, columns=["weights pruned", "format", "million bits"])
    chart = alt.Chart(table).encode(
        x=alt.X("weights pruned:Q", axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)),
        y="million bits:Q",
        strokeDash=alt.StrokeDash("format:N", title=None),
    )
    return drawn(chart.mark_line(color=NEUTRAL).properties(width=420, height=220))


ON_CHIP = ("dram_weights", "dram_spikes")
"""What does not come from DRAM where weights and spikes stay on the chip."""


def shares() -> str:
    """Where a chip's energy goes, by what stays on it."""
    from uticket_lite.simulation.memory import COSTS

    ticket, pes = ut.load_ticket("digits-lth", round=14), ut.Accelerator(n_pe=16)
    rows = [
        (COSTS[costs].label.split(":")[0], stays, part, energy)
        for costs in COSTS
        for stays, kept in (("all from DRAM", ()), ("all on the chip", ON_CHIP))
        for part, energy in ut.system_energy(
            ut.simulate(ticket, pes), costs=costs, without=kept
        ).items()
    ]
    table = pd.DataFrame(rows, columns=["an access costs", "memory", "part", "pJ"])
    whole = table.groupby(["an access costs", "memory"])["pJ"].transform("sum")
    table["share of all energy"] = table["pJ"] / whole
    base = alt.Chart(table).encode(
        x=alt.X("share of all energy:Q", axis=alt.Axis(format="%")),
        y=alt.Y("part:N", title=None, sort=["PE", "SRAM", "DRAM"]),
    )
    words = base.mark_text(align="left", dx=4).encode(
        text=alt.Text("share of all energy:Q", format=".2%")
    )
    both = (base.mark_bar(color=NEUTRAL) + words).properties(width=260, height=80)
    return drawn(
        both.facet(
            row=alt.Row("memory:N", title=None),
            column=alt.Column("an access costs:N", title="an access costs"),
        )
    )


def printed(name: str) -> str:
    """A figure of the paper, drawn of our numbers; "" where no run is recorded for it."""
    section = SECTIONS[name]
    table = section.table()
    return drawn(section.draw(table)) if len(table) else ""


def _of_paper(name: str) -> str:
    return "10-" + re.sub(r"\W+", "-", name.lower()).strip("-")


_LAST = {"run": "digits-lth", "round": 14, "n_pe": 16}
_CLOCK = {"run": "digits-lth", "round": 14, "layer": "conv3"}

FIGURES: dict[str, Callable[[], str]] = {
    "00-waiting": partial(explored, explore.workload, **_LAST),
    "00-balanced": partial(explored, explore.workload, **_LAST, strategy="uticket"),
    "00-fastest": arrays,
    "00-by-hand": lambda: alone(pictures.bars([[7, 2, 5, 3], [1, 6, 4, 0]], "Two waves of 4 PEs")),
    "01-luck": luck,
    "01-barrier": partial(explored, explore.timeline, **_CLOCK),
    "01-queue": partial(explored, explore.timeline, **_CLOCK, strategy="queue"),
    "02-regrow-only": partial(explored, explore.workload, **_LAST, strategy="regrow-only"),
    "03-membrane": membrane,
    "04-rounds": lambda: explore.rounds("digits-lth").svg(),
    "05-one-shot": one_shot,
    "05-rounds": lambda: explore.rounds(("digits-lth", "digits-uticket")).svg(),
    "06-strategies": partial(explored, explore.strategies, **_LAST),
    "07-spikes": partial(explored, explore.spikes, run="digits-uticket"),
    "08-paper": partial(explored, explore.energy, **_LAST, gating="paper"),
    "08-gated": partial(explored, explore.energy, **_LAST, gating="clock-gated"),
    "08-ungated": partial(explored, explore.energy, **_LAST, gating="ungated"),
    "09-formats": formats,
    "09-energy": shares,
    **{_of_paper(n): partial(printed, n) for n, s in SECTIONS.items() if s.chart is not None},
}
"""Name to what draws it, in light colours; names begin with their notebook's number."""


def write(folder: Path) -> list[Path]:
    """Every figure that runs are recorded for, as NAME.svg and NAME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in FIGURES.items():
        svg = make()
        if not svg:
            continue
        for file, content in (
            (folder / f"{name}.svg", svg.encode()),
            (folder / f"{name}.png", vl_convert.svg_to_png(svg, scale=SCALE)),
        ):
            file.write_bytes(content)
            written.append(file)
    return written


if __name__ == "__main__":
    files = write(Path(sys.argv[1]))
    print(f"wrote {len(files)} files into {sys.argv[1]}")
