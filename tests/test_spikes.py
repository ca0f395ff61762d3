"""Spike-aware loads against a brute-force reading, and what they say of a balanced ticket."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import uticket_lite as ut
from uticket_lite.simulation.spikes import BARRIERS, simulate_spikes

pytestmark = pytest.mark.kernels


def brute_force(mask, spikes, accelerator, stride, padding):
    """Accumulations of each PE, (waves, n, T, H_out, W_out), one spike at a time."""
    n, (filters, channels, high, wide) = accelerator.n_pe, mask.shape
    padded = np.pad(spikes, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows = (padded.shape[2] - high) // stride + 1
    columns = (padded.shape[3] - wide) // stride + 1
    outputs = -(-filters // n) if accelerator.mapping == "output-channel" else filters
    table = np.zeros((outputs, n, len(spikes), rows, columns), int)
    width = -(-channels // n)
    per_group = filters // (spikes.shape[1] // channels)
    for k, c, i, j in zip(*np.nonzero(mask), strict=True):
        cell = (k // n, k % n) if accelerator.mapping == "output-channel" else (k, c // width)
        channel = k // per_group * channels + c
        for t, y, x in itertools.product(range(len(spikes)), range(rows), range(columns)):
            table[cell][t, y, x] += padded[t, channel, y * stride + i, x * stride + j]
    return table


@settings(max_examples=40)
@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.sampled_from(list(ut.MAPPINGS)),
    st.integers(1, 2),
    st.integers(0, 1),
    st.sampled_from([(4, 3, 1), (5, 2, 1), (4, 1, 2), (3, 1, 3)]),
)
def test_every_barrier_is_that_of_brute_force(seed, n, mapping, stride, padding, shape):
    rng = np.random.default_rng(seed)
    filters, channels, groups = shape
    mask = rng.random((filters, channels, 3, 2)) < 0.4
    spikes = rng.random((2, channels * groups, 4, 4)) < 0.5
    accelerator = ut.Accelerator(n, mapping)
    table = brute_force(mask, spikes, accelerator, stride, padding)
    wanted = {
        "layer": table.sum(axis=(0, 2, 3, 4)).max(),
        "wave": table.sum(axis=(2, 3, 4)).max(axis=1).sum(),
        "timestep": table.sum(axis=(3, 4)).max(axis=1).sum(),
        "position": table.max(axis=1).sum(),
    }
    layer = ut.Layer.from_array(mask)
    latencies = []
    for barrier in BARRIERS:
        report = simulate_spikes(
            layer, spikes, accelerator, barrier=barrier, stride=stride, padding=padding
        )
        assert (report.accumulations == table.sum(axis=(2, 3, 4))).all()
        assert report.latency == wanted[barrier]
        assert report.work + report.idle == n * report.latency
        latencies.append(report.latency)
    assert latencies == sorted(latencies), "more barriers never make it quicker"


def test_accumulations_are_those_of_a_convolution():
    """With all weights 1, what a PE adds up is what torch's convolution gives."""
    rng = np.random.default_rng(0)
    mask = rng.random((6, 4, 3, 3)) < 0.3
    spikes = (rng.random((4, 4, 8, 8)) < 0.2).astype(np.float32)
    out = torch.nn.functional.conv2d(
        torch.tensor(spikes), torch.tensor(mask.astype(np.float32)), padding=1
    )
    report = simulate_spikes(ut.Layer.from_array(mask), spikes, ut.Accelerator(6), padding=1)
    assert report.accumulations[0].tolist() == out.sum(dim=(0, 2, 3)).int().tolist()


def test_a_dense_input_costs_what_the_weights_say():
    ticket = ut.synthetic_ticket("digits", sparsity=0.9, timesteps=3)
    layer = ticket.layers["conv2"]
    spikes = np.ones((3, 32, 10, 10))  # no padding: every weight meets a spike everywhere
    report = simulate_spikes(layer, spikes, ut.Accelerator(16))
    wanted = ut.simulate(ticket, ut.Accelerator(16), layers=["conv2"])
    assert (report.work, report.latency) == (wanted.work, wanted.latency)


def test_a_ticket_balanced_by_weights_still_waits_for_spikes():
    rng = np.random.default_rng(0)
    ticket = ut.balance(ut.synthetic_ticket("digits", sparsity=0.95), ut.Accelerator(16))
    spikes = rng.random((4, 32, 8, 8)) < 0.15
    layer = ticket.layers["conv2"]
    assert ut.simulate(ticket, ut.Accelerator(16), layers=["conv2"]).utilization == 1
    found = {
        barrier: simulate_spikes(
            layer, spikes, ut.Accelerator(16), barrier=barrier, padding=1
        ).utilization
        for barrier in BARRIERS
    }
    assert found["wave"] < 0.99
    assert found["position"] < found["timestep"] < found["wave"]


def test_linear_layers_and_orders():
    mask = np.array([[1, 1, 1], [0, 0, 1], [1, 0, 0], [1, 1, 0]])
    spikes = np.array([[1, 0, 1], [1, 1, 1]])
    layer = ut.Layer.from_array(mask)
    report = simulate_spikes(layer, spikes, ut.Accelerator(2))
    assert report.accumulations.tolist() == [[5, 2], [2, 3]]
    swapped = simulate_spikes(layer, spikes, ut.Accelerator(2), order=np.array([0, 3, 2, 1]))
    assert swapped.accumulations.tolist() == [[5, 3], [2, 2]]


@pytest.mark.parametrize(
    ("spikes", "options", "words"),
    [
        (np.ones((2, 3, 4)), {}, r"\(2, 3, 4\) are not \(T, C, H, W\)"),
        (np.ones((2, 5, 4, 4)), {}, "5 channels, the layer's filters 3"),
        (np.full((2, 3, 4, 4), 0.5), {}, "must be 0 or 1"),
        (np.ones((2, 3, 2, 2)), {}, "smaller than the filters"),
        (np.ones((2, 3, 4, 4)), {"barrier": "none"}, "layer, wave, timestep, position"),
        (np.ones((2, 3, 4, 4)), {"order": np.zeros(6, int)}, "not a permutation"),
        (np.ones((2, 3, 4, 4)), {"seed": -1}, "seed must be 0 or more"),
    ],
)
def test_bad_input_is_refused(spikes, options, words):
    layer = ut.Layer.from_array(np.ones((6, 3, 3, 3)))
    with pytest.raises(ValueError, match=words):
        simulate_spikes(layer, spikes, ut.Accelerator(4), **options)
    with pytest.raises(TypeError, match="layer must be of type Layer, not 'conv2'; write ut"):
        simulate_spikes("conv2", spikes, ut.Accelerator(4))
    with pytest.raises(TypeError, match="accelerator must be of type Accelerator, not 4"):
        simulate_spikes(layer, spikes, 4)


def test_strides_and_paddings_are_whole_numbers_of_any_kind_or_refused():
    layer, spikes = ut.Layer.from_array(np.ones((6, 3, 3, 3))), np.ones((2, 3, 4, 4))
    pes = ut.Accelerator(4)
    plain = simulate_spikes(layer, spikes, pes, stride=1, padding=1)
    for one in (np.int64(1), 1.0, (1, 1), [1, np.int8(1)]):
        assert simulate_spikes(layer, spikes, pes, stride=one, padding=one).work == plain.work
    for options, error in (
        ({"padding": "same"}, TypeError),
        ({"stride": 1.5}, TypeError),
        ({"stride": 0}, ValueError),
        ({"padding": -1}, ValueError),
        ({"padding": (1, 1, 1)}, ValueError),
    ):
        with pytest.raises(error, match=next(iter(options))):
            simulate_spikes(layer, spikes, pes, **options)


@pytest.mark.parametrize("mapping", ut.MAPPINGS)
@pytest.mark.parametrize("strategy", ut.STRATEGIES)
def test_every_strategy_runs_with_spikes_as_with_weights(strategy, mapping):
    """Where every input spikes, cycles are those of `simulate`."""
    layer = ut.synthetic_ticket("digits", sparsity=0.9, filter_cov=0.85).layers["conv2"]
    ticket, pes = ut.Ticket({"": layer}), ut.Accelerator(5, mapping)
    if ut.STRATEGIES[strategy].objection(pes):
        with pytest.raises(ValueError, match="no effect with mapping"):
            simulate_spikes(layer, np.ones((1, 32, 10, 10)), pes, strategy)
        return
    wanted = ut.simulate(ticket, pes, strategy)
    report = simulate_spikes(layer, np.ones((1, 32, 10, 10)), pes, strategy)
    assert report.latency == wanted.latency
    assert report.work == wanted.work
    some = np.random.default_rng(0).random((1, 32, 8, 8)) < 0.3
    ran = simulate_spikes(layer, some, pes, strategy, padding=1)
    assert ran.work + ran.idle == 5 * ran.latency
    if strategy not in ut.MASK_STRATEGIES:
        assert ran.work == simulate_spikes(layer, some, pes, padding=1).work
        again = simulate_spikes(layer, some, pes, ut.STRATEGIES[strategy], padding=1)
        assert (again.accumulations == ran.accumulations).all()


def test_pes_that_run_ahead_do_not_wait_for_every_timestep():
    layer, pes = ut.Layer.from_array(np.ones((6, 3, 3, 3))), ut.Accelerator(2)
    for barrier in ("timestep", "position"):
        with pytest.raises(ValueError, match="4 waves ahead.*take barrier 'wave' or 'layer'"):
            simulate_spikes(layer, np.ones((2, 3, 4, 4)), pes, "fifo-d", barrier=barrier)


def test_costs_make_orders_and_schedules_aware_of_spikes():
    """Few channels spike: sorting by what spikes cost beats sorting by non-zeros."""
    rng = np.random.default_rng(0)
    layer = ut.synthetic_ticket("digits", sparsity=0.95).layers["conv2"]
    rates = rng.random((1, 32, 1, 1)) ** 4
    seen, new = ([rng.random((4, 32, 8, 8)) < rates for _ in range(5)] for _ in range(2))
    costs = ut.spike_costs(layer, seen, padding=1)
    assert costs.sum() == sum(
        simulate_spikes(layer, x, ut.Accelerator(3), padding=1).work for x in seen
    )
    for strategy in ("sort", "lpt", "pair", "karmarkar-karp", "snake"):
        blind, aware = (
            sum(
                simulate_spikes(layer, x, ut.Accelerator(8), strategy, padding=1, costs=c).latency
                for x in new
            )
            for c in (None, costs)
        )
        assert aware < blind
    one = ut.spike_costs(layer, new[:1], padding=1)
    best = simulate_spikes(layer, new[0], ut.Accelerator(8), "sort", padding=1, costs=one)
    for strategy in ("none", "sort", "shuffle"):
        other = simulate_spikes(layer, new[0], ut.Accelerator(8), strategy, padding=1)
        assert best.latency <= other.latency, "nothing beats sorting by what things really cost"


@pytest.mark.parametrize(
    "costs", [np.ones(5), np.full(6, 0.5), np.full(6, -1), np.ones((6, 1), int)]
)
def test_costs_that_are_none_are_refused(costs):
    layer = ut.Layer.from_array(np.ones((6, 3, 3, 3)))
    with pytest.raises(ValueError, match="costs must be (a )?whole number"):
        simulate_spikes(layer, np.ones((2, 3, 4, 4)), ut.Accelerator(4), "sort", costs=costs)
    with pytest.raises(ValueError, match="at least one input"):
        ut.spike_costs(layer, [])


def test_spikes_orders_and_costs_come_in_any_kind_of_array():
    layer, pes = ut.synthetic_ticket("digits").layers["conv2"], ut.Accelerator(4)
    spikes = np.random.default_rng(0).random((2, 32, 4, 4)) < 0.3
    order = np.arange(32)[::-1].copy()
    wanted = ut.simulate_spikes(layer, spikes, pes, order=order).latency
    tensor = torch.tensor(spikes).float()
    for x in (tensor.requires_grad_(), tensor.bfloat16(), tensor.to_sparse(), spikes.tolist()):
        for same in (torch.tensor(order), order.astype(float), order.tolist()):
            assert ut.simulate_spikes(layer, x, pes, order=same).latency == wanted
    by_cost = ut.simulate_spikes(layer, spikes, pes, "sort", costs=order).latency
    costs = torch.tensor(order).float().requires_grad_()
    assert ut.simulate_spikes(layer, spikes, pes, "sort", costs=costs).latency == by_cost
    with pytest.raises(ValueError, match="order must be whole numbers"):
        ut.simulate_spikes(layer, spikes, pes, order=order + 0.4)
