"""Lost utilization: chance, layers and filters, apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import uticket_lite as ut
from uticket_lite.hardware.chance import expected_utilization
from uticket_lite.hardware.metrics import wave_utilization

PES = ut.Accelerator(16)


@pytest.mark.parametrize(
    ("capacities", "density"),
    [
        (np.full((1, 16), 4608), 0.018),
        (np.full((1, 8), 9), 0.05),
        (np.array([[5, 5, 3, 0]]), 0.3),
        (np.full((1, 4), 30), 0.9),
    ],
)
def test_what_to_expect_is_the_mean_of_many_draws(capacities, density):
    rng = np.random.default_rng(0)
    draws = rng.binomial(capacities, density, size=(40_000, capacities.shape[1]))
    mean = np.nanmean(wave_utilization(draws))
    assert expected_utilization(capacities, density) == pytest.approx(mean, abs=0.005)


@given(st.floats(0, 1), st.integers(1, 6), st.integers(1, 20))
def test_what_to_expect_is_between_0_and_1(density, n, size):
    assert -1e-9 <= expected_utilization(np.full((2, n), size), density) <= 1 + 1e-9


def test_full_empty_and_single_pes_expect_nothing_lost():
    assert expected_utilization(np.full((3, 4), 7), 1.0) == pytest.approx(1)
    assert expected_utilization(np.full((3, 4), 7), 0.0) == 1
    assert expected_utilization(np.full((3, 1), 7), 0.2) == 1
    assert expected_utilization(np.full((3, 4), 7), 1e-200) == 0, "one PE has all there is"


def test_a_short_last_wave_waits_even_if_nothing_is_pruned():
    assert expected_utilization(np.array([[7, 7, 7, 7], [7, 7, 0, 0]]), 1.0) == pytest.approx(
        (1 + 1 / 3) / 2
    )


@pytest.mark.parametrize("name", ut.recorded_tickets())
def test_the_parts_add_up_and_each_is_what_it_says(name):
    split = ut.lost(ut.load_ticket(name), PES)
    assert split.utilization + split.noise + split.layers + split.filters == pytest.approx(1)
    of_report = ut.simulate(ut.load_ticket(name), PES).utilization
    assert split.utilization == pytest.approx(of_report, abs=1e-12)
    assert split.noise > 0
    assert (split.filters < 0) == name.endswith("uticket"), "balanced is better than chance"


def test_alike_filters_lose_to_chance_alone():
    split = ut.lost(ut.synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0, seed=1), PES)
    assert (split.layers, split.filters) == pytest.approx((0, 0), abs=0.01)
    unlike = ut.lost(ut.synthetic_ticket("vgg16", sparsity=0.982, filter_cov=0.3, seed=1), PES)
    assert unlike.noise == pytest.approx(split.noise, abs=0.005)
    assert unlike.filters > 0.15


def test_the_recorded_vgg_loses_to_chance_to_layers_and_to_filters_about_alike():
    split = ut.lost(ut.load_ticket("vgg16-cifar10-lth", 14), PES).to_dict()
    assert split["floor"] == pytest.approx(0.639, abs=0.005)
    assert (split["noise"], split["layers"], split["filters"]) == pytest.approx(
        (0.191, 0.170, 0.223), abs=0.005
    )
