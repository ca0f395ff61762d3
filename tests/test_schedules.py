"""What orders and schedules reach on recorded tickets, beside u-Ticket."""

import pytest

import uticket_lite as ut


def test_schedules_reach_the_mean_and_change_no_weight():
    """On the recorded digits halved filters need fewer cycles than u-Ticket's mean, rounded up in
    every wave; on VGG-16 the schedules come within 2 % of it."""
    ticket, pes = ut.load_ticket("digits-lth"), ut.Accelerator(16)
    table = ut.compare(ticket, pes, ["uticket", "split", "lpt"])
    assert table.loc["split", "latency"] < table.loc["uticket", "latency"]
    assert table.loc["split", "latency"] < table.loc["lpt", "latency"]
    vgg = ut.compare(ut.load_ticket("vgg16-cifar10-lth"), pes)
    relative = vgg["latency"] / vgg.loc["uticket", "latency"]
    assert relative["lpt"] == pytest.approx(1.008, abs=0.002)
    assert relative["pair"] == pytest.approx(1.019, abs=0.002)
    assert relative["snake"] == pytest.approx(1.014, abs=0.002)
    assert relative["karmarkar-karp"] == pytest.approx(1.004, abs=0.002)
