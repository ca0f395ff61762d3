"""The paper beside ours: every number of ours is computed, every difference explained."""

import base64
import html
import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import altair as alt
import pandas as pd
import pytest
import vl_convert

import uticket_lite as ut
from uticket_lite import cli
from uticket_lite.explore.charts import make_chart, palette
from uticket_lite.explore.charts.palette import INK, METHOD_COLOURS
from uticket_lite.explore.pictures import Picture
from uticket_lite.paper import SECTIONS, picture, recorded, shown, side_by_side
from uticket_lite.paper.published import paper_numbers, paper_table
from uticket_lite.paper.recorded import nearest_round, networks, report, run_name, saving
from uticket_lite.simulation.memory import COSTS
from uticket_lite.tickets import recorded as tickets_recorded
from uticket_lite.tickets.architectures import CONV_SHAPES
from uticket_lite.tickets.recorded import DATA

PES = ut.Accelerator(16)
CUT = "energy_cut"
BESIDE = [name for name, section in SECTIONS.items() if section.why is not None]
DRAWN = [name for name, section in SECTIONS.items() if section.chart is not None]


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
        if source in ("study", "factors"):  # of small networks
            assert set(table["network"]) >= {"vgg16-small"}, source
            assert (table.filter(["step", "round"]).notna().sum(axis=1) == 1).all(), "of one kind"
            assert (table["unbalanced"].notna() == table["round"].notna()).all(), "of tickets"
            table = table.drop(columns=["step", "round", "unbalanced"], errors="ignore")
        else:
            assert set(table["network"]) >= set(networks()), source
        unknown = ["paper", "ours", "difference", "why", "paper_utilization"]
        unknown += ["abstract_latency", "abstract_energy"]
        assert table.drop(columns=unknown, errors="ignore").notna().all(axis=None), source
        if source in BESIDE:
            assert table[["paper", "ours"]].notna().any(axis=1).all(), source
            recorded_rows = table[table["network"].isin(networks())]
            assert recorded_rows.groupby("network")["ours"].count().min() > 0, source


def test_a_section_is_one_file_that_is_found_by_itself():
    files = Path(recorded.__file__).parent.glob("*.py")
    written = [f for f in files if re.search("^SECTION = ", f.read_text(encoding="utf-8"), re.M)]
    assert len(SECTIONS) == len(written), "no two have one name"
    assert len({section.rank for section in SECTIONS.values()}) == len(SECTIONS)
    assert {"Table I", "Table II", "Table III", "Fig. 1", "Fig. 4", "split"} < set(SECTIONS)


def test_figures_of_runs_that_are_not_recorded_do_not_fail(monkeypatch):
    monkeypatch.setattr(recorded, "recorded_tickets", lambda: ("digits-lth",))
    assert networks() == ()
    for name, section in SECTIONS.items():
        table = side_by_side(name)
        if name in BESIDE:
            assert table["ours"].isna().all(), name
            assert table["why"].str.contains("No run of .* is recorded").all(), name
            assert len(table) > 0, name
        else:
            assert "whose" not in table or set(table["whose"]) <= {"paper"}, name
        if section.chart is not None and table.empty:
            assert "no run is recorded" in str(picture(name).chart.to_dict()), name
            assert picture(name)._repr_html_().startswith("<img"), name


def test_table_twos_utilization_stands_once_in_fig_4_for_each_network(tables):
    marked = tables["Fig. 4"].dropna(subset="paper_utilization").set_index("network")
    expected = paper_table()["utilization", "lth"].xs("cifar10", level="dataset")
    assert marked["paper_utilization"].to_dict() == expected[list(networks())].to_dict()
    for network in networks():
        assert marked.loc[network, "round"] == nearest_round(network, "lth")


def test_no_number_of_the_papers_is_left_out(tables):
    """Also of networks of which no run is recorded."""
    numbers = paper_numbers()
    for source, printed in numbers[numbers["dataset"] == "cifar10"].groupby("source"):
        assert sorted(tables[source]["paper"].dropna()) == sorted(printed["value"]), source


def test_the_abstracts_savings_follow_from_the_tables(tables):
    table = tables["abstract"]
    paper = table[table["whose"] == "paper"].set_index(["network", "dataset"])
    most = paper.loc["resnet19", "fashion-mnist"]
    assert paper["latency_cut"].max() == most["latency_cut"] == pytest.approx(76.8, abs=0.05)
    assert paper["energy_cut"].max() == most["energy_cut"] == pytest.approx(63.6, abs=0.05)
    assert most[["abstract_latency", "abstract_energy"]].tolist() == [76.9, 63.8]
    for network in networks():
        row = table[(table["whose"] == "ours") & (table["network"] == network)].iloc[0]
        assert row["energy_cut"] == ours(tables, "Fig. 7a", network=network, quantity=CUT)
        latency = [
            ours(tables, "Table II", network=network, method=method, quantity="latency")
            for method in ("lth", "uticket")
        ]
        assert row["latency_cut"] == pytest.approx(saving(*latency))


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
    for source in BESIDE:
        table = tables[source]
        both = table.dropna(subset=["paper", "ours"])
        assert (both["difference"] == both["ours"] - both["paper"]).all()
        assert table["why"].str.len().gt(20).all(), source
        assert not table["why"].str.contains("{", regex=False).any(), source


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
    for network, table in tables["beyond"].groupby("network"):
        rows = table.set_index("strategy")
        plain = report(network, "lth")
        allowed = [s for s, kind in ut.STRATEGIES.items() if kind.objection(PES) is None]
        assert set(rows.index) == set(allowed), "every strategy of the registry"
        assert rows["latency"].is_monotonic_increasing
        assert rows.loc["regrow-only", "utilization"] == rows.loc["uticket", "utilization"] == 1
        assert rows.loc["regrow-only", "latency_cut"] == 0
        assert rows.loc["regrow-only", "energy_cut"] < 0
        assert rows.loc["sort", "touched"] == 0
        assert rows.loc["sort", "latency_cut"] > 0
        for strategy in ("lpt", "pair"):
            ran, balanced = (
                ut.simulate(plain.ticket, PES, name).latency for name in (strategy, "uticket")
            )
            assert rows.loc[strategy, "latency"] == ran / balanced < 1.05


def test_what_memory_is_said_to_cost_decides_the_pes_share(tables):
    for network in networks():
        table = tables["memory"]
        shares = table[table["network"] == network].set_index(["an access costs", "counted"])
        for costs in COSTS:
            of = shares.loc[costs, "pe_share"]
            assert of["SRAM, DRAM"] < of["SRAM, DRAM for spikes"] < of["SRAM"]
        assert shares.loc["per-byte", "pe_share"].max() < 45 < shares["pe_share"].max()
        default = ours(tables, "Fig. 9b", network=network, quantity="pe_share")
        assert default == shares.loc[("per-byte", "SRAM, DRAM"), "pe_share"]


def test_what_differs_from_the_released_recipe_is_what_the_run_says(tables):
    table = tables["recipe"]
    for network in networks():
        here = table[table["network"] == network].set_index("what")["here"]
        settings = recorded.about(network, "uticket")["settings"]
        assert here["timesteps"] == str(settings["timesteps"])
        assert here["batch norm"] == settings["norm"]
    assert set(table["what"]) == {
        *("initialization", "neuron", "loss", "batch norm", "Cutout", "timesteps", "accuracy"),
        *("mask that the next round prunes", "fewer timesteps until the last round"),
        *("rewinding", "spike sparsity"),
    }


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_drawn_with_words_for_both_themes(tables, name):
    drawn = picture(name, tables[name])
    shown = drawn._repr_html_()
    assert shown.startswith(f'<img alt="{html.escape(drawn.words)}"')
    assert len(drawn.words) > 40
    svg = base64.b64decode(shown.split("base64,")[1].split('"')[0]).decode()
    white, black = {"#fff", "#ffffff", "white"}, {"#000", "#000000", "black"}
    inks = set(re.findall('(?:fill|stroke)="([^"]*)"', svg))
    assert INK in inks
    assert not inks & (white | black | {"#888", "#ddd"}), "what one theme hides"


def test_words_of_a_picture_may_hold_quotes():
    chart = alt.Chart(pd.DataFrame({"x": [1]})).mark_point()
    assert "&quot;in words&quot;" in Picture(chart, 'a, "in words"')._repr_html_()


def test_a_picture_of_a_table_without_chart_is_refused():
    with pytest.raises(ValueError, match="figure 'Table II' is not known.*Table III"):
        picture("Table II")


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


def test_of_long_tables_the_command_prints_the_first_and_last_rows(capsys):
    assert cli.main(["paper", "study"]) == 0
    printed = capsys.readouterr().out
    rows = len(side_by_side("study"))
    assert f"({rows} rows; --json prints all)" in printed
    assert 100 < printed.count("\n") < 120 < rows
    assert cli.main(["paper", "study", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["study"]) == rows


def test_saving_is_in_percent():
    assert saving(4, 1) == 75


def test_reasons_stand_below_the_numbers_without_backticks(tables):
    written = shown("Table II", tables["Table II"]).data
    assert "<code>study</code>" in written
    assert "`" not in written
    assert "<b>idle, latency</b>: As work and utilization." in written
    assert (
        f"{ours(tables, 'Table II', network='vgg16', method='lth', quantity='work'):.4g}" in written
    )
    assert "<ul" not in shown("split", tables["split"]).data


def test_a_method_has_one_colour_in_every_chart(tables):
    """LTH and u-Ticket, in the paper's figures and in the rounds explorer."""
    for name in ("Fig. 4", "Fig. 6"):
        spec = json.dumps(picture(name, tables[name]).chart.to_dict())
        scale = json.dumps({"domain": list(METHOD_COLOURS), "range": list(METHOD_COLOURS.values())})
        assert scale in spec, name
    rounds = json.dumps(make_chart("rounds").to_dict())
    runs = json.dumps(list(METHOD_COLOURS.values()))[:-1]  # the first two of more
    assert f'"range": {runs}' in rounds


def test_every_colour_of_the_papers_figures_stands_in_the_table(tables):
    """And words are never coloured: not all colours can be read as letters in both themes."""
    known = set(re.findall("#[0-9a-fA-F]{6}", Path(palette.__file__).read_text()))
    for name in DRAWN:
        spec = {**SECTIONS[name].draw(tables[name]).to_dict(), "config": {}}
        assert set(re.findall("#[0-9a-fA-F]{6}", json.dumps(spec))) <= known, name
        drawn = vl_convert.vegalite_to_svg(spec)
        inks = {ink.lower() for ink in re.findall(r'<text[^>]*fill="([^"]*)"', drawn)}
        assert inks <= {"#000", "black"}, name


def test_a_run_that_gets_recorded_appears_by_itself(monkeypatch, tmp_path):
    """The digits' runs under the name of one of the paper's networks."""
    for name in ("vgg16-cifar10", "digits"):
        for method in ("lth", "uticket"):
            shutil.copytree(DATA / f"{name}-{method}", tmp_path / f"{name}-{method}")
    for method in ("lth", "uticket"):
        (tmp_path / f"digits-{method}").rename(tmp_path / f"resnet19-cifar10-{method}")
    (tmp_path / "paper.csv").write_bytes((DATA / "paper.csv").read_bytes())
    monkeypatch.setattr(tickets_recorded, "DATA", tmp_path)
    monkeypatch.setattr(recorded, "DATA", tmp_path)
    try:
        assert networks() == ("vgg16", "resnet19")
        for name in ("Table I", "Table II", "Fig. 4", "memory", "recipe"):
            table = side_by_side(name)
            assert set(table["network"]) == set(networks()), name
            assert "is recorded." not in shown(name, table).data, name
        spec = json.dumps(picture("Fig. 4").chart.to_dict())
        assert '"title": "resnet19"' in spec
    finally:
        report.cache_clear()


def test_the_papers_work_is_that_of_the_released_resnet_not_of_the_wide_one():
    """Beside equally dense layers: early ones keep more weights, so it is more than 1."""
    row = paper_table().loc["resnet19", "cifar10"]
    for name, ratio in (("resnet19", 3.12), ("resnet19-wide", 0.76)):
        dense = sum(math.prod(conv.weights) * conv.positions for conv in CONV_SHAPES[name][1:])
        uniform = 4 * (1 - row["sparsity", "lth"] / 100) * dense
        assert 1e8 * row["work", "lth"] / uniform == pytest.approx(ratio, abs=0.01)
    assert CONV_SHAPES["resnet19"][0].weights == (64, 3, 3, 3)
