"""The paper beside ours: every number of ours is computed, every difference explained."""

import json
from dataclasses import replace

import pandas as pd
import pytest

import uticket_lite as ut
from uticket_lite import cli
from uticket_lite.explore.charts.paper import CHARTS
from uticket_lite.explore.pictures import Picture
from uticket_lite.paper.measured import nearest_round, networks, report, run_name, saving
from uticket_lite.paper.published import paper_numbers, paper_table
from uticket_lite.paper.sections import SECTIONS, side_by_side

PES = ut.Accelerator(16)
CUT = "energy_cut"


@pytest.fixture(scope="module")
def tables():
    return {source: side_by_side(source) for source in SECTIONS}


def ours(tables, source, **which):
    table = tables[source]
    for column, value in which.items():
        table = table[table[column] == value]
    return table["ours"].item()


def test_the_papers_numbers_are_complete_and_marked_as_the_papers():
    numbers = paper_numbers()
    assert numbers["value"].notna().all()
    assert set(numbers["source"]) >= {"Table I", "Table II", "Table III", "Fig. 1", "Fig. 7a"}
    table = paper_table()
    assert len(table) == 6
    assert table.notna().all(axis=None)
    row = table.loc["vgg16", "cifar10"]
    assert (row["utilization", "lth"], row["energy_cut", "uticket"]) == (0.59, 41.8)


def test_every_section_has_rows_and_whole_numbers(tables):
    for source, table in tables.items():
        assert set(table["network"]) >= set(networks()), source
        unknown = ["paper", "ours", "difference", "why", "paper_utilization"]
        assert table.drop(columns=unknown, errors="ignore").notna().all(axis=None), source
        if "paper" in table:
            assert table[["paper", "ours"]].notna().any(axis=1).all(), source


def test_table_twos_utilization_stands_once_in_fig_4_for_each_network(tables):
    marked = tables["Fig. 4"].dropna(subset="paper_utilization").set_index("network")
    expected = paper_table()["utilization", "lth"].xs("cifar10", level="dataset")
    assert marked["paper_utilization"].to_dict() == expected[list(networks())].to_dict()
    for network in networks():
        assert marked.loc[network, "round"] == nearest_round(network, "lth")


def test_no_number_of_the_papers_is_left_out(tables):
    numbers = paper_numbers()
    numbers = numbers[numbers["network"].isin(networks()) & (numbers["dataset"] == "cifar10")]
    for source, printed in numbers.groupby("source"):
        shown = tables[source]["paper"].dropna()
        assert sorted(shown) == sorted(printed["value"]), source


def test_an_energy_cut_is_waiting_and_non_zeros_and_the_rest(tables):
    split = tables["split"].set_index(["whose", "network", "dataset"]).sort_index()
    assert (split[["waiting", "nonzeros", "rest"]].sum(axis=1) - split["all"]).abs().max() < 1e-9
    assert (split.loc["paper"]["all"] - paper_table()["energy_cut", "uticket"]).abs().max() < 0.5
    assert split.loc[("paper", "resnet19", "fashion-mnist"), "waiting"] == pytest.approx(34.1, 1e-3)
    for network in networks():
        own = split.loc[("ours", network, "cifar10")]
        assert own["all"] == pytest.approx(ours(tables, "Fig. 7a", network=network, quantity=CUT))
        lth = ut.simulate(report(network, "lth").ticket, PES)
        waiting = lth.breakdown()["waiting"].sum() / lth.energy
        assert own["waiting"] == pytest.approx(100 * waiting)


def test_differences_are_ours_minus_the_papers_and_explained(tables):
    for source, table in tables.items():
        if "paper" in table:
            both = table.dropna(subset=["paper", "ours"])
            assert (both["difference"] == both["ours"] - both["paper"]).all()
            assert table["why"].str.len().gt(20).all(), source


def test_beside_each_ticket_of_the_paper_stands_the_round_pruned_alike():
    for network in networks():
        for method in ("lth", "uticket"):
            sparsity = paper_table().loc[(network, "cifar10"), ("sparsity", method)]
            rounds = 100 * ut.load_history(run_name(network, method))["sparsity"]
            distances = [abs(ours - sparsity) for ours in rounds]
            assert distances[nearest_round(network, method)] == min(distances) < 0.5
    assert nearest_round("vgg16", "lth", 0) == 0


def test_ours_are_the_recorded_tickets(tables):
    for network in networks():
        for method in ("lth", "uticket"):
            number = nearest_round(network, method)
            ticket = replace(ut.load_ticket(run_name(network, method), number), timesteps=4)
            ran = ut.simulate(ticket, PES)
            which = {"network": network, "method": method}
            assert ours(tables, "Table II", quantity="work", **which) == ran.work / 1e8
            assert ours(tables, "Table II", quantity="utilization", **which) == ran.utilization
            accuracy = ours(tables, "Table I", quantity="accuracy", **which)
            assert accuracy == 100 * ticket.provenance["accuracy"]


def test_uticket_waits_for_nobody_and_saves_energy(tables):
    for network in networks():
        assert ours(tables, "Table II", network=network, method="uticket", quantity="idle") == 0
        assert ours(tables, "Fig. 7a", network=network, quantity=CUT) > 0


def test_what_the_paper_does_not_show(tables):
    for _, table in tables["beyond"].groupby("network"):
        rows = table.set_index("strategy")
        assert rows.loc["regrow-only", "utilization"] == rows.loc["uticket", "utilization"] == 1
        assert rows.loc["regrow-only", "latency_cut"] == 0
        assert rows.loc["regrow-only", "energy_cut"] < 0
        assert rows.loc["sort", "touched"] == 0
        assert rows.loc["sort", "latency_cut"] > 0


def test_figures_are_drawn_with_words(tables):
    for source, chart in CHARTS.items():
        shown = Picture(chart(tables[source]), f'{source}, "in words"')._repr_html_()
        assert shown.startswith('<img alt="')
        assert "&quot;in words&quot;" in shown


def test_the_command_prints_tables_and_json(capsys):
    assert cli.main(["paper", "Table II", "Fig. 7a"]) == 0
    printed = capsys.readouterr().out
    assert "Table II: Cycles and utilization" in printed
    assert "difference" in printed
    assert cli.main(["paper", "Table II", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["Table II"]
    assert pd.DataFrame(rows).equals(side_by_side("Table II"))
    assert cli.main(["paper", "Tabel II"]) == 2
    assert "mean 'Table II'" in capsys.readouterr().err


def test_saving_is_in_percent():
    assert saving(4, 1) == 75
