"""The sweep explorer: each cell is what `simulate` finds, from whatever it is opened, and while
the sweep still runs."""

import json
import threading
import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.explore import cells as found
from uticket_lite.explore.cells import runs_among
from uticket_lite.explore.explorers.sweep import LABELLED, MOST
from uticket_lite.simulation import chunks
from uticket_lite.simulation.rows import Rows

TICKETS = {f"run {r}": ("digits-lth", r) for r in (4, 14)}
AXES = {"n_pe": [4, 16], "strategies": ["none", "sort", "uticket"], "seeds": [0, 3]}


@pytest.fixture(scope="module")
def table():
    return ut.sweep(TICKETS, **AXES, gating=list(ut.GATINGS), progress=False)


def shown(explorer, data="pes"):
    """Strategy and column to what the cell shows."""
    cells = explorer.tables[data]
    column = "n_pe" if data == "pes" else "round"
    return {
        (strategy, at): share
        for strategy, at, share in zip(
            cells["strategy"], cells[column], cells["share"], strict=True
        )
    }


def patiently(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def test_cells_and_figures_are_what_simulate_finds(table):
    explorer = explore.sweep(table)
    for strategy in AXES["strategies"]:
        for number, (_, r) in enumerate(TICKETS.values()):
            for n in AXES["n_pe"]:
                explorer.state = explorer.nearest(strategy=strategy, round=number, n_pe=n)
                ticket, pes = ut.load_ticket("digits-lth", r), ut.Accelerator(n)
                reports = [ut.simulate(ticket, pes, strategy, seed) for seed in AXES["seeds"]]

                def mean(figure, reports=reports):
                    return np.mean([getattr(report, figure) for report in reports])

                figures = dict(explorer.frame["figures"])
                assert figures["utilization"] == f"{mean('utilization'):.1%}"
                assert figures["latency (cycles)"] == f"{mean('latency'):,.0f}"
                assert figures["energy (E_dyn)"] == f"{mean('energy'):,.0f}"
                waiting = mean("idle") / (mean("idle") + mean("work"))
                assert figures["waiting, of all PE-cycles"] == f"{waiting:.1%}"
                assert figures["seeds"] == "2"
                for data, column in (("pes", n), ("rounds", number)):
                    share = shown(explorer, data)[strategy, column]
                    assert share == pytest.approx(mean("utilization"), rel=1e-12)


def test_cycles_and_energy_are_beside_the_best_of_the_same_column(table):
    explorer = explore.sweep(table)
    for figure in ("latency", "energy"):
        explorer.state = explorer.nearest(figure=figure, gating="ungated")
        last = table[(table["ticket"] == "run 14") & (table["gating"] == "ungated")]
        means = last.groupby(["n_pe", "strategy"], observed=True)[figure].mean()
        for (strategy, n), share in shown(explorer).items():
            assert share == pytest.approx(means[n].min() / means[n, strategy], rel=1e-12)
        assert max(shown(explorer).values()) == 1


def test_words_say_who_is_best_and_what_becomes_of_the_strategy(table):
    explorer = explore.sweep(table)
    explorer.state = explorer.nearest(strategy="none")
    shares, sparsities = shown(explorer), shown(explorer, "rounds")
    summary = explorer.frame["summary"]
    assert "of 3 strategies, best by utilization: uticket (100.0%)" in summary
    assert f"{shares['none', 4]:.1%} at 4 PEs and {shares['none', 16]:.1%} at 16 PEs" in summary
    first, last = (f"{100 * ut.load_ticket('digits-lth', r).sparsity:.1f}%" for r in (4, 14))
    ends = sparsities["none", 0], sparsities["none", 1]
    assert f"{ends[0]:.1%} at {first} pruned and {ends[1]:.1%} at {last} pruned" in summary


def test_what_the_sweep_does_not_have_is_empty_and_said():
    asked = {"n_pe": [2, 4], "mappings": list(ut.MAPPINGS), "strategies": ["none", "sort"]}
    explorer = explore.sweep(ut.sweep("digits-lth", **asked))
    explorer.state = explorer.nearest(strategy="sort", mapping="input-channel")
    assert np.isnan(shown(explorer)["sort", 2])
    assert not np.isnan(shown(explorer)["none", 2])
    assert "no “sort” here" in explorer.frame["message"]
    explorer.state = explorer.nearest(strategy="none")
    assert not explorer.frame["message"]


def test_energy_that_is_not_known_is_no_number():
    ticket = ut.Ticket.from_arrays({"a": np.eye(8)})
    explorer = explore.sweep(ut.sweep(ticket, strategies=["none", "sort"]))
    explorer.state = explorer.nearest(figure="energy")
    assert dict(explorer.frame["figures"])["energy (E_dyn)"] == "unknown"
    assert "Energy is not known" in explorer.frame["message"]
    assert set(explorer.frame["data"]["pes"]["share"]) == {None}


def test_of_many_columns_some_are_drawn_and_the_chosen_one():
    few, many = range(2, 2 + LABELLED), range(2, 300)
    for pes in (few, many):
        explorer = explore.sweep(ut.sweep("digits-lth", pes, strategies=["none", "lpt"]))
        explorer.state = explorer.nearest(n_pe=7)
        columns = {n for _, n in shown(explorer)}
        assert 7 in columns
        assert len(columns) <= MOST + 1
        assert {min(pes), max(pes)} <= columns
        assert any(explorer.frame["data"]["pes"]["text"]) == (pes is few)


@pytest.mark.parametrize(
    ("names", "runs"),
    [
        (["a round 2", "a round 10", "b:1", "b"], {"a": 2, "b": 2}),
        (["round 8", "round 9"], {"tickets": 2}),
        (["ticket 0", "ticket 1"], {"ticket": 2}),
        (["mine", "yours"], {"tickets": 2}),
        (["vgg16-cifar10-lth round 3", "vgg16-cifar10-lth round 4"], {"vgg16-cifar10-lth": 2}),
    ],
)
def test_names_that_differ_in_a_number_are_one_run(names, runs):
    assert {run: len(tickets) for run, tickets in runs_among(names).items()} == runs


def test_tickets_that_nothing_tells_apart_keep_their_names():
    alike = {"a": ("digits-lth", 14), "b": ("digits-lth", 14)}
    explorer = explore.sweep(ut.sweep(alike, strategies="none"))
    labels = [label for label, _ in explorer.frame["controls"][3]["options"]]
    assert len(set(labels)) == 2
    assert labels[0].startswith("a: ")


def test_a_run_is_swept_in_the_background_and_ends_as_the_table(table, monkeypatch):
    """Frames on the way say so, and are not kept by the page."""
    monkeypatch.setattr(chunks, "SECONDS", 0.001)
    monkeypatch.setattr("uticket_lite.explore.explorer.PAUSE", 0.0)
    sent = []
    monkeypatch.setattr(explore.Explorer, "send", lambda self, content: sent.append(content))
    explorer = explore.sweep(TICKETS, **AXES)
    assert {n for _, n in shown(explorer)} == {4, 16}, "its shape is known at once"
    explorer.wait()
    frames = [content["frame"] for content in sent]
    assert [frame["growing"] for frame in frames] == [True] * (len(frames) - 1) + [False]
    assert len(frames) > 3
    assert "Still sweeping" in frames[0]["message"]
    assert f"of {len(table):,}" in dict(frames[0]["figures"])["configurations"]
    whole = explore.sweep(table)
    assert {**explorer.frame, "took": 0} == {**whole.frame, "took": 0}
    assert not explorer.frame["growing"]


@dataclass(frozen=True)
class Late(ut.Strategy):
    """Goes wrong once the trial is over."""

    def order(self, counts, starts, rng):
        if threading.current_thread() is not threading.main_thread() and len(CALLS) > 2:
            raise ZeroDivisionError("late")
        CALLS.append(1)


CALLS = []


def test_what_goes_wrong_in_the_background_is_said():
    explorer = explore.sweep("digits-lth", strategies=Late("late", "", "order", "", ""))
    explorer.wait()
    assert explorer.frame["message"] == "ZeroDivisionError: late"
    assert not explorer.frame["growing"]


def test_a_closed_explorer_sweeps_no_further(monkeypatch):
    monkeypatch.setattr(chunks, "SECONDS", 0.001)
    explorer = explore.sweep(TICKETS, n_pe=range(1, 200), strategies="uticket")
    patiently(lambda: explorer.source.rows)
    explorer.close()
    explorer.wait()
    assert explorer.source.rows < explorer.source.whole


def test_a_file_waits_for_what_is_still_computed(tmp_path, table):
    explore.sweep(TICKETS, **AXES).export(tmp_path / "live.html", n_pe=[4, 16])
    explore.sweep(table).export(tmp_path / "whole.html", n_pe=[4, 16])
    assert (tmp_path / "live.html").read_bytes() == (tmp_path / "whole.html").read_bytes()


def test_your_own_ticket_is_swept_at_every_sparsity():
    rng = np.random.default_rng(0)
    ticket = ut.Ticket.from_arrays({"a": rng.normal(size=(32, 16, 3, 3))})
    explorer = explore.sweep(ticket, strategies=["none", "lpt"])
    explorer.wait()
    assert list(explorer.source.runs) == ["your ticket"]
    assert len(explorer.source.runs["your ticket"]) > 5


def test_rounds_without_masks_are_left_out():
    explorer = explore.sweep("vgg16-cifar10-lth", n_pe=16, strategies=["none", "uticket"])
    explorer.wait()
    assert not explorer.frame["message"]
    assert "vgg16-cifar10-lth round 0" not in explorer.source.sparsities
    assert "vgg16-cifar10-lth round 14" in explorer.source.sparsities


class Stopped(Exception):
    """In the middle of a sweep."""


@pytest.fixture
def half(tmp_path, monkeypatch):
    """A folder of a sweep that stopped on the way."""
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(chunks, "SECONDS", 0.01)
    monkeypatch.setattr(found, "LOOK", 0.02)
    write = Rows.write

    def stop(rows, span, encoded):
        if len(list(rows.folder.glob("*.parquet"))) == 2:
            raise Stopped
        write(rows, span, encoded)

    monkeypatch.setattr(Rows, "write", stop)
    with pytest.raises(Stopped):
        go_on(tmp_path / "rows")
    monkeypatch.setattr(Rows, "write", write)
    return tmp_path / "rows"


def go_on(folder):
    return ut.sweep(TICKETS, **AXES, gating=list(ut.GATINGS), folder=folder, progress=False)


def test_a_folder_is_shown_while_it_is_written(half, table):
    explorer = explore.sweep(half)
    assert 0 < explorer.source.rows < len(table)
    assert explorer.frame["growing"]
    assert "Still sweeping" in explorer.frame["message"]
    explorer.export(half.parent / "page.html", n_pe=[4])  # what is there; it waits for nobody
    go_on(half)
    patiently(lambda: not explorer.frame["growing"])
    explorer.state = explorer.nearest(round=1, n_pe=16)
    whole = explore.sweep(table)
    assert {**explorer.frame, "took": 0} == {**whole.frame, "took": 0}
    again = explore.sweep(str(half))
    assert {**again.frame, "took": 0} == {**whole.frame, "took": 0}
    assert not again.frame["growing"]


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (pd.DataFrame({"a": [1]}), ValueError, "as ut.sweep returns it; it lacks ticket, "),
        (
            "digits-lht",
            ValueError,
            r"'digits-lht' is neither a folder of a sweep nor a recorded run",
        ),
        ("", ValueError, "'' is neither a folder of a sweep nor a recorded run"),
        ({"a": "digits-lht"}, ValueError, "Did you mean 'digits-lth'"),
        (3, TypeError, "ticket must be of type Ticket, not 3"),
        ([], ValueError, "tickets is empty"),
    ],
)
def test_what_is_no_sweep_is_refused(source, error, words):
    with pytest.raises(error, match=words):
        explore.sweep(source)


def test_empty_tables_and_folders_are_refused(table, tmp_path):
    with pytest.raises(ValueError, match="it has no rows"):
        explore.sweep(table[:0])
    with pytest.raises(ValueError, match="holds no rows of a sweep; if one has just begun"):
        explore.sweep(tmp_path)
    (tmp_path / "notes.parquet").write_text("no Parquet")
    with pytest.raises(ValueError, match=r"notes\.parquet"):
        explore.sweep(tmp_path)


def test_a_click_on_a_cell_of_either_map_moves_there(table):
    """What a mark's datum says is what the page moves to."""
    explorer = explore.sweep(table)
    for data, column in (("pes", "n_pe"), ("rounds", "round")):
        datum = explorer.tables[data].iloc[1].to_dict()
        clicked = {k: datum[k] for k in explorer.frame["clicks"] if k in datum}
        assert clicked.keys() == {"strategy", column}
        moved = explorer.nearest(**clicked)
        assert moved == replace(explorer.state, **clicked)
    json.dumps({**explorer.frame, "state": ""})
