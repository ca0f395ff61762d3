"""Explorers without a browser: what they show is what the simulator says, for every state."""

import itertools
import threading

import numpy as np
import pytest

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.explore.charts import workload_chart
from uticket_lite.explore.pictures import svg
from uticket_lite.explore.workload_view import ALL_WAVES, MAP_ROWS, State, workload_frame

RUNS = {
    name: [ut.load_ticket(name, round=number) for number in (0, 7, 14)]
    for name in ut.recorded_tickets()
}


def state(**changes):
    base = State("digits-lth", 2, layer="conv4")
    return State(**{**base.__dict__, **changes})


def figures(frame):
    return dict(frame["figures"])


def test_figures_are_those_of_simulate():
    frame = workload_frame(state(n_pe=12, strategy="sort"), RUNS)
    report = ut.simulate(RUNS["digits-lth"][2], ut.Accelerator(12), "sort")
    shown = figures(frame)
    assert shown["utilization"] == f"{report.utilization:.1%}"
    assert shown["latency (cycles)"] == f"{report.latency:,}"
    assert shown["idle (PE-cycles)"] == f"{report.idle:,}"
    assert shown["work (PE-cycles)"] == f"{report.work:,}"
    assert shown["energy (E_dyn)"] == f"{report.energy:,.0f}"
    assert f"{report.latency:,} cycles" in frame["summary"]


def test_bars_are_the_loads_with_waiting_on_top():
    loads = ut.simulate(RUNS["digits-lth"][2], ut.Accelerator(16)).loads["conv4"]
    for wave, table in ((ALL_WAVES, loads), (2, loads[[2]])):
        data = workload_frame(state(wave=wave), RUNS)["data"]
        amounts = np.array(data["bars"]["amount"]).reshape(2, 16)
        assert (amounts[0] == table.sum(axis=0)).all()
        assert (amounts.sum(axis=0) == table.max(axis=1).sum()).all()
        assert data["rules"]["value"] == [table.sum(axis=0).mean(), table.max(axis=1).sum()]


@pytest.mark.parametrize("strategy", ut.STRATEGIES)
def test_bars_are_as_high_as_the_layer_is_long(strategy):
    """Also where PEs run ahead of the slowest, and a layer takes less than Σ max."""
    data = workload_frame(state(n_pe=4, strategy=strategy), RUNS)["data"]
    report = ut.simulate(RUNS["digits-lth"][2], ut.Accelerator(4), strategy, cycles="weights")
    assert data["rules"]["value"][1] == report.layers.loc["conv4", "latency"]
    idle = [
        a
        for a, kind in zip(*map(data["bars"].get, ("amount", "kind")), strict=True)
        if kind == "idle"
    ]
    assert sum(idle) == report.layers.loc["conv4", "idle"]
    assert min(idle) >= 0


def test_map_shows_every_wave_or_averages_of_groups():
    data = workload_frame(state(n_pe=4), RUNS)["data"]["waves"]
    loads = ut.simulate(RUNS["digits-lth"][2], ut.Accelerator(4)).loads["conv4"]
    assert data["load"] == loads.ravel().tolist()
    many = ut.Ticket.from_arrays({"conv4": np.ones((1000, 2), bool)})
    data = workload_frame(state(run="mine", round=0, n_pe=2), {"mine": [many]})["data"]["waves"]
    assert len(set(data["wave"])) <= MAP_ROWS
    assert set(data["load"]) == {2}


def test_a_strategy_that_the_mapping_rules_out_is_explained():
    frame = workload_frame(state(strategy="sort", mapping="input-channel"), RUNS)
    assert "no effect with mapping 'input-channel'" in frame["message"]
    plain = workload_frame(state(mapping="input-channel"), RUNS)
    assert frame["figures"] == plain["figures"]
    assert not plain["message"]


def test_an_empty_layer_is_explained():
    ticket = ut.Ticket.from_arrays({"conv4": np.zeros((8, 4)), "b": np.ones((8, 4))})
    frame = workload_frame(state(run="mine", round=0), {"mine": [ticket]})
    assert "no non-zeros left" in frame["message"]


def test_every_combination_at_every_extreme_is_shown():
    for run, number, n, mapping, strategy, wave in itertools.product(
        RUNS, (0, 2), (1, 7, 64), ut.MAPPINGS, ut.STRATEGIES, (ALL_WAVES, 0, 10**6)
    ):
        for layer in RUNS[run][number].counted:
            frame = workload_frame(State(run, number, n, mapping, strategy, layer, wave), RUNS)
            assert frame["figures"]
            assert frame["summary"]
            assert all(len(set(map(len, d.values()))) == 1 for d in frame["data"].values())


@pytest.fixture(scope="module")
def widget():
    return explore.workload()


@pytest.mark.parametrize(
    ("control", "value", "figure"),
    [
        ("run", "digits-uticket", "utilization"),
        ("round", 3, "sparsity"),
        ("n_pe", 5, "latency (cycles)"),
        ("mapping", "input-channel", "latency (cycles)"),
        ("strategy", "uticket", "utilization"),
    ],
)
def test_moving_a_control_shows_what_its_state_says(widget, control, value, figure):
    widget.state = State("digits-lth", 14, layer="conv4")
    before = widget.view.frame
    moved = widget._controls[control]
    if hasattr(moved, "options"):  # a menu hears of the index, a slider of the value
        names = [name for _, name in moved._options_full]
        moved.set_state({"index": names.index(value)})
    else:
        moved.set_state({"value": value})
    assert getattr(widget.state, control) == value
    after = widget.view.frame
    wanted = workload_frame(widget.state, widget._runs)
    assert {key: after[key] for key in wanted} == wanted
    assert figures(after)[figure] != figures(before)[figure]


def test_layers_and_waves_follow_the_ticket():
    first = ut.Ticket.from_arrays({"a": np.ones((40, 2)), "b": np.ones((3, 2))})
    widget = explore.workload(first)
    widget._controls["layer"].value = "a"
    widget._controls["wave"].value = 2
    assert widget.state.wave == 2
    widget._controls["n_pe"].value = 40
    assert widget.state.wave <= 0
    assert len(widget._controls["wave"].options) == 2


def test_setting_a_state_that_does_not_exist_changes_nothing(widget):
    before, frame = widget.state, widget.view.frame
    with pytest.raises((KeyError, IndexError, ValueError)):
        widget.state = State("digits-lth", 99, layer="conv4")
    assert (widget.state, widget.view.frame) == (before, frame)


def test_errors_in_callbacks_are_shown(widget, monkeypatch):
    from uticket_lite.explore import workload_view as module

    def fail(*arguments):
        raise RuntimeError("a planted error")

    monkeypatch.setattr(module, "workload_frame", fail)
    widget._controls["n_pe"].value = 9
    assert widget.view.frame["message"] == "RuntimeError: a planted error"


def test_moves_from_several_threads_end_on_the_last_state(widget):
    widget.state = State("digits-lth", 14, layer="conv4")

    def drag(values):
        for value in values:
            widget._controls["n_pe"].set_state({"value": value})

    threads = [threading.Thread(target=drag, args=(range(2, 40),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert widget.view.frame["figures"] == workload_frame(widget.state, widget._runs)["figures"]


def test_pictures_hold_the_data():
    frame = workload_frame(state(), RUNS)
    picture = svg(workload_chart(), frame)
    assert frame["data"]["rules"]["label"][0] in picture


def test_rounds_are_told_in_words_too():
    view = explore.rounds()
    last = ut.load_history("digits-lth").iloc[-1]
    assert f"utilization {last.utilization:.1%}" in view.frame["summary"]
    with pytest.raises(ValueError, match="'digits'"):
        explore.rounds(["digits"])
