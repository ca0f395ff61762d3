"""What each strategy promises: u-Ticket's equal loads, sort's optimum, and their prices."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_simulate import accelerators, masks

import uticket_lite as ut
from uticket_lite.workload import capacities

pytestmark = pytest.mark.kernels

MASK_STRATEGIES = [name for name, s in ut.STRATEGIES.items() if s.changes == "mask"]
ORDER_STRATEGIES = [name for name, s in ut.STRATEGIES.items() if s.changes == "order"]


def test_registry_is_complete_and_in_order():
    assert list(ut.STRATEGIES) == (
        "none uticket uticket-magnitude regrow-only row-balanced shuffle sort pair lpt queue fifo-d"
    ).split()
    for name, strategy in ut.STRATEGIES.items():
        assert strategy.name == name
        assert strategy.changes in ("nothing", "mask", "order", "schedule", "hardware")
        assert strategy.label
        assert strategy.cost
        assert strategy.source


@settings(deadline=None)
@given(masks, accelerators, st.integers(0, 3))
def test_uticket_gives_all_pes_of_a_wave_the_ceiled_mean(mask, accelerator, seed):
    ticket = ut.Ticket.from_arrays({"a": mask})
    before = ut.simulate(ticket, accelerator).loads["a"]
    after = ut.simulate(ticket, accelerator, "uticket", seed).loads["a"]
    most = capacities(ticket.layers["a"], accelerator)
    for was, now, room in zip(before, after, most, strict=True):
        holding = room > 0
        a = int(np.ceil(was[holding].mean()))
        assert (now == np.minimum(a, room)).all()
        if len(set(room)) == 1:
            assert now.max() == now.min() == a


@settings(deadline=None)
@given(masks, accelerators, st.integers(0, 3))
def test_uticket_touches_only_what_it_must(mask, accelerator, seed):
    """A PE below its target keeps all its weights; one above gains none."""
    ticket = ut.Ticket.from_arrays({"a": mask})
    balanced = ut.balance(ticket, accelerator, "uticket", seed)
    was, now = mask, balanced.layers["a"].to_dense()
    dropped, regrown = (was & ~now).sum(), (now & ~was).sum()
    before = ut.simulate(ticket, accelerator).loads["a"]
    after = ut.simulate(balanced, accelerator).loads["a"]
    assert dropped == np.maximum(before - after, 0).sum()
    assert regrown == np.maximum(after - before, 0).sum()


@settings(deadline=None)
@given(masks, accelerators)
def test_regrow_only_fills_every_pe_and_saves_no_cycle(mask, accelerator):
    ticket = ut.Ticket.from_arrays({"a": mask})
    before = ut.simulate(ticket, accelerator)
    grown = ut.balance(ticket, accelerator, "regrow-only")
    assert (grown.layers["a"].to_dense() >= mask).all()
    after = ut.simulate(grown, accelerator)
    assert after.latency == before.latency
    if not after.idle:
        assert after.utilization == pytest.approx(1)


@pytest.mark.parametrize("name", MASK_STRATEGIES)
@pytest.mark.parametrize("mapping", ut.MAPPINGS)
def test_mask_strategies_reproduce_from_their_seed(name, mapping):
    ticket = ut.synthetic_ticket("digits", sparsity=0.9)
    accelerator = ut.Accelerator(16, mapping)
    one, same, other = (ut.balance(ticket, accelerator, name, seed).masks() for seed in (1, 1, 2))
    assert all((one[layer] == same[layer]).all() for layer in one)
    assert any((one[layer] != other[layer]).any() for layer in one)
    alone = ut.balance(ticket, accelerator, name, 1, layers=["conv3"]).masks()
    assert (alone["conv3"] == one["conv3"]).all(), "independent of the other layers"
    assert (alone["conv2"] == ticket.masks()["conv2"]).all()
    assert (one["conv1"] == ticket.masks()["conv1"]).all(), "only counted layers are balanced"


def test_regrown_and_dropped_positions_are_uniform():
    """Every pruned position is equally likely to regrow, every weight to be dropped."""
    n, trials = 40, 1000
    mask = np.zeros((2, n), bool)
    mask[0, :21], mask[1, :1] = True, True  # the mean, 11, drops 10 and regrows 10
    ticket = ut.Ticket.from_arrays({"a": mask})
    hits = sum(
        ut.balance(ticket, ut.Accelerator(2), seed=seed).layers["a"].to_dense().astype(int)
        for seed in range(trials)
    )
    assert (hits[0, 21:] == 0).all()
    assert hits[1, 0] == trials
    for kept, p in ((hits[0, :21], 11 / 21), (hits[1, 1:], 10 / 39)):
        sigma = np.sqrt(trials * p * (1 - p))
        assert np.abs(kept - trials * p).max() < 5 * sigma


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(1, 3))
def test_sort_is_the_best_order_under_barriers(counts, n):
    mask = np.arange(6) < np.array(counts)[:, None]
    report = ut.simulate(
        ut.Ticket.from_arrays({"a": mask}), ut.Accelerator(n), "sort", cycles="weights"
    )
    best = min(
        sum(max(order[i : i + n]) for i in range(0, len(order), n))
        for order in itertools.permutations(counts)
    )
    assert report.latency == best


@pytest.mark.parametrize("name", ORDER_STRATEGIES)
def test_order_strategies_permute_filters_and_nothing_else(name):
    ticket = ut.synthetic_ticket("digits", sparsity=0.95)
    given_order, report = (ut.simulate(ticket, ut.Accelerator(16), s) for s in ("none", name))
    assert report.work == given_order.work
    for layer, order in report.orders.items():
        assert sorted(order) == list(range(ticket.layers[layer].shape[0]))
        counts = ticket.layers[layer].counts[order]
        if name == "pair":  # two filters per PE
            counts = counts[::2] + counts[1::2]
        assert (report.loads[layer].ravel()[: counts.size] == counts).all()


def test_compare_has_a_row_per_strategy_that_the_mapping_allows():
    ticket = ut.synthetic_ticket("digits", sparsity=0.95)
    table = ut.compare(ticket, ut.Accelerator(16))
    assert list(table.index) == list(ut.STRATEGIES)
    assert (table["touched"] > 0).equals(table["changes"] == "mask")
    assert table.loc["uticket", "utilization"] == 1
    inputs = ut.compare(ticket, ut.Accelerator(16, "input-channel"))
    assert "sort" not in inputs.index
    assert list(ut.compare(ticket, ut.Accelerator(4), ["sort"]).index) == ["sort"]
