"""Explorers without a browser: what they show is what the simulator says, for every state."""

import itertools
import json
import re
import threading
from dataclasses import asdict, fields, replace

import numpy as np
import pandas as pd
import pytest

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.explore.charts import make_chart
from uticket_lite.explore.charts.palette import (
    CHANGED,
    COUNTED,
    ENERGY,
    METHOD_COLOURS,
    OTHERS,
    TIME,
)
from uticket_lite.explore.controls import nearest
from uticket_lite.explore.explorers.timeline import STEPS
from uticket_lite.explore.explorers.workload import (
    ALL_WAVES,
    APART,
    BAR_PARTS,
    MAP_ROWS,
    WorkloadState,
    workload_frame,
)
from uticket_lite.explore.runs import Run, Runs
from uticket_lite.hardware.energy import E_DYN
from uticket_lite.strategies import registry
from uticket_lite.strategies.base import CHANGES

ROUNDS = (0, 7, 14)
RUNS = Runs(
    {
        name: Run([ut.load_ticket(name, round=r) for r in ROUNDS], [0.0, 0.5, 1.0])
        for name in ("digits-lth", "digits-uticket")
    }
)
PRUNED = RUNS["digits-lth"].tickets[2]
START = WorkloadState("digits-lth", 2, layer="conv4")


@pytest.fixture(scope="module", params=explore.EXPLORERS)
def explorer(request):
    return explore.EXPLORERS[request.param]()


@pytest.fixture
def workload():
    return explore.workload("digits-lth")


def shown(state=START, runs=RUNS, **changes):
    moved, runs = replace(state, **changes), Runs(runs)
    return workload_frame(nearest(moved, runs, moved), runs)


def figures(frame):
    return dict(frame["figures"])


def expected(report):
    return {
        "utilization": f"{report.utilization:.1%}",
        "latency (cycles)": f"{report.latency:,}",
        "waiting (PE-cycles)": f"{report.idle:,}",
        "work (PE-cycles)": f"{report.work:,}",
        "energy (E_dyn)": f"{report.energy:,.0f}",
    }


def values(control):
    return [value for _, value in control["options"]]


def extremes(control):
    """First, middle and last value of a slider; all of a menu."""
    known = values(control)
    if control["kind"] == "menu":
        return known
    return [known[0], known[len(known) // 2], known[-1]]


def test_figures_are_those_of_simulate():
    frame = shown(n_pe=12, strategy="sort")
    report = ut.simulate(PRUNED, ut.Accelerator(12), "sort")
    wanted = expected(report)
    assert {key: figures(frame)[key] for key in wanted} == wanted
    assert f"{report.latency:,} cycles" in frame["summary"]
    assert "Utilization by Eq. 2, where 0 % is one PE working alone" in frame["summary"]


def test_two_strategies_stand_side_by_side():
    frame = shown(strategy="uticket", versus="none")
    reports = [ut.simulate(PRUNED, ut.Accelerator(), name) for name in ("none", "uticket")]
    before, after = map(expected, reports)
    assert figures(frame)["latency (cycles)"] == " vs ".join(
        wanted["latency (cycles)"] for wanted in (after, before)
    )
    assert figures(frame)["compared"] == "uticket vs none", "what is chosen comes first"
    assert frame["summary"].endswith("Figures: uticket first.")
    rules = frame["data"]["rules"]
    ends = dict(zip(rules["what"], rules["label"], strict=True))
    longest = [report.loads["conv4"].max(axis=1).sum() for report in reports]
    assert (ends["versus"], ends["end"]) == (f"none {longest[0]}", f"ends {longest[1]}")
    change = reports[1].latency / reports[0].latency - 1
    assert f"{change:+.1%} cycles" in frame["summary"]
    assert "versus" not in shown()["data"]["rules"]["what"]


def drawn(frame):
    """What the bars show, PE by PE."""
    bars = pd.DataFrame(frame["data"]["bars"])
    assert (bars["end"] - bars["start"] == bars["amount"]).all()
    assert (bars["amount"] >= 0).all()
    return bars, bars.groupby(["kind", "pe"])["amount"].sum()


def test_bars_show_in_which_wave_a_pe_waits():
    """Work of each wave begins where the slowest PE of the last has ended."""
    loads = ut.simulate(PRUNED, ut.Accelerator(16)).loads["conv4"]
    for wave, table in ((ALL_WAVES, loads), (2, loads[[2]])):
        frame = shown(wave=wave)
        bars, sums = drawn(frame)
        assert (sums["work"] == table.sum(axis=0)).all()
        assert (sums["work"] + sums["waiting"] == table.max(axis=1).sum()).all()
        barriers = np.cumsum(table.max(axis=1))
        for kind, edge, wanted in (
            ("work", "start", np.append(0, barriers[:-1])),
            ("waiting", "end", barriers),
        ):
            seen = bars[bars["kind"] == kind].groupby("wave")[edge]
            assert seen.nunique().eq(1).all()
            assert seen.first().tolist() == wanted.tolist()
        assert frame["data"]["rules"]["value"] == [barriers[-1], table.sum(axis=0).mean()]


@pytest.mark.parametrize("strategy", ut.STRATEGIES)
def test_bars_are_as_high_as_the_layer_is_long(strategy):
    """Also where PEs run ahead of the slowest, a layer takes less than Σ max, or waves are drawn
    in groups."""
    for n in (2, 4, 16):
        frame = shown(n_pe=n, strategy=strategy)
        report = ut.simulate(PRUNED, ut.Accelerator(n), strategy, cycles="weights")
        row = report.layers.loc["conv4"]
        bars, sums = drawn(frame)
        assert bars["end"].max() == row["latency"] == frame["data"]["rules"]["value"][0]
        assert sums["work"].tolist() == report.loads["conv4"].sum(axis=0).tolist()
        assert sums["waiting"].sum() == row["idle"]
        assert len(bars) <= 2 * BAR_PARTS * n


def test_labels_of_lines_stand_apart():
    for n, strategy, versus in itertools.product((1, 2, 16, 64), ut.STRATEGIES, ut.STRATEGIES):
        rules = shown(n_pe=n, strategy=strategy, versus=versus)["data"]["rules"]
        gaps = np.diff(sorted(rules["place"]))
        assert gaps.min() >= 0.99 * APART * max(rules["value"])
        assert min(rules["place"]) >= 0


def test_map_shows_every_wave_or_averages_of_groups():
    data = shown(n_pe=4)["data"]["waves"]
    assert data["load"] == ut.simulate(PRUNED, ut.Accelerator(4)).loads["conv4"].ravel().tolist()
    many = ut.Ticket.from_arrays({"conv4": np.ones((1000, 2), bool)})
    data = shown(runs={"digits-lth": Run([many], [0.0])}, n_pe=2)["data"]["waves"]
    assert len(set(data["wave"])) <= MAP_ROWS
    assert set(data["load"]) == {2}


def test_a_strategy_that_the_mapping_rules_out_is_explained():
    frame = shown(strategy="sort", mapping="input-channel")
    assert "no effect with mapping 'input-channel'" in frame["message"]
    plain = shown(mapping="input-channel")
    assert frame["figures"] == plain["figures"]
    assert not plain["message"]


def test_an_empty_layer_is_explained():
    ticket = ut.Ticket.from_arrays({"conv4": np.zeros((8, 4)), "b": np.ones((8, 4))})
    frame = shown(runs={"mine": Run([ticket], [0.5])}, run="mine")
    assert "No non-zeros are left in conv4" in frame["message"]


def test_every_combination_at_every_extreme_is_shown():
    for run, number, n, mapping, strategy, wave in itertools.product(
        RUNS, (0, 2), (1, 7, 64), ut.MAPPINGS, ut.STRATEGIES, (ALL_WAVES, 0, 10**6)
    ):
        for layer in RUNS[run].tickets[number].counted:
            state = WorkloadState(run, number, strategy, n, "lpt", mapping, layer, wave)
            shown = nearest(state, RUNS, state)
            frame = workload_frame(shown, RUNS)
            pes = ut.Accelerator(shown.n_pe, shown.mapping)
            impossible = ut.STRATEGIES[strategy].objection(pes) is not None
            assert bool(frame["message"]) >= impossible, "what cannot be shown is told"
            ran = "none" if impossible else strategy
            report = ut.simulate(RUNS[run].tickets[number], pes, ran)
            figures = {name: text.split(" vs ")[0] for name, text in frame["figures"]}
            assert figures["latency (cycles)"] == f"{report.latency:,}"
            assert figures["work (PE-cycles)"] == f"{report.work:,}"
            assert f"{ut.STRATEGIES[ran].label}: in {shown.layer}," in frame["summary"], "as drawn"
            told = f"Shown instead: “{ut.STRATEGIES['none'].label}”" in frame["message"]
            assert told >= impossible


def test_every_control_of_every_explorer_changes_what_is_shown(explorer):
    """One control at a time, to both ends; every frame is whole and at the state asked for."""
    start = explorer.state
    for control in explorer.frame["controls"]:
        seen = set()
        for value in extremes(control):
            explorer.state = start
            explorer.state = explorer.nearest(**{control["name"]: value})
            frame = explorer.frame
            assert getattr(frame["state"], control["name"]) == value
            assert frame["summary"], "each picture is told in words"
            json.dumps({**frame, "state": asdict(frame["state"])})
            for columns in frame["data"].values():
                assert len(set(map(len, columns.values()))) == 1
            assert all(isinstance(text, str) for pair in frame["figures"] for text in pair)
            seen.add(str([frame["data"], frame["figures"], frame["summary"], frame["message"]]))
        assert len(seen) > 1 or len(values(control)) == 1, control["name"]
    explorer.state = start


def test_controls_are_the_fields_of_the_state(explorer):
    frame = explorer.frame
    names = {control["name"] for control in frame["controls"]}
    assert names == {field.name for field in fields(explorer.state)}
    for control in frame["controls"]:
        assert getattr(frame["state"], control["name"]) in values(control)
        assert len(set(values(control))) == len(values(control))


def test_a_link_opens_the_same_state(explorer):
    again = explore.open_link(explorer.link)
    assert again.state == explorer.state
    assert again.kind == explorer.kind
    assert explorer.link.startswith(f"{explorer.kind}?")


def parts(spec, data=None):
    """Each part of a specification that draws, and the data set it draws."""
    data = spec.get("data", {}).get("name", data)
    for inner in ("hconcat", "vconcat", "layer"):
        for each in spec.get(inner, ()):
            yield from parts(each, data)
    if "mark" in spec:
        yield data, spec


def fields_of(encoding):
    """Every column that an encoding names."""
    for about in encoding if isinstance(encoding, list) else [encoding]:
        if isinstance(about, dict):
            yield from ([about["field"]] if "field" in about else [])
            for each in about.values():
                yield from fields_of(each)


def test_pictures_draw_what_the_tables_hold(explorer):
    """Every data set and column that the chart names, and no data set more."""
    assert explorer.svg().startswith("<svg")
    tables, drawn = explorer.tables, set()
    for data, part in parts(explorer.spec):
        drawn.add(data)
        missing = set(fields_of(part["encoding"])) - set(tables[data])
        assert not missing, (data, missing)
    assert drawn == tables.keys()
    assert all(len(table) > 0 for table in tables.values())


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("worklaod?run=x", "explorer 'worklaod'.*mean 'workload'"),
        ("timeline?step=3", "explorer 'timeline' is not known; choose one of: workload"),
        ("workload?pes=3", "control 'pes'"),
        ("workload?n_pe=many", "n_pe must be a whole number, not 'many'"),
        ("workload?n_pe=nan", "n_pe must be a whole number, not 'nan'"),
        ("workload?n_pe=2.5", "n_pe must be a whole number, not '2.5'"),
        ("workload?n_pe=", "n_pe must be a whole number, not ''"),
        (f"workload?n_pe={'9' * 30}", "n_pe is far beyond"),
        (f"workload?n_pe={'9' * 9000}", "n_pe must be a whole number, not '9999"),
        ("workload?strategy=srot", "strategy 'srot' is not known; choose one of: none, .*'sort'"),
        ("workload?versus=srot", "versus 'srot' is not known"),
        ("workload?mapping=", "mapping '' is not known; choose one of: output-channel"),
        ("workload?layer=conv9", "layer 'conv9' is not known; choose one of: conv2, conv3, conv4"),
        ("workload?wave=4", r"wave must be -1 to 3, not 4; no control.*\(nearest: 3\)"),
        ("workload?layer=%00%FF", "layer .* is not known"),
        (None, "a link is text, such as workload.n_pe=8, not None"),
        (b"workload?n_pe=3", "a link is text"),
        ("", "explorer '' is not known"),
        ("workload?n_pe=999", r"n_pe must be 1 to 64, not 999; .*\(nearest: 64\)"),
        (
            "workload?run=digits",
            "run 'digits' is not known; choose one of: digits-lth.*'digits-lth'",
        ),
        ("workload?round=15", r"round must be 0 to 14, not 15; .*\(nearest: 14\)"),
    ],
)
def test_links_and_states_that_no_control_can_reach_move_nothing(workload, link, words):
    before = workload.link
    with pytest.raises(ValueError, match=words):
        workload.link = link
    assert workload.link == before


def sent(explorer, monkeypatch):
    messages = []
    monkeypatch.setattr(explorer, "send", lambda content, buffers=None: messages.append(content))
    return messages


def test_a_move_in_the_page_is_answered_with_its_frame(explorer, monkeypatch):
    messages = sent(explorer, monkeypatch)
    heard = []
    explorer.on_move(heard.append)
    state = asdict(explorer.state)
    explorer._answer(explorer, {"move": state, "number": 7}, [])
    assert messages[-1]["number"] == 7
    assert messages[-1]["frame"]["state"] == explorer.state == heard[-1]
    explorer._answer(explorer, {"ahead": state}, [])
    assert messages[-1]["frame"]["summary"] == explorer.frame["summary"]
    assert messages[-1]["ahead"]
    explorer._answer(explorer, {"moved": state}, [])
    assert heard[-1] == explorer.state
    explorer._answer(explorer, {"ask": "frame"}, [])
    assert messages[-1]["frame"]["summary"] == explorer.frame["summary"]


def test_errors_are_shown_and_nothing_moves(workload, monkeypatch):
    messages, before = sent(workload, monkeypatch), workload.state

    def fail(state, source):
        raise RuntimeError("a planted error")

    monkeypatch.setattr(workload, "_make", fail)
    workload._answer(workload, {"move": asdict(replace(before, n_pe=3)), "number": 1}, [])
    assert messages == [{"error": "RuntimeError: a planted error", "number": 1}]
    workload._answer(workload, {"ahead": asdict(before), "number": 2}, [])
    assert messages[-1] == {"ahead": True, "frame": None, "number": 2}
    assert workload.state == before


HOSTILE = (None, True, 1.5, 3.0, "3", [], {}, -(2**40), 2**31, 10**40, "x" * 10**5, "\ud800", b"\0")


def test_messages_from_the_page_are_checked_like_any_input(explorer, monkeypatch):
    """Whatever is sent: the answer is words, and the state is one where controls can stand."""
    messages, before = sent(explorer, monkeypatch), explorer.state
    heard = []
    explorer.on_move(heard.append)
    state = asdict(before)
    wrong = [*HOSTILE, {"n_pe": 3}, state | {"strange": 1}]
    wrong += [state | {name: value} for name in state for value in HOSTILE[1:] if value != "3"]
    wrong += [state | {name: "nowhere"} for name, value in state.items()]
    for values, what in itertools.product(wrong, ("move", "moved", "ahead", "link", "ask", "huh")):
        if values != state:
            messages.clear()
            explorer._answer(explorer, {what: values, "number": 5}, [])
            (answer,) = messages
            if what != "ahead":
                assert answer["error"]
                assert not answer["error"].startswith("TypeError")
                assert len(answer["error"]) < 2000
            assert answer.get("frame") is None, (what, values)
            assert answer["number"] == 5
            assert explorer.state == before
    for content in (*HOSTILE, {}, {"number": []}, {"moved": state, "number": {}}):
        explorer._answer(explorer, content, [])
        assert explorer.state == before
    explorer.set_state({"kind": "other", "spec": {}, "shown": {"state": 1}})
    assert explorer.kind in explore.EXPLORERS
    assert all(state == before for state in heard)
    explorer._listeners.clear()


def test_a_move_that_other_controls_cannot_follow_ends_at_the_nearest_state(workload, monkeypatch):
    messages = sent(workload, monkeypatch)
    workload.state = replace(workload.state, n_pe=1, wave=60)
    moved = asdict(workload.state) | {"n_pe": 16}
    workload._answer(workload, {"moved": moved}, [])
    assert "wave must be -1 to 3, not 60" in messages[-1]["error"], "no frame was ever sent"
    workload._answer(workload, {"move": moved}, [])
    assert (workload.state.n_pe, workload.state.wave) == (16, 3)


def test_moves_from_several_threads_end_on_the_last_state(workload, monkeypatch):
    messages = sent(workload, monkeypatch)

    def drag(first):
        for n in range(first, first + 30):
            moved = asdict(replace(workload.state, n_pe=n))
            workload._answer(workload, {"move": moved, "number": n}, [])

    threads = [threading.Thread(target=drag, args=(first,)) for first in (1, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(messages) == 90
    for message in messages:
        assert message["frame"]["state"].n_pe == message["number"]


def test_rounds_open_in_the_workload_explorer(workload):
    everywhere = explore.workload()
    rounds = explore.rounds(opens=everywhere)
    rounds.state = replace(rounds.state, run="digits-uticket", round=3)
    assert (everywhere.state.run, everywhere.state.round) == ("digits-uticket", 3)
    with pytest.raises(ValueError, match="'digits'"):
        explore.rounds(["digits"])


def test_rounds_say_what_utilization_is_lost_to():
    explorer = explore.rounds("digits-lth")
    shown = dict(explorer.frame["figures"])
    parts = ut.lost(ut.load_ticket("digits-lth", explorer.state.round), ut.Accelerator(16))
    assert shown["lost to chance, small numbers"] == f"{parts.noise:.1%}"
    assert shown["lost because layers keep unlike shares"] == f"{parts.layers:.1%}"
    assert shown["lost because filters are unlike"] == f"{parts.filters:.1%}"
    assert "won back by balancing" in dict(explore.rounds("digits-uticket").frame["figures"])


def test_rounds_show_the_spread_of_seeds():
    seeds = ut.load_seeds("digits-lth")
    last = seeds[seeds["round"] == 14]
    explorer = explore.rounds("digits-lth")
    assert figures(explorer.frame)["accuracy"] == f"{last['accuracy'].mean():.1%}"
    assert figures(explorer.frame)["mean of seeds"] == "5"
    words, seed_0 = explorer.frame["summary"], last[last["seed"] == 0].iloc[0]
    assert f"seed 0, which has utilization {seed_0['utilization']:.1%} and accuracy" in words
    assert "round 14 of seed 0" in explore.workload("digits-lth").frame["summary"]
    table = explorer.tables["rounds"].set_index("round")
    assert table.loc[14, "accuracy_low"] == last["accuracy"].min()
    assert table.loc[14, "accuracy_high"] == last["accuracy"].max()


def test_the_clock_runs_from_nothing_to_the_whole_layer():
    explorer = explore.timeline("digits-lth")
    state = explorer.state
    layer = ut.simulate(PRUNED, ut.Accelerator(state.n_pe), cycles="weights").layers.loc["conv4"]
    for step in (0, 20, STEPS):
        explorer.state = replace(state, step=step)
        now = round(layer["latency"] * step / STEPS)
        table = explorer.tables["intervals"]
        done = table["end"] - table["start"]
        assert done.sum() == now * state.n_pe
    assert done[table["kind"] == "work"].sum() == layer["work"]
    assert done[table["kind"] == "waiting"].sum() == layer["idle"]


def test_strategies_are_those_of_compare():
    explorer = explore.strategies("digits-lth")
    table = ut.compare(PRUNED, ut.Accelerator())
    drawn = explorer.tables["strategies"].set_index("strategy")
    assert drawn["latency"].to_dict() == table["latency"].to_dict()
    saved = 1 - table["latency"]["uticket"] / table["latency"]["none"]
    assert figures(explorer.frame)["cycles saved"] == f"{saved:.1%}"
    explorer.state = replace(explorer.state, mapping="input-channel")
    assert "its place does not matter" in explorer.frame["message"]


def test_every_strategy_but_none_names_its_price():
    table = explore.strategies("digits-lth").tables["strategies"].set_index("strategy")
    free = table.index[table["price"] == "nothing"]
    assert list(free) == ["none"]
    for name, words in {
        "uticket": "78% of non-zeros touched, retraining",
        "sort": "158 filters permuted",
        "pair": "room for 2 filters per PE",
        "queue": "a schedule",
        "split": "partial sums",
        "fifo-d": "buffers for 4 waves",
    }.items():
        assert words in table["price"][name], name


def test_prices_are_drawn_as_large_as_they_are():
    explorer = explore.strategies("digits-lth")
    prices = explorer.tables["prices"].set_index(["strategy", "kind"])
    ran = ut.compare(PRUNED, ut.Accelerator())
    assert {name for name, _ in prices.index} == set(ut.STRATEGIES) - {"none"}
    assert prices["share"]["uticket", "touched"] == ran["touched"]["uticket"] > 0.5
    filters = sum(PRUNED.layers[name].shape[0] for name in PRUNED.counted)
    assert prices["share"]["sort", "permuted"] == ran["permuted"]["sort"] / filters
    assert prices["text"]["sort", "permuted"] == f"{ran['permuted']['sort']:.0f}"
    assert prices["text"]["fifo-d", "hardware"] == "4 buffers"
    assert prices["share"]["lpt", "timing"] == 1
    paid = {"touched": "mask", "permuted": "order", "timing": "schedule", "hardware": "hardware"}
    assert prices.reset_index().set_index("kind")["changes"].to_dict() == paid


def test_energy_is_told_in_joules_beside_spikes():
    """Wherever it is told in units of one spike's energy, and by the same constant."""
    workload, energy = explore.workload("digits-lth"), explore.energy("digits-lth")
    energy.state = replace(energy.state, strategy="uticket")
    for explorer, unit, joules in (
        (workload, "energy (E_dyn)", "energy (nJ per image)"),
        (energy, "before (E_dyn)", "before (nJ per image)"),
    ):
        told = figures(explorer.frame)
        assert told[unit] == f"{ut.simulate(PRUNED, ut.Accelerator()).energy:,.0f}"
        nj = float(told[unit].replace(",", "")) * E_DYN / 1000
        assert told[joules] == f"{nj:,.1f}"
    assert f"{E_DYN:.3g} pJ" in energy.frame["summary"]


def test_cut_accuracies_say_what_chance_does():
    """Steps of one accuracy that chance explains, from the images it was measured on."""
    for name, images in (("digits-lth", 360), ("vgg16-cifar10-lth", 5000)):
        explorer = explore.rounds(name)
        share = explorer.tables["rounds"].set_index("round")["accuracy"][14]
        error = 200 * (share * (1 - share) / images) ** 0.5
        words = explorer.frame["summary"]
        assert f"measured on {images:,} images" in words
        assert f"±{error:.1f} points" in words
        assert ("seed 0" in words) == (name == "digits-lth"), "one run has nothing to be a mean of"


NETWORKS = sorted({run.rsplit("-", 1)[0] for run in ut.recorded_tickets()})


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("x", ["round", "sparsity"])
def test_axes_count_rounds_and_say_each_number_once(network, x):
    """However few rounds a run has, and however little its accuracy moves."""
    explorer = explore.rounds()
    explorer.state = explorer.nearest(network=network, x=x)
    axes = re.findall(r"role-axis-label[^>]*>(.*?)</g>", explorer.svg(), re.DOTALL)
    labels = [re.findall(">([^<]+)</text>", axis) for axis in axes]
    assert len(labels) == 6
    for axis in labels:
        assert len(set(axis)) == len(axis)
    for across in labels[::2]:
        assert x == "sparsity" or all(label.isdigit() for label in across)


def test_a_link_need_not_name_what_follows():
    explorer = explore.rounds()
    explorer.link = "rounds?network=vgg16-cifar10"
    assert explorer.state.run == "vgg16-cifar10-lth"
    before = explorer.state
    for wrong in ("run=digits-lth", "round=99", "network=none", "network=digits&round=15"):
        with pytest.raises(ValueError, match="not known|must be"):
            explorer.link = f"rounds?{wrong}"
        assert explorer.state == before


def test_colours_come_from_one_table():
    """A method, a kind of strategy, and what time and energy are spent on."""
    wanted = {
        "rounds": {"method": METHOD_COLOURS},
        "workload": {"kind": TIME},
        "timeline": {"kind": TIME},
        "energy": {"kind": ENERGY, "changes": CHANGED},
        "strategies": {"changes": CHANGED},
        "spikes": {"what": COUNTED},
    }
    assert wanted.keys() <= explore.EXPLORERS.keys()
    assert list(CHANGED) == list(CHANGES)
    meanings = METHOD_COLOURS | CHANGED | TIME
    assert ENERGY["waiting"] == TIME["waiting"] != ENERGY["working"] == TIME["work"]
    assert COUNTED["spikes"] == ENERGY["dynamic"] != COUNTED["weights"] == TIME["work"]
    shared = {"u-Ticket", "mask"}  # u-Ticket is what changes masks
    assert len(set(meanings.values())) == len(meanings) - len(shared) + 1
    known = {*meanings.values(), *ENERGY.values(), *COUNTED.values(), *OTHERS}
    assert len(known) == len(set(meanings.values())) + 1 + len(OTHERS)
    for kind in explore.EXPLORERS:
        fields_, text = wanted.get(kind, {}), json.dumps(make_chart(kind).to_dict())
        assert set(re.findall("#[0-9a-fA-F]{6}", text)) <= known, kind
        for field, table in fields_.items():
            found = [c for c in encodings(json.loads(text)) if c.get("field") == field]
            assert found, kind
            for colour in found:
                assert colour["scale"]["domain"] == list(table)
                assert colour["scale"]["range"][: len(table)] == list(table.values())


def encodings(spec):
    """All encodings of colours in a specification."""
    if isinstance(spec, list):
        for each in spec:
            yield from encodings(each)
    elif isinstance(spec, dict):
        yield from ([spec["color"]] if isinstance(spec.get("color"), dict) else [])
        for each in spec.values():
            yield from encodings(each)


def test_energy_is_that_of_the_reports():
    explorer = explore.energy("digits-lth")
    for gating in ut.GATINGS:
        explorer.state = replace(explorer.state, gating=gating)
        before, after = (
            ut.simulate(PRUNED, ut.Accelerator(), name).energy_as(gating)
            for name in ("none", "uticket")
        )
        assert figures(explorer.frame)["energy saved"] == f"{1 - after / before:.1%}"
        counts = explorer.tables["counts"].set_index(["strategy", "pes"])["energy"]
        assert counts["none", 16] == pytest.approx(before)
    unknown = explore.energy(ut.synthetic_ticket("digits"))
    assert "no energy" in unknown.frame["message"]


def test_spikes_are_those_of_simulate_spikes():
    from uticket_lite.training import load_network, record_spikes
    from uticket_lite.training.datasets import load_dataset

    explorer = explore.spikes()
    explorer.state = replace(explorer.state, run="digits-uticket", image=3)
    images = load_dataset("digits")
    spikes = record_spikes(load_network("digits-uticket"), images.prepare(images.test_images)[3])
    layer = ut.load_ticket("digits-uticket").layers["conv4"]
    report = ut.simulate_spikes(layer, spikes["conv4"], ut.Accelerator(), padding=1)
    assert figures(explorer.frame)["by spikes, per wave"] == f"{report.utilization:.1%}"
    assert figures(explorer.frame)["utilization by weights"] == "100.0%"
    explorer.state = replace(explorer.state, run="digits-lth", layer="conv3")
    plain = ut.simulate(PRUNED, ut.Accelerator(), layers=["conv3"])
    weighed = plain.utilization_as(average="cycles")
    assert figures(explorer.frame)["utilization by weights"] == f"{weighed:.1%}"


def test_your_own_weights_can_be_pruned_further():
    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal((8, 4, 3, 3)) for name in ("a", "b")}
    explorer = explore.workload(ut.Ticket.from_arrays(weights))
    (step,) = (c for c in explorer.frame["controls"] if c["name"] == "round")
    assert step["label"] == "sparsity"
    assert step["options"][0][0] == "0: 0.00% pruned"
    masks = explore.workload(ut.Ticket.from_arrays({"a": np.ones((4, 4), bool)}))
    assert len(masks.frame["controls"][1]["options"]) == 1


def test_rounds_of_which_only_counts_are_known_say_what_is_missing(tmp_path):
    PRUNED.save(tmp_path / "counts.safetensors", counts_only=True)
    ticket = ut.load_ticket(tmp_path / "counts.safetensors")
    explorer = explore.strategies(ticket)
    assert "Not possible here: uticket, " in explorer.frame["message"]
    (mapping,) = (c for c in explorer.frame["controls"] if c["name"] == "mapping")
    assert "only counts of filters are recorded" in mapping["closed"]
    assert "sort" in explorer.tables["strategies"]["strategy"].tolist()
    with pytest.raises(ValueError, match="mapping 'input-channel' is not known; .* output-channel"):
        explorer.state = replace(explorer.state, mapping="input-channel")
    energy = explore.energy(ticket)
    (offered,) = (c for c in energy.frame["controls"] if c["name"] == "strategy")
    assert not {"none", "uticket", "row-balanced"} & set(values(offered))
    assert energy.state.strategy == "sort"
    assert "cannot be offered" in energy.frame["message"]
    assert "sort (filters by non-zeros) changes the energy by -" in energy.frame["summary"]
    for make in (explore.workload, explore.timeline):
        explorer = make(ticket)
        explorer.state = replace(explorer.state, strategy="uticket")
        assert "only counts are recorded, no masks" in explorer.frame["message"]
        explorer.state = replace(explorer.state, strategy="sort")
        assert "counts" not in explorer.frame["message"]


def test_waves_that_are_not_the_same_are_not_compared():
    frame = shown(strategy="none", versus="queue", wave=2)
    assert "versus" not in frame["data"]["rules"]["what"]
    assert f"“{ut.STRATEGIES['queue'].label}” has other waves" in frame["message"]
    whole = shown(strategy="none", versus="queue")
    end, _, versus = whole["data"]["rules"]["value"]
    assert versus < end
    assert not whole["message"]


def test_a_clock_that_stops_early_says_so():
    dense = explore.timeline("digits-lth")
    dense.state = replace(dense.state, round=0, n_pe=64, mapping="input-channel")
    assert "Shown: the first" in dense.frame["message"]
    assert "The layer is done" not in dense.frame["summary"]
    assert len(dense.tables["intervals"]) <= 2100


def test_states_move_to_the_nearest_that_their_run_has():
    state = WorkloadState("digits-lth", 99, wave=99)
    wanted = WorkloadState("digits-lth", 2, layer="conv4", wave=3)
    assert nearest(state, RUNS, START) == wanted


def test_your_own_network_opens_where_there_is_something_to_see():
    """Not trained, its larger layers start with smaller weights and are the first to be empty."""
    rng = np.random.default_rng(0)
    shapes = {"0": (32, 1, 3, 3), "2": (64, 32, 3, 3), "4": (64, 64, 3, 3)}
    weights = {
        name: rng.uniform(-1, 1, shape) / np.sqrt(np.prod(shape[1:]))
        for name, shape in shapes.items()
    }
    explorer = explore.workload(ut.Ticket.from_arrays(weights))
    for table in (explorer.tables["bars"], explorer.tables["waves"]):
        assert table.select_dtypes("number").to_numpy().any()
    frame = explorer.frame
    bars = explorer.tables["bars"]
    assert bars[bars["kind"] == "work"]["amount"].sum() >= 64
    assert not frame["message"]
    by_name = {control["name"]: control for control in frame["controls"]}
    labels = [label.partition(": ")[2] for label, _ in by_name["round"]["options"]]
    assert len(set(labels)) == len(labels), "each position says a sparsity of its own"
    assert not any(
        label.startswith("100") and set(label[3:]) <= set(".0% pruned") for label in labels
    )
    assert [label for label, _ in by_name["layer"]["options"]] == ["layer 0", "layer 2", "layer 4"]
    assert "in layer 4, " in frame["summary"]


def test_one_of_a_kind_is_told_in_the_singular(workload):
    workload.state = replace(workload.state, n_pe=1)
    assert "1 PE, " in workload.frame["summary"]
    one = explore.workload(ut.Ticket.from_arrays({"a": np.eye(4)}))
    assert "its only wave" in one.frame["summary"]
    assert "all 1" not in one.frame["summary"]


def test_a_strategy_that_is_registered_stands_in_the_menu(workload, monkeypatch):
    class Mine(ut.Strategy):
        pass

    own = Mine("mine", "my own", "nothing", "Nothing.", "here")
    monkeypatch.setitem(registry._registered, "mine", own)  # and forgotten afterwards
    ut.register(own)
    workload.state = replace(workload.state, strategy="mine")
    (menu,) = (c for c in workload.frame["controls"] if c["name"] == "strategy")
    assert ["my own", "mine"] in menu["options"]
    assert "my own" in workload.frame["summary"]


def test_a_closed_explorer_leaves_no_layout_behind():
    explorer = explore.rounds("digits-lth")
    layout = explorer.layout
    explorer.close()
    assert layout.comm is None
    assert explorer.comm is None
    explorer.close()


def test_a_ticket_of_ones_own_is_called_by_its_round_or_its_sparsity():
    recorded = explore.workload(ut.load_ticket("digits-lth", round=14))
    assert "your ticket, round 14, 16 PEs" in recorded.frame["summary"]
    masks = {"a": np.eye(8, 9, dtype=bool), "b": np.ones((8, 9), bool)}
    plain = explore.workload(ut.Ticket.from_arrays(masks))
    assert f"your ticket, {1 - 80 / 144:.2%} pruned, 16 PEs" in plain.frame["summary"]
    weights = np.random.default_rng(0).normal(size=(16, 9, 3, 3))
    ladder = explore.workload(ut.Ticket.from_arrays({"a": weights}))
    assert "round" not in ladder.frame["summary"]
    assert "% pruned, 16 PEs" in ladder.frame["summary"]


@pytest.mark.parametrize("kind", ["workload", "timeline", "rounds"])
def test_cycles_of_one_position_are_called_so(kind):
    """The network's, in the figures, are some hundred times as many."""
    spec = json.dumps(make_chart(kind).to_dict())
    assert re.search(r'cycles(", ")? ?\(?per position and timestep\)', spec)


def test_the_axis_of_rounds_says_what_it_is():
    explorer = explore.rounds("digits-lth")
    for x, title in (("round", "pruning round"), ("sparsity", "weights pruned (%)")):
        explorer.state = replace(explorer.state, x=x)
        assert f">{title}<" in explorer.svg()


def test_waiting_is_counted_in_cycles_never_in_non_zeros():
    spec = make_chart("workload").to_dict()
    bars = next(part for data, part in parts(spec) if data == "bars")
    titles = {about["field"]: about["title"] for about in bars["encoding"]["tooltip"]}
    assert (titles["kind"], titles["amount"]) == ("is", "cycles (per position and timestep)")


WRONG = {
    "a report": lambda: ut.simulate(PRUNED, ut.Accelerator(16)),
    "a layer": lambda: PRUNED.layers["conv2"],
    "a number": lambda: 3,
    "an array": lambda: np.zeros((100, 100)),
    "bytes": lambda: b"digits-lth",
    "an explorer's maker": lambda: explore.workload,
    "a class": lambda: ut.Ticket,
    "tickets": lambda: [PRUNED, PRUNED],
    "a name with its round": lambda: ("digits-lth", 14),
}


@pytest.mark.parametrize("kind", explore.EXPLORERS)
@pytest.mark.parametrize("what", WRONG)
def test_what_no_explorer_opens_is_refused_with_what_it_does_open(kind, what):
    if kind == "sweep" and what in ("tickets", "a name with its round"):
        return
    given = WRONG[what]()
    with pytest.raises(TypeError, match=r"(ticket|names) must be .*digits-lth") as raised:
        explore.EXPLORERS[kind](given)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400, "however large it is"
    with pytest.raises(TypeError, match="strategy must be a name"):
        explore.workload(strategy=given)
    with pytest.raises(TypeError, match=r"link must be of type str.*workload\?n_pe=8"):
        explore.open_link(given)


def test_explorers_of_several_runs_take_one_or_some_and_not_none():
    for make, name in ((explore.rounds, "digits-uticket"), (explore.spikes, "digits-uticket")):
        for names in (name, [name], (name for _ in "a")):
            assert make(names).state.run == name
        assert make((name, "digits-lth")).nearest(run="digits-lth").run == "digits-lth"
        for wrong in (PRUNED, [PRUNED], 3):
            with pytest.raises(TypeError, match=r"names must be .*explore\.workload\(ticket\)"):
                make(wrong)
        for wrong in ([], (), "digits"):
            with pytest.raises(ValueError, match="digits-lth, digits-uticket"):
                make(wrong)


def test_rounds_open_in_nothing_that_shows_no_rounds(workload):
    with pytest.raises(TypeError, match=r"opens must be .*opens=explore\.workload\(\)"):
        explore.rounds("digits-lth", opens=PRUNED)
    with pytest.raises(ValueError, match="control 'round' is not known"):
        explore.rounds("digits-lth", opens=explore.spikes())
    with pytest.raises(ValueError, match="run 'digits-uticket' is not known"):
        explore.rounds("digits-uticket", opens=workload)
