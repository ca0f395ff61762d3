"""What each strategy promises: u-Ticket's equal loads, sort's optimum, and their prices."""

import itertools
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from generators import accelerators, masks
from hypothesis import given, settings
from hypothesis import strategies as st

import uticket_lite as ut
from uticket_lite.hardware.loads import capacities
from uticket_lite.strategies import registry

pytestmark = pytest.mark.kernels

MASK_STRATEGIES = [name for name, s in ut.STRATEGIES.items() if s.changes == "mask"]
ORDER_STRATEGIES = [name for name, s in ut.STRATEGIES.items() if s.changes == "order"]


def test_every_file_is_in_the_registry_by_its_rank():
    """Those that nothing imports, too: a file is found by lying there."""
    files = Path(registry.__file__).parent.glob("*.py")
    ranks = {}
    for file in files:
        rank = re.search(r"^RANK = (\d+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        if rank:
            ranks[int(rank[1])] = import_module(f"uticket_lite.strategies.{file.stem}").STRATEGY
    assert len(ranks) >= 14
    assert list(ut.STRATEGIES.values()) == [ranks[rank] for rank in sorted(ranks)]
    assert list(ut.STRATEGIES)[:2] == ["none", "uticket"]
    for name, strategy in ut.STRATEGIES.items():
        assert strategy.name == name
        assert strategy.changes in ("nothing", "mask", "order", "schedule", "hardware")
        assert strategy.label
        assert strategy.cost
        assert strategy.source


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


@settings(max_examples=40)
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
    for chosen in (["sort"], "sort"):
        assert list(ut.compare(ticket, ut.Accelerator(4), chosen).index) == ["sort"]


def loads_ticket(counts):
    """A ticket of one layer whose filters have the given numbers of non-zeros."""
    counts = np.asarray(counts)
    return ut.Ticket.from_arrays({"a": np.arange(max(counts.max(), 1)) < counts[:, None]})


def latency(counts, n, strategy):
    return ut.simulate(loads_ticket(counts), ut.Accelerator(n), strategy, cycles="weights").latency


def optimum(counts, n):
    """The shortest schedule without barriers, by trying every assignment."""
    return min(
        max(sum(c for c, j in zip(counts, pes, strict=True) if j == pe) for pe in range(n))
        for pes in itertools.product(range(n), repeat=len(counts))
    )


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=7), st.integers(1, 3))
def test_list_schedules_keep_their_bounds(counts, n):
    best = optimum(counts, n)
    lower = max(-(-sum(counts) // n), max(counts))
    queue, lpt, kk = (latency(counts, n, name) for name in ("queue", "lpt", "karmarkar-karp"))
    assert best <= kk <= (4 / 3 - 1 / (3 * n)) * best
    assert lower <= best <= min(queue, lpt)
    assert queue <= (2 - 1 / n) * best
    assert lpt <= (4 / 3 - 1 / (3 * n)) * best


def test_grahams_example_where_lpt_misses_the_optimum():
    assert latency([4, 5, 6, 7, 8], 2, "lpt") == 17
    assert optimum([4, 5, 6, 7, 8], 2) == 15


@given(masks, st.integers(1, 12))
def test_strategies_rank_as_they_must(mask, n):
    ticket, pes = ut.Ticket.from_arrays({"a": mask}), ut.Accelerator(n)
    time = {
        name: ut.simulate(ticket, pes, name, cycles="weights").latency for name in ut.STRATEGIES
    }
    counts = ticket.layers["a"].counts
    lower = max(-(-counts.sum() // n), counts.max())
    whole = ("none", "shuffle", "sort", "pair", "lpt", "queue", "karmarkar-karp", "fifo-d", "snake")
    for name in whole:
        assert time[name] >= lower
    assert time["split"] >= -(-counts.sum() // n)
    assert time["sort"] <= min(time["none"], time["shuffle"])
    assert time["queue"] <= time["none"], "waiting for all is never quicker than for one"
    assert time["fifo-d"] <= time["none"]
    assert time["snake"] <= time["sort"], "turning waves round costs nothing, running ahead saves"


@given(masks, accelerators, st.integers(0, 5), st.permutations(range(9)))
def test_sort_and_lpt_do_not_care_in_which_order_filters_were_given(mask, accelerator, seed, order):
    pes = ut.Accelerator(accelerator.n_pe)
    other = mask[[k for k in order if k < len(mask)]]
    for name in ("sort", "lpt", "pair", "row-balanced"):
        one, two = (
            ut.simulate(ut.Ticket.from_arrays({"a": m}), pes, name, seed).latency
            for m in (mask, other)
        )
        assert one == two


def test_differencing_comes_nearer_the_optimum_than_lpt():
    """Karmarkar and Karp's own example: 16 where LPT has 17 and the optimum is 15."""
    assert latency([4, 5, 6, 7, 8], 2, "karmarkar-karp") == 16
    rng = np.random.default_rng(0)
    drawn = [rng.integers(1, 100, 40) for _ in range(20)]
    kk, lpt = (sum(latency(c, 4, s) for c in drawn) for s in ("karmarkar-karp", "lpt"))
    assert kk < lpt


def test_the_snake_turns_round_at_the_end_of_each_wave():
    report = ut.simulate(loads_ticket([9, 8, 7, 6, 5, 4, 3]), ut.Accelerator(3), "snake")
    assert report.loads["a"].tolist() == [[9, 8, 7], [4, 5, 6], [3, 0, 0]]


def test_split_deals_halves_and_keeps_every_non_zero():
    report = ut.simulate(loads_ticket([9, 1, 1]), ut.Accelerator(2), "split", cycles="weights")
    assert report.loads["a"].tolist() == [[6, 5]]
    assert (report.latency, report.work, report.idle) == (6, 11, 1)
    assert report.orders["a"].tolist() == [0, 1, 2]
    assert report.price == {"touched": 0, "extra": 0, "permuted": 0, "buffered": 0}
    uncut = ut.simulate(loads_ticket([9, 1, 1]), ut.Accelerator(2), "lpt", cycles="weights")
    assert uncut.latency == 9


def test_pair_puts_the_densest_beside_the_sparsest():
    report = ut.simulate(loads_ticket([5, 1, 4, 2, 3, 9]), ut.Accelerator(2), "pair")
    assert report.loads["a"].tolist() == [[10, 7], [7, 0]]
    assert report.orders["a"].tolist() == [5, 1, 0, 3, 2, 4]


def test_queue_deals_in_order_to_the_first_free_pe():
    report = ut.simulate(loads_ticket([3, 1, 1, 2, 2]), ut.Accelerator(2), "queue")
    assert report.loads["a"].tolist() == [[5, 4]]
    assert report.timeline("a").query("kind == 'work' and pe == 0")["filter"].tolist() == [0, 4]


@given(masks)
def test_row_balanced_filters_are_equal_for_any_number_of_pes(mask):
    balanced = ut.balance(ut.Ticket.from_arrays({"a": mask}), ut.Accelerator(3), "row-balanced")
    counts = balanced.layers["a"].counts
    assert counts.min() == counts.max() == int(np.ceil(mask.reshape(len(mask), -1).sum(1).mean()))


@given(masks, accelerators, st.integers(0, 10**6))
def test_magnitude_touches_as_much_as_random_but_keeps_larger_weights(mask, accelerator, seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=mask.shape)
    ticket = ut.Ticket.from_arrays({"a": weights * mask}).with_layers(
        {
            "a": replace(
                ut.Layer.from_array(mask),
                magnitudes=np.abs(weights).astype(np.float32).reshape(len(mask), -1),
            )
        }
    )
    by_chance = ut.simulate(ticket, accelerator, "uticket", seed)
    guided = ut.simulate(ticket, accelerator, "uticket-magnitude", seed)
    assert guided.price["touched"] == by_chance.price["touched"]
    assert (guided.loads["a"] == by_chance.loads["a"]).all()
    kept = [
        np.abs(weights)[report.ticket.layers["a"].to_dense()].sum()
        for report in (guided, by_chance)
    ]
    assert kept[0] >= kept[1] - 1e-5


def test_where_magnitudes_are_unknown_or_zero_the_choice_is_random():
    mask = np.arange(40) < np.array([[10], [30]])
    masked = ut.Ticket.from_arrays({"a": np.where(mask, 1.0, 0.0)})
    for ticket in (ut.Ticket.from_arrays({"a": mask}), masked):
        one, two = (
            ut.balance(ticket, ut.Accelerator(2), "uticket-magnitude", seed).masks()["a"]
            for seed in (0, 1)
        )
        assert (one[0] != two[0]).any(), "regrown at random"
        assert one.sum(axis=1).tolist() == [20, 20]


def test_prices_are_what_changed():
    ticket = loads_ticket([4, 2])
    price = {name: ut.simulate(ticket, ut.Accelerator(2), name).price for name in ut.STRATEGIES}
    assert price["none"] == {"touched": 0, "extra": 0, "permuted": 0, "buffered": 0}
    assert price["uticket"]["touched"] == pytest.approx(2 / 6)
    assert price["regrow-only"] == {"touched": 2 / 6, "extra": 2 / 6, "permuted": 0, "buffered": 0}
    assert price["fifo-d"]["buffered"] == 4
    ascending = ut.simulate(loads_ticket([2, 4]), ut.Accelerator(2), "sort").price
    assert ascending["permuted"] == 2
