"""A strategy made in a notebook cell: it runs, stands in menus, and is told when it is wrong."""

import json
import random
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from few_digits import few_digits
from shell import run_cli

import uticket_lite as ut
from uticket_lite import explore
from uticket_lite.training import Settings, find_tickets

PES = ut.Accelerator(8)
TICKET = ut.synthetic_ticket("digits", sparsity=0.9)


class Backwards(ut.Strategy):
    """What a learner writes: one method."""

    def order(self, counts, starts, rng):
        return np.concatenate([np.arange(b, a, -1) - 1 for a, b in pairwise(starts)])


class Thinner(ut.Strategy):
    """Drops every filter's first weight, and returns the mask alone."""

    def balance(self, layer, accelerator, rng):
        mask = layer.to_dense()
        mask.reshape(len(mask), -1)[:, 0] = False
        return mask


def backwards(name="backwards"):
    return Backwards(name, "backwards", "order", "A permutation.", "this test")


def thinner(name="thinner"):
    return Thinner(name, "thinner", "mask", "Weights.", "this test")


def test_an_object_is_taken_wherever_a_name_is():
    mine = backwards()
    report = ut.simulate(TICKET, PES, mine)
    assert report.orders["conv2"].tolist() == list(range(31, -1, -1))
    assert report.strategy is mine
    assert list(ut.compare(TICKET, PES, ["none", mine, thinner()]).index) == [
        "none",
        "backwards",
        "thinner",
    ]
    assert list(ut.compare(TICKET, PES, mine).index) == ["backwards"]
    assert ut.balance(TICKET, PES, thinner()).sparsity > TICKET.sparsity


def test_once_registered_it_stands_in_every_menu(register, tmp_path):
    register(backwards())
    register(thinner())
    assert list(ut.STRATEGIES)[-2:] == ["backwards", "thinner"]
    assert list(ut.MASK_STRATEGIES)[-1] == "thinner"
    assert ut.simulate(TICKET, PES, "backwards").price["permuted"] > 0
    assert {"backwards", "thinner"} <= set(ut.compare(TICKET, PES).index)
    rows = json.loads(run_cli("compare", "digits-lth", "--json"))["strategies"]
    assert {"backwards", "thinner"} <= {row["strategy"] for row in rows}
    for command, names in (("simulate", "backwards thinner"), ("balance", "thinner")):
        listed = re.findall("^  (backwards|thinner) ", run_cli(command, "--help"), re.MULTILINE)
        assert " ".join(listed) == names
    for explorer in (explore.workload("digits-lth"), explore.strategies("digits-lth")):
        controls = {control["name"]: control for control in explorer.frame["controls"]}
        assert ["backwards", "backwards"] in controls["strategy"]["options"]
        explorer.state = replace(explorer.state, strategy="backwards")
        assert explorer.frame["summary"]


@pytest.mark.parametrize("make", [backwards, thinner])
@pytest.mark.parametrize(
    "open_explorer", [explore.workload, explore.timeline, explore.strategies, explore.energy]
)
def test_an_explorer_takes_one_that_nobody_registered(open_explorer, make, tmp_path):
    mine = make()
    explorer = open_explorer("digits-lth", strategy=mine)
    assert explorer.state.strategy == mine.name
    assert mine.label in explorer.frame["summary"]
    options = {c["name"]: c["options"] for c in explorer.frame["controls"]}["strategy"]
    assert [mine.label, mine.name] in options
    explorer.link = explorer.link.replace(f"strategy={mine.name}", "strategy=lpt")
    explorer.state = replace(explorer.state, strategy=mine.name)
    assert explorer.export(tmp_path / "page.html", strategy=[mine.name, "sort"])["strategy"] == 2
    assert mine.name not in ut.STRATEGIES
    others = {c["name"]: c["options"] for c in open_explorer("digits-lth").frame["controls"]}
    assert [mine.label, mine.name] not in others["strategy"]


def test_an_explorer_begins_with_the_strategy_asked_for():
    assert explore.workload(TICKET, strategy="lpt").state.strategy == "lpt"
    shown = explore.workload(TICKET, strategy=backwards())
    report = ut.simulate(TICKET, ut.Accelerator(shown.state.n_pe), backwards())
    assert f"takes {report.latency:,} cycles" in shown.frame["summary"]
    shown.state = replace(shown.state, versus="backwards", strategy="sort")
    assert "Compared with backwards" in shown.frame["summary"]
    with pytest.raises(ValueError, match="strategy 'lp' is not known.*Did you mean 'lpt'"):
        explore.workload(TICKET, strategy="lp")
    with pytest.raises(ValueError, match="the name 'sort' is taken"):
        explore.strategies(strategy=backwards("sort"))
    with pytest.raises(TypeError, match="make one of it first"):
        explore.timeline(strategy=Backwards)


def test_tickets_are_found_with_a_registered_strategy(register, tmp_path):
    with pytest.raises(ValueError, match="method 'thinner' is not known"):
        Settings(method="thinner")
    register(thinner())
    data = few_digits(tmp_path / "few.npz", train=100, test=50)
    settings = Settings(data, method="thinner", rounds=2, epochs=1, rewind_epoch=1, prune=0.6)
    run = find_tickets(settings, progress=False)
    masks = run.tickets[1].masks()
    for name in run.tickets[1].counted:
        assert not masks[name].reshape(len(masks[name]), -1)[:, 0].any(), name


def test_a_name_is_taken_once(register):
    mine = register(backwards())
    register(mine)
    with pytest.raises(ValueError, match=r"'backwards' is taken .* register\(strategy, replace=T"):
        ut.register(Backwards("backwards", "other", "order", "", ""))
    again = ut.register(Backwards("backwards", "anew", "order", "", ""), replace=True)
    assert ut.STRATEGIES["backwards"] is again
    for call in (
        lambda s: ut.register(s, replace=True),
        lambda s: ut.simulate(TICKET, PES, s),
        lambda s: ut.compare(TICKET, PES, ["none", s]),
    ):
        with pytest.raises(ValueError, match="the name 'sort' is taken: .*another name"):
            call(backwards("sort"))
    with pytest.raises(ValueError, match="two strategies are called 'mine'"):
        ut.compare(TICKET, PES, [backwards("mine"), thinner("mine")])
    with pytest.raises(TypeError, match="or a Strategy object, not .*; make one of it first"):
        ut.simulate(TICKET, PES, Backwards)
    with pytest.raises(TypeError, match="must be of type Strategy, not 'sort'"):
        ut.register("sort")


class Answers(ut.Strategy):
    """Returns whatever it is given."""

    def order(self, counts, starts, rng):
        return self.source["order"]

    def deal(self, counts, starts, n):
        return self.source["deal"](counts)


def dealing(wave, pe):
    return lambda counts: (np.full(counts.size, wave), np.full(counts.size, pe))


@pytest.mark.parametrize(
    ("order", "deal", "words"),
    [
        (np.zeros(6, int), dealing(0, 0), "filter 0 at place 1, where a layer's filters are 0 to"),
        (np.arange(6)[::-1], dealing(0, 0), "filter 5 at place 0, .* filters are 0 to 1, each"),
        (np.full(6, -1), dealing(0, 0), "filter -1 at place 0"),
        (np.arange(5), dealing(0, 0), r"returned int64 \(5,\), not one integer for each of the 6"),
        (np.arange(6.0), dealing(0, 0), r"returned float64 \(6,\)"),
        ([[0, 1], [2, 3], [4, 5]], dealing(0, 0), r"returned int64 \(3, 2\)"),
        (
            [[0], [1, 2]],
            dealing(0, 0),
            r"returned object \(2,\), not one integer",
        ),
        (None, dealing(0, 2), "wave 0 and PE 2 for filter 0; allowed are .* PEs 0 to 1"),
        (None, dealing(0, -1), "PE -1"),
        (None, dealing(2, 0), "wave 2 and PE 0 for filter 0; allowed are waves 0 to 1"),
        (None, dealing(-1, 0), "wave -1"),
        (None, lambda counts: counts, "returned ndarray, not a pair"),
        (None, lambda counts: (counts, counts[:-1]), "PEs returned int64"),
    ],
)
def test_a_wrong_order_or_schedule_is_an_error_and_no_result(order, deal, words):
    ticket = ut.Ticket.from_arrays({"a": np.ones((2, 3)), "b": np.ones((4, 3))})
    mine = Answers("mine", "", "schedule", "", {"order": order, "deal": deal})
    with pytest.raises(ValueError, match=f"strategy 'mine': (order|deal).*{words}"):
        ut.simulate(ticket, ut.Accelerator(2), mine)


SHAPE = TICKET.layers["conv2"].shape


@pytest.mark.parametrize(
    "answer",
    [None, np.ones((2, 2), bool), np.ones(3), "mask", 4]
    + [np.full(SHAPE, value) for value in (np.nan, 0.5, -1, 2)],
)
def test_a_wrong_mask_is_an_error_and_no_result(answer):
    class Broken(ut.Strategy):
        def balance(self, layer, accelerator, rng):
            return answer

    mine = Broken("mine", "", "mask", "", "")
    for call in (ut.simulate, ut.balance):
        with pytest.raises(ValueError, match=r"'mine': balance\(\) .* mask for layer 'conv2' of"):
            call(TICKET, PES, mine)


def test_a_strategy_changes_the_mask_of_a_layer_and_nothing_else():
    class Dense(ut.Strategy):
        def balance(self, layer, accelerator, rng):
            return ut.Layer.from_array(np.ones(layer.shape, bool))  # forgets the positions

    after = ut.balance(TICKET, PES, Dense("dense", "", "mask", "", ""))
    assert after.layers["conv3"].positions == TICKET.layers["conv3"].positions == 16
    assert after.sparsity == 0


@pytest.mark.parametrize("name", [n for n in ut.STRATEGIES if n not in ut.MASK_STRATEGIES])
def test_balancing_with_what_changes_no_mask_is_refused(name):
    with pytest.raises(ValueError, match=f"{name!r} changes .* not masks: .*with one of: uticket"):
        ut.balance(TICKET, PES, name)


class Scribbler(ut.Strategy):
    """Counts down and sets bits in what it is given, as a loop of Algorithm 1 may."""

    def order(self, counts, starts, rng):
        order = np.concatenate([a + np.argsort(counts[a:b]) for a, b in pairwise(starts)])
        counts[:] = 0
        starts[:] = 0
        return order

    def deal(self, counts, starts, n):
        waves, pes = super().deal(counts, starts, n)
        counts[:] = 0
        return waves, pes


class Eraser(ut.Strategy):
    def balance(self, layer, accelerator, rng):
        layer.counts[:] = 1
        layer.bits[:] = 0
        return layer


class Weightless(ut.Strategy):
    def balance(self, layer, accelerator, rng):
        layer.magnitudes[:] = 0
        return layer


def test_nor_what_it_writes_into_magnitudes():
    weights = np.random.default_rng(0).normal(size=(8, 4, 3, 3))
    ticket = ut.Ticket.from_arrays({"a": weights})
    ut.balance(ticket, PES, Weightless("mine", "", "mask", "", ""))
    kept = np.abs(weights).astype(np.float32).reshape(8, -1)
    assert (ticket.layers["a"].magnitudes == kept).all()


@pytest.mark.parametrize("own", [Scribbler, Eraser])
def test_what_a_strategy_writes_into_its_arguments_changes_no_ticket(own):
    ticket = ut.synthetic_ticket("digits", sparsity=0.9)
    before, masks = str(ut.simulate(ticket, PES)), ticket.masks()
    mine = own("mine", "", "mask" if own is Eraser else "schedule", "", "")
    first = ut.simulate(ticket, PES, mine)
    assert ut.simulate(ticket, PES, mine).latency == first.latency
    assert str(ut.simulate(ticket, PES)) == before
    assert all((mask == masks[name]).all() for name, mask in ticket.masks().items())
    if own is Eraser:
        assert first.work == 0, "the layer that it gives back is taken as it is"


def test_a_strategy_that_forgot_to_call_its_base_is_told_so():
    class Forgetful(ut.Strategy):
        def __init__(self):
            pass

    with pytest.raises(TypeError, match=r"Forgetful has no name: its __init__ must call super"):
        ut.simulate(TICKET, PES, Forgetful())


def test_one_seed_gives_one_result_though_nobody_says_it_is_random():
    class Dice(ut.Strategy):
        def order(self, counts, starts, rng):
            return np.concatenate([a + rng.permutation(b - a) for a, b in pairwise(starts)])

    mine = Dice("dice", "", "order", "", "")
    orders = [ut.simulate(TICKET, PES, mine, seed).orders["conv3"].tolist() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


@dataclass(frozen=True)
class Gambler(ut.Strategy):
    """Throws dice of its own, in one of its methods."""

    throw: Any = np.random.random


class Shuffler(Gambler):
    def order(self, counts, starts, rng):
        self.throw()


class Dealer(Gambler):
    def deal(self, counts, starts, n):
        self.throw()
        return super().deal(counts, starts, n)


class Roulette(Gambler):
    def balance(self, layer, accelerator, rng):
        self.throw()
        return layer


@pytest.mark.parametrize("throw", [np.random.random, random.random])
@pytest.mark.parametrize(
    ("changes", "kind"), [("order", Shuffler), ("schedule", Dealer), ("mask", Roulette)]
)
def test_what_no_seed_decides_is_refused(changes, kind, throw):
    """In a sweep too, which would take one seed's rows for every other's."""
    mine = kind("mine", "", changes, "", "", throw=throw)
    layer, spikes = TICKET.layers["conv2"], np.ones((1, 32, 8, 8))
    for call in (
        lambda: ut.simulate(TICKET, PES, mine),
        lambda: ut.sweep(TICKET, strategies=mine, seeds=[0, 1]),
        lambda: ut.simulate_spikes(layer, spikes, PES, mine),
    ):
        with pytest.raises(ValueError, match="'mine': .* which the seed does not reach; draw from"):
            call()


@dataclass(frozen=True)
class Listed(ut.Strategy):
    """With a field that has no hash, and that == compares number by number."""

    own: Any = None

    def order(self, counts, starts, rng):
        return np.arange(counts.size)


@pytest.mark.parametrize("own", [[1, 2], np.arange(3)])
def test_fields_of_a_strategy_may_be_anything(own, register):
    mine, again = (Listed("mine", "mine", "order", "", "", own=own) for _ in range(2))
    for make in (explore.workload, explore.timeline, explore.strategies, explore.energy):
        assert make("digits-lth", strategy=mine).frame["summary"]
    assert list(ut.compare(TICKET, PES, [mine, mine]).index) == ["mine"]
    with pytest.raises(ValueError, match="two strategies are called 'mine'"):
        ut.compare(TICKET, PES, [mine, again])
    register(mine)
    assert ut.simulate(TICKET, PES, "mine").strategy is mine


class Dealt(ut.Strategy):
    def deal(self, counts, starts, n):
        return super().deal(counts, starts, n)


@pytest.mark.parametrize("changes", ["nothing", "order"])
def test_a_schedule_is_not_called_an_order(changes):
    assert Dealt("mine", "", "schedule", "", "").changes == "schedule"
    with pytest.raises(ValueError, match=f"'{changes}', but overrides deal; .*with 'schedule'"):
        Dealt("mine", "", changes, "", "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "two words"}, "one word, not 'two words'"),
        ({"name": ""}, "one word"),
        ({"changes": "everything"}, "changes 'everything' is not known; choose one of: nothing,"),
        ({"changes": "mask"}, "says it changes 'mask', but overrides order"),
        ({"changes": "nothing"}, "says it changes 'nothing', but overrides order"),
        ({"ahead": -1}, "ahead must be 0 or more"),
        ({"mappings": ("rows",)}, "mapping 'rows' is not known"),
    ],
)
def test_what_a_strategy_says_of_itself_is_checked(options, words):
    with pytest.raises(ValueError, match=words):
        replace(backwards(), **options)
    with pytest.raises(ValueError, match="overrides no method"):
        ut.Strategy("mine", "", "mask", "", "")


def test_orders_need_whole_filters_whatever_they_declare():
    with pytest.raises(ValueError, match="'backwards' has no effect with mapping 'input-channel'"):
        ut.simulate(TICKET, ut.Accelerator(8, "input-channel"), backwards())
