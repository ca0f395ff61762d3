"""A sweep finds what `simulate` finds, for every combination, and refuses what it cannot run."""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import uticket_lite as ut
from uticket_lite import reference
from uticket_lite.kernels.scheduling import deal_to_first_free, last_to_end
from uticket_lite.simulation import points
from uticket_lite.simulation.chunks import chunk_seconds, cut, gaps
from uticket_lite.simulation.grid import COLUMNS
from uticket_lite.simulation.sweeps import make_grid

pytestmark = pytest.mark.kernels

PES = [1, 7, 20]
FIGURES = ["utilization", "latency", "work", "idle", "energy", "sparsity"]


@dataclass(frozen=True)
class Reversed(ut.Strategy):
    """A learner's order."""

    def order(self, counts, starts, rng):
        layers = itertools.pairwise(starts)
        return np.concatenate([np.arange(last - 1, first - 1, -1) for first, last in layers])


@dataclass(frozen=True)
class RoundTheCorner(ut.Strategy):
    """A learner's schedule: everything on the last PE."""

    def deal(self, counts, starts, n):
        return np.zeros(counts.size, int), np.full(counts.size, n - 1)


OWN = [
    Reversed("reversed", "reversed", "order", "", ""),
    RoundTheCorner("corner", "corner", "schedule", "", ""),
    ut.Strategy("three", "three each", "schedule", "", "", each=3),
    ut.Strategy("three-ahead", "three each, ahead", "hardware", "", "", each=3, ahead=2),
    ut.Strategy("free-ahead", "no barrier, ahead", "hardware", "", "", barrier=False, ahead=1),
]


def small_ticket():
    """Ten layers: sums of floats depend on their order from nine on."""
    rng = np.random.default_rng(0)
    arrays = {f"layer{i}": rng.random((5 + 3 * i, 4, 3, 3)) < 0.1 + 0.05 * i for i in range(9)}
    arrays["empty"] = np.zeros((6, 2), bool)
    spikes = dict.fromkeys(arrays, 0.8) | {"layer3": 0.1}
    return ut.Ticket.from_arrays(
        arrays, positions={"layer1": 49, "layer2": 9}, timesteps=3, spike_sparsity=spikes
    )


def assert_as_simulated(table, tickets, cycles="full"):
    """Bit for bit, every row."""
    strategies = {**ut.STRATEGIES, **{strategy.name: strategy for strategy in OWN}}
    for row in table.to_dict("records"):
        accelerator = ut.Accelerator(row["n_pe"], row["mapping"])
        ticket = tickets[row["ticket"]]
        report = ut.simulate(
            ticket, accelerator, strategies[row["strategy"]], row["seed"], cycles=cycles
        )
        expected = {**report.figures, "energy": report.energy_as(row["gating"])}
        found = {name: row[name] for name in FIGURES}
        np.testing.assert_equal(found, expected, err_msg=str(row))
        assert row["ticket_sparsity"] == ticket.sparsity


def test_every_row_is_what_simulate_finds():
    """All strategies and own ones, on all mappings, with all gatings and several seeds."""
    tickets = {"small": small_ticket(), "one": ut.Ticket.from_arrays({"a": np.eye(5)})}
    strategies = [*ut.STRATEGIES, *OWN]
    table = ut.sweep(tickets, PES, list(ut.MAPPINGS), strategies, [3, 0], list(ut.GATINGS))
    assert list(table) == list(COLUMNS)
    asked = itertools.product(
        tickets, ut.MAPPINGS, [s if isinstance(s, str) else s.name for s in strategies],
        [3, 0], PES, ut.GATINGS,
    )  # fmt: skip
    works = {
        (mapping, name)
        for mapping in ut.MAPPINGS
        for name, s in [*ut.STRATEGIES.items(), *((s.name, s) for s in OWN)]
        if s.objection(ut.Accelerator(1, mapping)) is None
    }
    axes = table[["ticket", "mapping", "strategy", "seed", "n_pe", "gating"]]
    assert list(axes.itertuples(index=False, name=None)) == [
        row for row in asked if (row[1], row[2]) in works
    ], "every combination once, in the order of the axes"
    assert_as_simulated(table, tickets)


def test_cycles_of_weights_are_what_simulate_finds():
    tickets = {"small": small_ticket()}
    table = ut.sweep(tickets, PES, strategies=["none", "uticket"], cycles="weights")
    assert_as_simulated(table, tickets, "weights")


def test_tickets_are_named_as_given():
    ticket = small_ticket()
    several = ["digits-lth", ("digits-lth", 3), ticket]
    names = ["digits-lth", "digits-lth round 3", "ticket 2"]
    table = ut.sweep(several, strategies="none")
    assert table["ticket"].tolist() == names
    loaded = ut.load_ticket("digits-lth"), ut.load_ticket("digits-lth", 3), ticket
    assert_as_simulated(table, dict(zip(names, loaded, strict=True)))
    for alone, name in ((ticket, "ticket 0"), *zip(several[:2], names[:2], strict=True)):
        assert ut.sweep(alone, strategies="none")["ticket"].tolist() == [name]


def test_names_that_are_no_text_are_spelled_out(tmp_path):
    """As files are named where the shell knows ASCII alone."""
    name = "\udcc3\udca9.safetensors"
    table = ut.sweep({name: ut.synthetic_ticket("digits")}, strategies="none", folder=tmp_path)
    assert list(table.ticket) == [r"\udcc3\udca9.safetensors"]


def test_seeds_matter_to_random_strategies_alone():
    table = ut.sweep(small_ticket(), 4, strategies=["shuffle", "sort"], seeds=range(20))
    spread = table.groupby("strategy")["latency"].nunique()
    assert spread["sort"] == 1
    assert spread["shuffle"] > 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"tickets": []}, ValueError, "tickets is empty"),
        ({"tickets": {}}, ValueError, "tickets is empty"),
        ({"tickets": 3}, TypeError, 'ticket must be of type Ticket, not 3; write "digits-lth"'),
        ({"tickets": "digit-lth"}, ValueError, "Did you mean 'digits-lth'"),
        ({"tickets": ("digits-lth", 99)}, ValueError, "rounds 0 to 14, not 99"),
        ({"tickets": ["digits-lth", "digits-lth"]}, ValueError, "'digits-lth' twice"),
        ({"n_pe": 0}, ValueError, "n_pe .* must be 1 or more, not 0"),
        ({"n_pe": [4, 2.5]}, TypeError, "whole number, not 2.5"),
        ({"n_pe": [4, 4]}, ValueError, "4 twice"),
        ({"n_pe": []}, ValueError, "n_pe .* is empty"),
        ({"seeds": -1}, ValueError, "seeds must be 0 or more, not -1"),
        ({"mappings": "rows"}, ValueError, "mapping 'rows' is not known"),
        ({"strategies": ["none", "srot"]}, ValueError, "Did you mean 'sort'"),
        ({"strategies": ["sort", "sort"]}, ValueError, "'sort' twice"),
        ({"strategies": "sort", "mappings": "input-channel"}, ValueError, "has no effect"),
        ({"gating": "off"}, ValueError, "gating 'off' is not known"),
        ({"cycles": "some"}, ValueError, "cycles 'some' is not known"),
        ({"n_pe": range(1, 10**6), "seeds": range(10**5), "strategies": "none"}, ValueError,
         r"at most 10,000,000,000 .* = 99,999,900,000 .*sweep fewer"),
        ({"workers": 0}, ValueError, "workers must be 1 or more, not 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_refused_at_once(tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        ut.sweep(**{"tickets": "digits-lth", "folder": tmp_path / "rows", **arguments})
    assert not list(tmp_path.iterdir()), "nothing is written"


def test_wrong_answers_of_a_strategy_are_refused_before_anything_runs(tmp_path):
    class Wrong(ut.Strategy):
        def order(self, counts, starts, rng):
            return np.zeros(counts.size, int)

    wrong = Wrong("wrong", "", "order", "", "")
    with pytest.raises(ValueError, match="'wrong': order.* returned filter 0"):
        ut.sweep(small_ticket(), strategies=["none", wrong], folder=tmp_path / "rows")
    assert not list(tmp_path.iterdir())


def test_rounds_of_which_only_counts_are_known_are_refused_where_masks_matter():
    dense = ("vgg16-cifar10-lth", 0)
    assert len(ut.sweep(dense, strategies=["none", "lpt"])) == 2
    for asked in ({"strategies": "uticket"}, {"strategies": "none", "mappings": "input-channel"}):
        with pytest.raises(ValueError, match="'vgg16-cifar10-lth round 0' knows only how many"):
            ut.sweep(["digits-lth", dense], **asked)


def test_the_first_free_pe_is_found_as_by_looking_at_all():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 5, 8, 40):
        counts = np.sort(rng.integers(0, 9, 30))[::-1]
        pe, loads = deal_to_first_free(counts, np.array([0, 30]), n)
        assert loads[0].tolist() == np.bincount(pe, counts, n).tolist() == reference.lpt(counts, n)


def test_the_last_pe_ends_when_dealing_filter_by_filter_says():
    """Unsorted, with empty filters and empty layers, more PEs than filters and fewer."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 5, 8, 40):
        starts = np.array([0, 0, 7, 8, 90])
        counts = rng.integers(0, 4, 90) * rng.integers(0, 50, 90)
        loads = deal_to_first_free(counts, starts, n)[1]
        assert last_to_end(counts, starts, n).tolist() == loads.max(axis=1).tolist()


def test_what_does_not_depend_on_the_seed_is_found_once(monkeypatch):
    """And each part of a block is still what it is by itself."""
    ran, real = [], points.sweep_pes
    monkeypatch.setattr(points, "sweep_pes", lambda *given: (ran.append(given), real(*given))[1])
    grid = make_grid(small_ticket(), PES, "output-channel", ["sort", "shuffle"], range(9), "paper",
                     "full")  # fmt: skip
    whole = points.run_points(grid, 0, grid.points)
    assert len(ran) == 1 + 9
    for first, last in ((0, 7), (4, 5), (20, 31), (2, grid.points)):
        part = points.run_points(grid, first, last)
        pd.testing.assert_frame_equal(part, whole[first:last].reset_index(drop=True))


def test_chunks_take_about_as_long_and_cover_what_is_left():
    """Blocks of 100 points, quick ones and slow ones."""
    seconds = np.array([1e-4, 1e-2, 1e-4, 10.0])
    left = list(gaps([(0, 30), (50, 60)], 400))
    assert left == [(30, 50), (60, 400)]
    spans = list(cut(left, 100, seconds, 0.25))
    assert [p for first, last in spans for p in range(first, last)] == [
        p for first, last in left for p in range(first, last)
    ]
    each = np.repeat(seconds, 100)
    took = [each[first:last].sum() for first, last in spans]
    for span, time in zip(spans, took, strict=True):
        assert time < 0.26 or span[1] - span[0] == 1
    # Only where something was done before or a slower block begins is a chunk small.
    assert sum(time < 0.24 for time in took) <= 4
    assert sum(last - first == 1 for first, last in spans) == 100


def test_large_sweeps_have_longer_chunks():
    assert [chunk_seconds(work) for work in (1, 250, 1000, 1e6)] == [0.25, 0.25, 1, 4]
