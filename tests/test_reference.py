"""The fast code finds what the plain reference finds, and the reference is plain."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from generators import accelerators, masks
from hypothesis import given, settings
from hypothesis import strategies as st

import uticket_lite as ut
from uticket_lite import reference
from uticket_lite.hardware.metrics import wave_utilization
from uticket_lite.training import FusedLeaky
from uticket_lite.training.pruning import prune_smallest

pytestmark = pytest.mark.kernels

counts = st.lists(st.integers(0, 30), min_size=1, max_size=20)


def of_counts(counts, n, strategy):
    """One layer whose filters have so many non-zeros, under a strategy."""
    mask = np.arange(max(*counts, 1)) < np.array(counts)[:, None]
    ticket = ut.Ticket.from_arrays({"a": mask})
    return ut.simulate(ticket, ut.Accelerator(n), strategy, cycles="weights")


def test_it_is_one_short_file_of_its_own():
    source = Path(reference.__file__).read_text()
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not any("uticket_lite" in module for module in imported)
    assert len(source.splitlines()) <= 200


@given(masks, masks, accelerators, st.integers(1, 50), st.integers(1, 8))
def test_simulate_finds_the_same(first, second, accelerator, positions, timesteps):
    arrays, at = {"a": first, "b": second}, {"a": positions, "b": 1}
    ticket = ut.Ticket.from_arrays(arrays, positions=at, timesteps=timesteps)
    report = ut.simulate(ticket, accelerator)
    n, mapping = accelerator.n_pe, accelerator.mapping
    found = reference.simulate(arrays, at, timesteps, ["a", "b"], n, mapping)
    for name, loads in report.loads.items():
        assert loads.tolist() == found.loads[name].tolist()
    assert (report.work, report.idle, report.latency) == (found.work, found.idle, found.latency)
    assert report.utilization == pytest.approx(found.utilization, rel=1e-12)


@given(st.lists(counts, min_size=1, max_size=4))
def test_eq_2_of_waves_and_layers_is_the_same(rows):
    n = min(map(len, rows))
    loads = np.array([row[:n] for row in rows])
    for wave, u in zip(loads, wave_utilization(loads), strict=True):
        assert math.isnan(u) if wave.max() == 0 else u == pytest.approx(reference.utilization(wave))


def test_eq_2_by_hand():
    assert reference.utilization([10, 6, 4, 4]) == pytest.approx(7 / 15)
    assert reference.utilization([5, 5]) == reference.utilization([7]) == 1
    assert reference.utilization([8, 0, 0, 0]) == 0
    assert reference.layer_utilization([[0, 0], [3, 3]]) == 1, "a wave without work is skipped"


@given(masks, accelerators, st.integers(0, 3))
def test_algorithm_1_ends_in_the_same_loads(mask, accelerator, seed):
    n, mapping, before = accelerator.n_pe, accelerator.mapping, mask.copy()
    balanced = reference.balance(mask, n, np.random.default_rng(seed), mapping)
    ours = ut.balance(ut.Ticket.from_arrays({"a": mask}), accelerator, "uticket", seed)
    theirs = reference.loads(balanced, n, mapping)
    assert ut.simulate(ours, accelerator).loads["a"].tolist() == theirs.tolist()
    assert (mask == before).all(), "the given mask stays as it is"
    was = reference.loads(mask, n, mapping)
    assert (mask & ~balanced).sum() == np.maximum(was - theirs, 0).sum(), (
        "drops no more than it must"
    )
    ours_touched = (ours.layers["a"].to_dense() ^ mask).sum()
    assert (balanced ^ mask).sum() == ours_touched


@given(counts, st.integers(1, 9))
def test_sort_and_lpt_are_the_same(counts, n):
    assert of_counts(counts, n, "sort").orders["a"].tolist() == reference.sort(counts)
    assert of_counts(counts, n, "lpt").loads["a"].tolist() == [reference.lpt(counts, n)]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 3))
def test_eq_3_is_the_same(work, idle, spike_sparsity, r):
    ours = ut.pe_energy(work, idle, spike_sparsity, leak_ratio=r)
    assert ours == pytest.approx(reference.energy(work, idle, spike_sparsity, r))


@settings(max_examples=30)
@given(st.integers(0, 99), st.integers(1, 6), st.sampled_from([0.0, 0.25, 0.9]))
def test_neurons_spike_the_same(seed, timesteps, beta):
    currents = np.random.default_rng(seed).normal(0, 1.5, (timesteps, 40)).astype(np.float32)
    ours = FusedLeaky(beta)(torch.from_numpy(currents)).numpy()
    assert (ours == reference.lif(currents, np.float32(beta))).all()


@settings(max_examples=30)
@given(st.integers(0, 99), st.integers(0, 2), st.floats(0, 1))
def test_exactly_the_same_weights_are_pruned(seed, decimals, fraction):
    rng = np.random.default_rng(seed)
    weights = {n: rng.normal(size=shape).round(decimals) for n, shape in (("a", (3, 4)), ("b", 9))}
    masks = {name: rng.random(weight.shape) < 0.8 for name, weight in weights.items()}
    tensors = ({n: torch.tensor(a) for n, a in arrays.items()} for arrays in (weights, masks))
    ours = prune_smallest(*tensors, fraction)
    theirs = reference.prune(weights, masks, fraction)
    assert all((ours[name].numpy() == theirs[name]).all() for name in masks)
    alive = sum(int(mask.sum()) for mask in masks.values())
    assert sum(int(mask.sum()) for mask in theirs.values()) == alive - int(fraction * alive)
