"""The study: runs collected into a table, and what its pictures say."""

import json
import math
import shutil
from dataclasses import replace

import pandas as pd
import pytest

import uticket_lite as ut
from uticket_lite.explore.pictures import Picture
from uticket_lite.paper import factors, study
from uticket_lite.tickets.recorded import DATA
from uticket_lite.training.checkpoint import State, save_checkpoint
from uticket_lite.training.directory import checkpoint_file

PES = ut.Accelerator(16)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run: a recorded one with two probes."""
    run = tmp_path_factory.mktemp("runs") / "base-seed3"
    shutil.copytree(DATA / "digits-lth", run)
    (run / "probes").mkdir()
    for step in (0, 8):
        ticket = replace(ut.load_ticket("digits-lth", 2), provenance={"accuracy": 0.1 * step})
        ticket.save(run / "probes" / f"step-{step:06d}.safetensors")
    return run


def test_probes_and_rounds_are_collected_with_settings_and_losses(run):
    table = study.collect([run])
    assert table["run"].eq("base").all()
    assert table["step"].dropna().tolist() == [0, 8]
    assert table["round"].dropna().tolist() == list(range(15))
    last = table[table["round"] == 14].iloc[0]
    expected = ut.lost(ut.load_ticket("digits-lth", 14), PES).to_dict()
    assert last[list(expected)].to_dict() == pytest.approx(expected)
    before = ut.load_history("digits-lth")["utilization_before_balancing"]
    assert table["unbalanced"].dropna().tolist() == before.tolist(), "of rounds only"
    assert last["network"] == "digits"
    assert (
        last["rewind_epoch"]
        == json.loads((run / "history.json").read_text())["settings"]["rewind_epoch"]
    )
    assert table[table["step"] == 8]["accuracy"].item() == 0.8


def test_a_run_that_has_not_ended_gives_what_it_has_seen(run, tmp_path):
    half = tmp_path / "half-seed0"
    shutil.copytree(run, half, ignore=shutil.ignore_patterns("history*", "round-*"))
    assert study.collect([half]).empty, "nothing says with which settings"
    settings = {**study.SETTINGS, "dataset": "there/few.npz", "network": "vgg9"}
    save_checkpoint(checkpoint_file(half), settings, State())
    table = study.collect([half])
    assert table["step"].tolist() == [0, 8]
    assert table[["network", "dataset"]].drop_duplicates().to_numpy().tolist() == [["vgg9", "few"]]


def made(**columns):
    """A table with two recipes and two seeds that falls from .7 to .5 and from .6 to .4."""
    rows = [
        {
            **study.SETTINGS,
            "run": f"steps-{init}",
            "network": "vgg16-small",
            "init": init,
            "seed": seed,
            "step": step,
            "round": math.nan,
            "utilization": high + seed / 100 - 0.1 * place,
            "floor": 0.7,
        }
        for init, high in (("kaiming", 0.7), ("torch", 0.6))
        for seed in (0, 1)
        for place, step in enumerate((1, 10, 100))
    ]
    return pd.DataFrame(rows).assign(**columns)


def test_the_spread_is_over_seeds():
    spread = study.by_steps(made()).set_index(["recipe", "figure", "step"])
    of = spread.loc[("kaiming", "utilization", 10)]
    assert of[["min", "mean", "max"]].tolist() == pytest.approx([0.6, 0.605, 0.61])
    released = study.by_steps(made(neuron="input-decay"))
    assert set(released["recipe"]) == {"released"}


def test_curves_are_of_runs_made_for_them():
    """A lottery's dense round, with its own learning rate, is none of their seeds."""
    others = made(run="vgg16-16x16-lth", network="vgg16", utilization=0.1)
    both = pd.concat([made(), others], ignore_index=True)
    pd.testing.assert_frame_equal(study.by_steps(both), study.by_steps(made()))


def test_steps_at_which_utilization_passes_a_value():
    table = made()
    assert study.passes(table, "vgg16-small", "kaiming", 0.555) == pytest.approx(10**1.5)
    assert math.isnan(study.passes(table, "vgg16-small", "kaiming", 0.4))
    assert study.passes(table, "vgg16-small", "torch", 0.9) == 0


def test_where_non_zeros_lie_and_how_unlike_filters_are_is_kept(run):
    last = study.collect([run]).iloc[-1]
    report = ut.simulate(ut.load_ticket("digits-lth", 14), PES)
    held, size = report.layers["nonzeros"], report.layers["parameters"]
    shares = [float(share) for share in last["where"].split()]
    assert shares == pytest.approx(list(held / held.sum()), abs=1e-5)
    assert last["gini"] == pytest.approx((report.spread["gini"] * size).sum() / size.sum())


def test_initializations_disagree_by_what_lies_in_other_layers():
    table = made().assign(where="0.50000 0.50000")
    table.loc[table["init"].eq("torch") & table["step"].eq(1), "where"] = "0.20000 0.80000"
    apart = study.disagreement(table, "vgg16-small")
    assert apart.to_dict() == pytest.approx({1: 0.3, 10: 0, 100: 0})


def test_the_papers_utilization_stands_beside_narrow_networks_too():
    assert study.of_paper("vgg16") == study.of_paper("vgg16-small") == 0.59
    assert study.of_paper("resnet19-small") == 0.31


def test_a_factor_is_what_differs_from_the_base():
    columns = {"step": math.nan, "round": 14, "network": "vgg16-small"}
    base = made(**columns).iloc[:2].assign(run="base", seed=[0, 1])
    other = made(**columns).iloc[-2:].assign(run="x", seed=[0, 1], rewind_epoch=6)
    wider = other.assign(run="wide", network="vgg16")
    last = factors.last_rounds(pd.concat([base, other, wider], ignore_index=True))
    assert last["factor"].tolist() == ["base"] * 2 + ["init torch, rewind_epoch 6"] * 2


def test_pictures_are_drawn_and_say_what_the_paper_has():
    spec = json.dumps(study.SECTION.draw(made()).to_dict())
    assert "the paper's ticket, 0.59" in spec
    assert all(name in spec for name in study.CURVES.values())
    last = made(round=14, step=math.nan).assign(factor="base", noise=0.1, layers=0.1, filters=0.1)
    for chart in (study.SECTION.draw(made()), factors.SECTION.draw(last)):
        assert Picture(chart, "in words")._repr_html_().startswith("<img")


def test_names_of_all_that_a_run_changes_have_room():
    """An axis cuts off what is longer than its largest extent, 200 pixels unless it says more."""
    table = pd.DataFrame(factors.factors())
    spec = factors.chart(table).to_dict()
    axes = {layer["encoding"]["y"]["axis"]["maxExtent"] for layer in spec["layer"]}
    assert min(axes) > 5.5 * table["factor"].str.len().max() > 200, "a letter is 5 pixels wide"
