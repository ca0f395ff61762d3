"""Identities of cycles and utilization, conventions, and errors that help."""

import numpy as np
import pytest
from generators import accelerators, masks
from hypothesis import given
from hypothesis import strategies as st

import uticket_lite as ut
from uticket_lite.hardware.metrics import wave_utilization

pytestmark = pytest.mark.kernels


@given(masks, accelerators, st.integers(1, 50), st.integers(1, 8))
def test_work_and_idle_add_up_to_latency_of_all_pes(mask, accelerator, positions, timesteps):
    ticket = ut.Ticket.from_arrays(
        {"a": mask, "b": mask}, positions={"b": positions}, timesteps=timesteps
    )
    report = ut.simulate(ticket, accelerator)
    assert report.work + report.idle == accelerator.n_pe * report.latency
    assert report.layers.loc["b", "work"] == mask.sum() * positions * timesteps
    weights = ut.simulate(ticket, accelerator, cycles="weights")
    assert weights.work == 2 * mask.sum()


@given(masks, accelerators)
def test_utilization_has_its_closed_form(mask, accelerator):
    n = accelerator.n_pe
    report = ut.simulate(ut.Ticket.from_arrays({"a": mask}), accelerator)
    for loads, u in zip(report.loads["a"], wave_utilization(report.loads["a"]), strict=True):
        if loads.max() == 0:
            assert np.isnan(u)
        elif n == 1:
            assert u == 1
        else:
            assert u == pytest.approx((n * loads.mean() / loads.max() - 1) / (n - 1))
            assert -1e-12 <= u <= 1 + 1e-12


def test_network_utilization_is_weighted_by_parameters_unless_asked_otherwise():
    small, large = np.eye(2, dtype=bool), np.zeros((2, 10), bool)
    large[0] = True  # one PE does everything: utilization 0
    report = ut.simulate(ut.Ticket.from_arrays({"small": small, "large": large}), ut.Accelerator(2))
    assert report.utilization == pytest.approx(4 / 24)
    assert report.utilization_as(average="layers") == pytest.approx(1 / 2)
    assert report.utilization_as(average="cycles") == pytest.approx((12 / 11 - 1) / (2 - 1))


def test_empty_layer_takes_no_cycles_and_is_flagged():
    report = ut.simulate(
        ut.Ticket.from_arrays({"empty": np.zeros((4, 3)), "full": np.ones((4, 3))}),
        ut.Accelerator(2),
    )
    row = report.layers.loc["empty"]
    assert (row["utilization"], row["latency"], row["empty"]) == (1.0, 0, True)
    assert not report.layers.loc["full", "empty"]


def test_more_pes_than_filters_wait_and_count():
    report = ut.simulate(
        ut.Ticket.from_arrays({"a": np.ones((3, 5))}), ut.Accelerator(8), cycles="weights"
    )
    assert (report.work, report.latency, report.idle) == (15, 5, 25)


def test_only_counted_layers_unless_named():
    arrays = {"first": np.ones((2, 2)), "second": np.ones((2, 2))}
    ticket = ut.Ticket.from_arrays(arrays, counted=["second"])
    assert list(ut.simulate(ticket, ut.Accelerator(2)).loads) == ["second"]
    assert list(ut.simulate(ticket, ut.Accelerator(2), layers=["first"]).loads) == ["first"]


def test_energy_is_eq_3_summed_over_layers():
    mask = np.array([[1, 1], [1, 0]])
    ticket = ut.Ticket.from_arrays({"a": mask, "b": mask}, spike_sparsity={"a": 0.5, "b": 0.9})
    report = ut.simulate(ticket, ut.Accelerator(2), cycles="weights")
    assert report.energy == pytest.approx(3 * (0.5 + 0.21) + 0.21 + 3 * (0.1 + 0.21) + 0.21)
    unknown = ut.Ticket.from_arrays({"a": mask, "b": mask}, spike_sparsity={"a": 0.5})
    assert np.isnan(ut.simulate(unknown, ut.Accelerator(2)).energy)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda t: ut.simulate(t, 16), TypeError, r"not 16; write ut.Accelerator\(n_pe=16\)"),
        (lambda t: ut.compare(t, 16), TypeError, r"not 16; write ut.Accelerator\(n_pe=16\)"),
        (lambda t: ut.simulate("digits-lth", ut.Accelerator()), TypeError, "write ut.load_ticket"),
        (lambda t: ut.lost("digits-lth", ut.Accelerator()), TypeError, "write ut.load_ticket"),
        (lambda t: ut.lost(t, 16), TypeError, r"not 16; write ut.Accelerator\(n_pe=16\)"),
        (lambda t: ut.memory_accesses(t), TypeError, "report must be .* write ut.simulate"),
        (lambda t: ut.system_energy(t), TypeError, "report must be .* write ut.simulate"),
        (lambda t: ut.synthetic_ticket(sparsity="a"), TypeError, "must be a number, not 'a'"),
        (lambda t: ut.Accelerator(0), ValueError, "n_pe .* 1 or more, not 0"),
        (lambda t: ut.Accelerator(2.5), TypeError, "whole number, not 2.5"),
        (lambda t: ut.Accelerator(True), TypeError, "whole number, not True"),
        (lambda t: ut.Accelerator(4, "rows"), ValueError, "'rows'.*output-channel, input-channel"),
        (lambda t: ut.simulate(t, ut.Accelerator(), "utiket"), ValueError, "mean 'uticket'"),
        (lambda t: ut.simulate(t, ut.Accelerator(), cycles="clock"), ValueError, "full, weights"),
        (lambda t: ut.simulate(t, ut.Accelerator(), layers=["b"]), ValueError, "layer 'b'.*: a"),
        (lambda t: ut.simulate(t, ut.Accelerator(), seed=-1), ValueError, "seed must be 0 or more"),
        (
            lambda t: ut.simulate(t, ut.Accelerator(4, "input-channel"), "sort"),
            ValueError,
            "no effect with mapping 'input-channel'; use mapping 'output-channel'",
        ),
        (
            lambda t: ut.simulate(t, ut.Accelerator()).utilization_as(rounding="floor"),
            ValueError,
            "exact, ceil",
        ),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(call, error, words):
    with pytest.raises(error, match=words):
        call(ut.Ticket.from_arrays({"a": np.ones((4, 4))}))
