"""Synthetic tickets waste as much as the real ones they stand for."""

import numpy as np
import pytest

import uticket_lite as ut
from uticket_lite.tickets.architectures import CONV_SHAPES
from uticket_lite.tickets.synthetic import synthetic_layer


@pytest.mark.parametrize(
    ("filter_cov", "utilization"),
    [(0, 0.83), (0.30, 0.59), (0.85, 0.31)],
    ids=["uniform", "like VGG-16", "like ResNet-19"],
)
def test_variation_between_filters_sets_utilization(filter_cov, utilization):
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        layer = synthetic_layer((512, 512, 3, 3), 0.982, filter_cov, rng)
        found.append(ut.simulate(ut.Ticket({"a": layer}), ut.Accelerator(16)).utilization)
    assert np.mean(found) == pytest.approx(utilization, abs=0.02)


def test_largest_of_sixteen_binomial_loads_has_its_closed_form():
    """E[max] = Σ (1 − F(k)ⁿ) = 99.25 for Bin(4608, 0.018) on 16 PEs."""
    rng = np.random.default_rng(0)
    layer = synthetic_layer((16 * 2000, 4608), 1 - 0.018, 0, rng)
    largest = ut.simulate(ut.Ticket({"a": layer}), ut.Accelerator(16)).loads["a"].max(axis=1)
    assert largest.mean() == pytest.approx(99.25, abs=4 * largest.std() / np.sqrt(2000))


@pytest.mark.parametrize("filter_cov", [0, 1e-9, 0.01, 0.3, 0.85, 3, 10])
@pytest.mark.parametrize("sparsity", [0, 1e-3, 0.02, 0.05, 0.5, 0.9, 0.982, 0.999, 1])
def test_sparsity_is_what_was_asked_for_at_every_variation(sparsity, filter_cov):
    ticket = ut.synthetic_ticket("digits", sparsity, filter_cov)
    weights = sum(ticket.layers[name].size for name in ticket.counted)
    noise = np.sqrt(sparsity * (1 - sparsity) / weights)
    assert ticket.sparsity == pytest.approx(sparsity, abs=4 * noise)


@pytest.mark.parametrize("sparsity", [0.7, 0.95])
@pytest.mark.parametrize("filter_cov", [0.2, 0.5])
def test_variation_is_what_was_asked_for_where_there_is_room(sparsity, filter_cov):
    layer = synthetic_layer((20_000, 900), sparsity, filter_cov, np.random.default_rng(0))
    by_chance = np.sqrt(sparsity / (1 - sparsity) / 900)
    found = layer.counts.std() / layer.counts.mean()
    assert found == pytest.approx(np.hypot(filter_cov, by_chance), rel=0.03)


def test_sparsity_and_variation_that_exclude_each_other_are_refused():
    with pytest.raises(ValueError, match=r"only \d+ of 32 keep a weight, too few for a density"):
        ut.synthetic_ticket("digits", 0.05, 100)


def test_networks_have_their_published_sizes():
    vgg, resnet = (CONV_SHAPES[name] for name in ("vgg16", "resnet19"))
    assert len(vgg) == 13
    assert sum(np.prod(conv.weights) for conv in vgg) == 14_710_464
    assert len([conv for conv in resnet if conv.weights[2] == 3]) == 17
    assert [conv.positions for conv in vgg][::4] == [1024, 64, 16, 4]
    assert resnet[-1].weights == (512, 512, 3, 3)
    assert resnet[-1].positions == 16
    assert [conv.positions for conv in resnet[:2]] == [1024, 256]


def test_seeds_reproduce():
    one, same, other = (ut.synthetic_ticket("digits", seed=s).masks() for s in (3, 3, 4))
    assert all((one[name] == same[name]).all() for name in one)
    assert any((one[name] != other[name]).any() for name in one)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"network": "vgg17"}, "'vgg17'.*mean 'vgg16'"),
        ({"sparsity": 98.2}, r"sparsity must lie in \[0, 1\], not 98.2"),
        ({"filter_cov": -1}, "filter_cov must be 0 or more"),
        ({"timesteps": 0}, "timesteps must be 1 or more"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        ut.synthetic_ticket(**options)
