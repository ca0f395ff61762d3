"""An order of filters folds into the next layer: same outputs, and the ticket runs sorted."""

import copy

import numpy as np
import pytest
import torch

import uticket_lite as ut
from uticket_lite.training import fold_orders, load_network, record_spikes
from uticket_lite.training.datasets import load_dataset


@pytest.fixture(scope="module")
def network():
    return load_network("digits-lth")


@pytest.mark.parametrize("strategy", ["sort", "pair", "shuffle", "lpt"])
def test_outputs_of_a_trained_network_stay_the_same(network, strategy):
    data = load_dataset("digits")
    images = data.prepare(data.test_images)
    orders = ut.simulate(ut.load_ticket("digits-lth"), ut.Accelerator(16), strategy).orders
    folded = copy.deepcopy(network)
    fold_orders(folded, orders)
    with torch.no_grad():
        before, after = network(images), folded(images)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4)
    assert any((order != np.arange(order.size)).any() for order in orders.values())


def test_the_folded_network_needs_no_sorting_any_more(network):
    ticket = ut.load_ticket("digits-lth")
    names = ticket.counted
    sorted_ = ut.simulate(ticket, ut.Accelerator(16), "sort", cycles="weights")
    folded = copy.deepcopy(network)
    fold_orders(folded, sorted_.orders)
    weights = {f"conv{i}": block.conv.weight for i, block in enumerate(folded.convs, 1)}
    plain = ut.Ticket.from_arrays({name: weights[name] for name in names})
    report = ut.simulate(plain, ut.Accelerator(16), cycles="weights")
    assert report.latency == sorted_.latency


def test_recorded_weights_are_those_of_the_last_round(network):
    """They have the last ticket's zeros and its accuracy."""
    ticket, data = ut.load_ticket("digits-lth"), load_dataset("digits")
    for i, block in enumerate(network.convs, 1):
        alive = (block.conv.weight != 0).numpy()
        assert (alive == ticket.layers[f"conv{i}"].to_dense()).all()
    with torch.no_grad():
        guesses = network(data.prepare(data.test_images)).argmax(1)
    accuracy = (guesses == data.test_labels).float().mean().item()
    assert accuracy == pytest.approx(ticket.provenance["accuracy"], abs=0.003)


def test_real_spikes_unbalance_a_balanced_ticket():
    network = load_network("digits-uticket")
    ticket = ut.load_ticket("digits-uticket")
    data = load_dataset("digits")
    spikes = record_spikes(network, data.prepare(data.test_images)[0])
    assert spikes["conv2"].shape == (4, 32, 8, 8)
    assert spikes["linear1"].shape == (4, 256)
    assert "conv1" not in spikes
    pes = ut.Accelerator(16)
    assert ut.simulate(ticket, pes).utilization == 1
    for name in ticket.counted:
        report = ut.simulate_spikes(ticket.layers[name], spikes[name], pes, padding=1)
        assert 0 < report.utilization < 0.95


def test_orders_that_do_not_fit_are_refused(network):
    with pytest.raises(ValueError, match="layer 'linear1' is not known; choose one of: conv1"):
        fold_orders(network, {"linear1": np.arange(10)})
    with pytest.raises(ValueError, match="not a permutation of the layer's 32 filters"):
        fold_orders(network, {"conv1": np.zeros(32, int)})
