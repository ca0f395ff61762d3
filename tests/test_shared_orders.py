"""Layers whose filters are added share an order, in tickets, strategies and folded networks."""

import copy
import pickle

import numpy as np
import pytest
import torch

import uticket_lite as ut
from uticket_lite.tickets.architectures import CONV_SHAPES, TIES
from uticket_lite.tickets.layer import Counts
from uticket_lite.training import fold_orders
from uticket_lite.training.networks import make_network

PES = ut.Accelerator(16)
RESNET = ut.synthetic_ticket("resnet19-small", sparsity=0.95, filter_cov=0.85)


def test_the_ends_of_a_stages_blocks_are_tied_to_its_shortcut():
    stage1 = ["shortcut", "conv2"]
    assert TIES["resnet19"][0] == (
        *(f"stage1.block1.{part}" for part in stage1),
        "stage1.block2.conv2",
        "stage1.block3.conv2",
    )
    assert len(TIES["resnet19"]) == 3
    assert TIES["resnet19-wide"][0][:2] == ("conv1", "stage1.block1.conv2"), "no shortcut there"
    assert all(not ties for name, ties in TIES.items() if "resnet" not in name)
    assert RESNET.ties == TIES["resnet19-small"]


@pytest.mark.parametrize("strategy", ["sort", "pair", "shuffle", "lpt"])
def test_tied_layers_get_one_order_chosen_for_their_sum(strategy):
    report = ut.simulate(RESNET, PES, strategy)
    for tie in RESNET.ties:
        orders = [report.orders[name].tolist() for name in tie]
        assert all(order == orders[0] for order in orders)
        summed = sum(RESNET.layers[name].counts for name in tie)
        alone = ut.Ticket({"sum": ut.Layer((len(summed), 10**6), Counts(summed))})
        if strategy != "shuffle":
            assert orders[0] == ut.simulate(alone, PES, strategy).orders["sum"].tolist()
    free = [name for name in RESNET.counted if not any(name in tie for tie in RESNET.ties)]
    for name in free:
        own = ut.simulate(RESNET, PES, strategy, layers=[name])
        if strategy != "shuffle":
            assert own.orders[name].tolist() == report.orders[name].tolist()
            assert (own.loads[name] == report.loads[name]).all()


def test_sharing_an_order_costs_cycles():
    untied = ut.Ticket(RESNET.layers, RESNET.timesteps, RESNET.counted)
    none, tied, free = (
        ut.simulate(ticket, PES, strategy).latency
        for ticket, strategy in ((RESNET, "none"), (RESNET, "sort"), (untied, "sort"))
    )
    assert free < tied < none


def test_ties_come_back_from_disk_and_from_pickle(tmp_path):
    RESNET.save(tmp_path / "t.safetensors")
    assert ut.load_ticket(tmp_path / "t.safetensors").ties == RESNET.ties
    assert pickle.loads(pickle.dumps(RESNET)).ties == RESNET.ties
    assert ut.balance(RESNET, PES).ties == RESNET.ties
    assert ut.load_ticket("digits-lth").ties == ()


@pytest.mark.parametrize(
    ("ties", "words"),
    [
        ([("a", "c")], "layer 'c' is not known"),
        ([("a", "b")], "equally many filters, not {'a': 2, 'b': 3}"),
        ([("a", "d"), ("d", "e")], "tied twice"),
        ([("a", "a")], "named twice"),
    ],
)
def test_ties_that_cannot_be_are_refused(ties, words):
    arrays = {"a": np.ones((2, 2)), "b": np.ones((3, 2)), "d": np.ones((2, 2)), "e": np.eye(2)}
    with pytest.raises(ValueError, match=words):
        ut.Ticket.from_arrays(arrays, ties=ties)


@pytest.mark.parametrize("strategy", ["sort", "pair", "shuffle", "lpt"])
@pytest.mark.parametrize("name", ["resnet19-small", "vgg16-small"])
def test_folded_orders_leave_the_scores_of_the_network_as_they_are(name, strategy):
    torch.manual_seed(0)
    network = make_network(name, timesteps=2)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.weight.uniform_(0.5, 2)
    network.eval()
    ticket = ut.synthetic_ticket(name, sparsity=0.9, filter_cov=0.85)
    orders = ut.simulate(ticket, PES, strategy).orders
    images = torch.randn(4, *network_shape(name))
    folded = copy.deepcopy(network)
    fold_orders(folded, orders)
    with torch.no_grad():
        before, after = network(images), folded(images)
    assert before.abs().max() > 0
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4)
    moved = dict(folded.named_parameters())
    assert any(not torch.equal(p, moved[n]) for n, p in network.named_parameters())


def network_shape(name):
    first = CONV_SHAPES[name][0]
    return first.weights[1], int(first.positions**0.5), int(first.positions**0.5)


def test_orders_that_differ_where_outputs_are_added_are_refused():
    network = make_network("resnet19-small", timesteps=2)
    names = RESNET.ties[0]
    filters = RESNET.layers[names[0]].shape[0]
    orders = {names[0]: np.arange(filters), names[1]: np.arange(filters)[::-1]}
    with pytest.raises(ValueError, match="are added: they can only share one order"):
        fold_orders(network, orders)


def test_a_sweep_respects_ties_too():
    table = ut.sweep({"resnet": RESNET}, n_pe=[16], strategies=["none", "sort", "lpt"])
    for row in table.itertuples():
        assert row.latency == ut.simulate(RESNET, PES, row.strategy).latency
