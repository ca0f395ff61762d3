"""The recorded digit tickets show the fall of utilization and its recovery."""

import json

import pytest

import uticket_lite as ut
from uticket_lite.recorded import DATA

PES = ut.Accelerator(16)


@pytest.mark.parametrize("name", ["digits-lth", "digits-uticket"])
def test_history_is_that_of_the_tickets(name):
    history = ut.load_history(name)
    assert len(history) == 15
    for row in history.itertuples():
        ticket = ut.load_ticket(name, round=row.round)
        assert ticket.provenance["accuracy"] == row.accuracy
        report = ut.simulate(ticket, PES, cycles="weights")
        assert report.utilization == pytest.approx(row.utilization)
        assert report.latency == row.latency
        sizes = [layer.size for layer in ticket.layers.values()]
        alive = [layer.nonzeros for layer in ticket.layers.values()]
        assert 1 - sum(alive) / sum(sizes) == pytest.approx(row.sparsity)
        assert all(0 <= layer.spike_sparsity <= 1 for layer in ticket.layers.values())


@pytest.mark.parametrize("seed", range(5))
def test_plain_pruning_leaves_pes_waiting_and_uticket_does_not(seed):
    lth, uticket = (
        runs[runs["seed"] == seed]
        for runs in (ut.load_seeds(f"digits-{method}") for method in ("lth", "uticket"))
    )
    assert 0.97 < lth["sparsity"].iloc[-1] < 0.99
    assert lth["utilization"].iloc[1] > 0.9
    assert lth["utilization"].iloc[-1] < 0.45
    assert (uticket["utilization"] == 1).all()
    assert uticket["latency"].iloc[-1] < 0.75 * lth["latency"].iloc[-1]


def test_accuracy_survives_balancing():
    """Within about a point at every sparsity, in the mean of five seeds."""
    lth, uticket = (
        ut.load_seeds(f"digits-{method}").groupby("round")["accuracy"].mean()
        for method in ("lth", "uticket")
    )
    assert lth.iloc[0] > 0.98
    assert (lth - uticket).abs().max() < 0.015


def test_runs_start_alike():
    lth, uticket = (ut.load_history(name) for name in ("digits-lth", "digits-uticket"))
    assert lth["accuracy"][0] == uticket["accuracy"][0]
    settings = [
        json.loads((DATA / name / "history.json").read_text())["settings"]
        for name in ("digits-lth", "digits-uticket")
    ]
    assert {key for key in settings[0] if settings[0][key] != settings[1][key]} == {"method"}


def test_unknown_names_and_rounds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'digits-ltj'.*mean 'digits-lth'"):
        ut.load_ticket("digits-ltj")
    with pytest.raises(ValueError, match="digits-lth has rounds 0 to 14, not 15"):
        ut.load_ticket("digits-lth", round=15)
    with pytest.raises(ValueError, match="round=3 goes with a recorded ticket's name"):
        ut.load_ticket(tmp_path / "x.safetensors", round=3)
    for load in (ut.load_history, ut.load_seeds):
        with pytest.raises(ValueError, match="choose one of: digits-lth"):
            load("digits")
