"""The numbers that the lecturer's pages give, as they are written there."""

from functools import cache
from statistics import NormalDist

import numpy as np
import pandas as pd
from scipy.stats import binom

import uticket_lite as ut
from course.grading import points_by_part
from course.guide.lab import best_designs
from course.guide.trained import TABLE
from uticket_lite import reference
from uticket_lite.paper.published import paper_table
from uticket_lite.paper.study import recorded_study
from uticket_lite.simulation.memory import COSTS
from uticket_lite.teach import accuracy_with, savings, spike_totals
from uticket_lite.teach.exercises import EXERCISES
from uticket_lite.training import FusedLeaky

PES = ut.Accelerator(n_pe=16)
ROUNDS = range(15)


@cache
def numbers() -> dict[str, str]:
    """Name to number, with its unit where the text has none."""
    parts = (_first(), _simulator(), _rounds(), _in_the_loop(), _ways(), _spikes(), _energy())
    found = {
        name: value
        for part in (*parts, _trained(), _chance(), _chip(), _lab())
        for name, value in part.items()
    }
    return found


@cache
def _ticket(name: str = "digits-lth", round: int = 14) -> ut.Ticket:
    return ut.load_ticket(name, round=round)


def _first() -> dict[str, str]:
    dense, pruned = (ut.simulate(_ticket(round=k), PES) for k in (0, 14))
    reports = [ut.simulate(_ticket(round=k), PES) for k in ROUNDS]
    waited = [report.idle / (report.idle + report.work) for report in reports]
    of = {n: ut.simulate(_ticket(), ut.Accelerator(n)) for n in (2, 64)}
    table = ut.compare(_ticket(), PES, ["none", "sort", "uticket"])
    cut = 1 - table["latency"] / table.loc["none", "latency"]
    return {
        "less": f"{dense.work / pruned.work:.0f}",
        "faster": f"{dense.latency / pruned.latency:.0f}",
        "used14": f"{100 * pruned.utilization:.0f}",
        "eq2": f"{reference.utilization([10, 6, 4, 4]):.2f}",
        "waited1": f"{waited[1]:.0%}",
        "half": str(next(k for k in ROUNDS if waited[k] > 0.5)),
        "used2": f"{of[2].utilization:.0%}",
        "cycles2": f"{of[2].latency:,}",
        "cycles64": f"{of[64].latency:,}",
        "cut_uticket": f"{cut['uticket']:.0%}",
        "cut_sort": f"{cut['sort']:.0%}",
        "touched": f"{table.loc['uticket', 'touched']:.0%}",
        "extra": f"{table.loc['uticket', 'extra']:.0%}",
    }


def _simulator() -> dict[str, str]:
    waves = np.random.default_rng(0).binomial(4608, 0.018, 512).reshape(-1, 16)
    k = np.arange(4609)
    at = {n: float((1 - binom.cdf(k, 4608, 0.018) ** n).sum()) for n in (16, 64)}
    current = FusedLeaky(beta=0.25, threshold=1.0).with_membranes
    import torch

    _, membranes = current(torch.full((2, 1), 0.9))
    silent = paper_table()["spike_sparsity"].to_numpy()
    return {
        "luck": f"{np.mean([reference.utilization(wave) for wave in waves]):.0%}",
        "slowest": f"{at[16]:.0f}",
        "slowest64": f"{at[64]:.0f}",
        "four": f"{4 * at[16] / at[64]:.1f}",
        "membrane": f"{float(membranes[1, 0]):g}",
        "s_low": f"{silent.min():.0f}",
        "s_high": f"{silent.max():.0f}",
    }


def _rounds() -> dict[str, str]:
    seeds = ut.load_seeds("digits-lth")
    near = (seeds["sparsity"] - 0.95).abs().argsort()[: seeds["seed"].nunique()]
    dense = ut.load_history("digits-lth")["accuracy"].iloc[0]
    return {
        "at95": f"{100 * seeds.iloc[near]['accuracy'].mean():.1f}",
        "dense": f"{100 * dense:.1f}",
        "rounds95": str(next(k for k in range(99) if 0.75**k <= 0.05)),
    }


def _in_the_loop() -> dict[str, str]:
    one_shot, trained = ut.balance(_ticket(), PES, "uticket", seed=0), _ticket("digits-uticket")
    mean = {
        method: ut.load_seeds(f"digits-{method}").groupby("round")[["sparsity", "accuracy"]].mean()
        for method in ("lth", "uticket")
    }
    alike = np.interp(mean["uticket"]["sparsity"], *mean["lth"].to_numpy().T)
    return {
        "before": f"{100 * accuracy_with('digits-lth', _ticket()):.1f}",
        "oneshot": f"{100 * accuracy_with('digits-lth', one_shot):.1f}",
        "denser": f"{ut.simulate(trained, PES).work / ut.simulate(_ticket(), PES).work:.2f}",
        "lost": f"{100 * (alike - mean['uticket']['accuracy']).max():.1f}",
        "oneshot_cycles": f"{ut.simulate(one_shot, PES).latency:,}",
        "uticket_cycles": f"{ut.simulate(trained, PES).latency:,}",
    }


def _trained() -> dict[str, str]:
    table = pd.read_csv(TABLE)
    of = {
        kind: 100 * rows["accuracy"]
        for kind, rows in table[table["seed"] == 0].groupby(["ticket", "start"])
    }
    once = 100 * table[table["ticket"] == "once"]["accuracy"]
    seeds = {
        method: 100 * ut.load_seeds(f"digits-{method}").query("round == 14")["accuracy"].mean()
        for method in ("lth", "uticket")
    }
    return {
        "once_low": f"{once.min():.0f}",
        "once_high": f"{once.max():.0f}",
        "once_mean": f"{once.mean():.0f}",
        "ends_lth": f"{seeds['lth']:.0f}",
        "ends_uticket": f"{seeds['uticket']:.0f}",
        "early": f"{of['lth', 'early'].mean():.0f}",
        "first": f"{of['lth', 'first'].mean():.0f}",
        "new_low": f"{of['lth', 'new'].min():.0f}",
        "new_high": f"{of['lth', 'new'].max():.0f}",
    }


def _chance() -> dict[str, str]:
    study = pd.DataFrame(recorded_study()).query("network == 'vgg16-small'")
    narrow = study.loc[study["step"].eq(study["step"].max()), "noise"].mean()
    wide = ut.lost(ut.load_ticket("vgg16-cifar10-lth", round=14), PES).noise
    wider, normal = NormalDist(0, 1.05), NormalDist()
    threshold = normal.inv_cdf(1 - (1 - 0.982) / 2)
    more = (1 - wider.cdf(threshold)) / (1 - normal.cdf(threshold)) - 1
    return {
        "chance_narrow": f"{narrow:.2f}",
        "chance_wide": f"{wide:.2f}",
        "wider_keeps": f"{100 * more:.0f}",
    }


def _ways() -> dict[str, str]:
    vgg = ut.synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0.3, seed=0)
    small = ut.compare(_ticket(), PES)
    untouched = small[small["touched"] == 0]["latency"]

    def share(table: pd.DataFrame) -> str:
        saved = table.loc["none", "latency"] - table["latency"]
        return f"{100 * saved['sort'] / saved['uticket']:.0f}"

    return {
        "sort_of": share(ut.compare(vgg, PES, ["none", "sort", "uticket"])),
        "sort_digits": share(small),
        "untouched": str(untouched.idxmin()),
        "untouched_cycles": f"{untouched.min():,}",
    }


def _spikes() -> dict[str, str]:
    each = spike_totals(("digits-lth", "digits-uticket"), PES, images=10)
    totals = each.groupby(["run", "barrier"]).mean()
    cycles = totals["latency"].unstack("run")
    ratio = cycles["digits-uticket"] / cycles["digits-lth"]
    alive = {
        name: sum(_ticket(name).layers[layer].nonzeros for layer in _ticket(name).counted)
        for name in ("digits-lth", "digits-uticket")
    }
    return {
        "by_spikes": f"{100 * totals.loc[('digits-uticket', 'wave'), 'utilization']:.0f}",
        "spikes_layer": f"{ratio['layer']:.2f}",
        "spikes_position": f"{ratio['position']:.2f}",
        "nonzeros": f"{alive['digits-uticket'] / alive['digits-lth']:.1f}",
    }


def _energy() -> dict[str, str]:
    near = [r / 1000 for r in range(501) if savings(r / 1000)["difference"].abs().max() <= 0.5]

    def waiting(row: pd.Series, r: float) -> float:
        work, idle, s = (row[name, "lth"] for name in ("work", "idle", "spike_sparsity"))
        whole = ut.pe_energy(work, idle, s / 100, leak_ratio=r)
        return 100 * (1 - ut.pe_energy(work, 0, s / 100, leak_ratio=r) / whole)

    table, gated = paper_table(), ut.GATINGS["clock-gated"].leak_ratio
    most = max(waiting(row, gated) for _, row in table.iterrows())
    energy = {
        name: [ut.simulate(_ticket(), ut.Accelerator(n), name).energy for n in (2, 32)]
        for name in ("none", "uticket")
    }
    plain, level = (ut.simulate(_ticket(), PES, name) for name in ("none", "uticket"))
    stopped = plain.energy_as("clock-gated")
    return {
        "r_low": f"{near[0]:.3f}",
        "r_high": f"{near[-1]:.3f}",
        "waiting": f"{waiting(table.loc['resnet19', 'fashion-mnist'], 0.21):.1f}",
        "gated": f"{most:.1f}",
        "growth": f"{energy['none'][1] / energy['none'][0]:.1f}",
        "growth_balanced": f"{energy['uticket'][1] / energy['uticket'][0]:.1f}",
        "gated_share": f"{plain.breakdown('clock-gated')['waiting'].sum() / stopped:.0%}",
        "gated_change": f"{level.energy_as('clock-gated') / stopped - 1:+.0%}",
    }


def _chip() -> dict[str, str]:
    layers = [_ticket().layers[name] for name in _ticket().counted]
    mask, values = sum(x.size for x in layers), 8 * sum(x.nonzeros for x in layers)
    shares = []
    for costs in COSTS:
        for name in ("none", "uticket"):
            of = ut.system_energy(ut.simulate(_ticket(), PES, name), costs=costs)
            shares.append(of["PE"] / sum(of[part] for part in ("PE", "SRAM", "DRAM")))
    kept = ("dram_weights", "dram_spikes")
    plain = ut.simulate(_ticket(), PES)
    on_chip = [ut.system_energy(plain, costs=costs, without=kept) for costs in COSTS]
    return {
        "mask_share": f"{100 * mask / (mask + values):.0f}",
        "list_wins": f"{100 * (1 - 1 / 13):.1f}",
        "pe_share": f"{np.ceil(1000 * max(shares)) / 10:g}",
        "pe_on_chip": " or ".join(f"{100 * of['PE'] / sum(of.values()):.0f}" for of in on_chip),
        "break_even": f"{EXERCISES['break_even'].reference(4096):.0f}",
    }


def _lab() -> dict[str, str]:
    found = best_designs()
    points = points_by_part()
    hand = points["argument"]
    return {
        **found,
        "rubric_auto": f"{sum(points.values()) - hand:g} points",
        "rubric_hand": f"{hand:g}",
    }
