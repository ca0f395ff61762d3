"""The slider for r: the paper's savings beside those of Eq. 3, the learner's if it is right."""

import pytest

from uticket_lite.paper.published import paper_table
from uticket_lite.teach import ratio_slider, savings
from uticket_lite.teach.ratio import ratio_table


def test_savings_are_those_of_eq_3_by_hand():
    row = paper_table().loc["resnet19", "fashion-mnist"]
    r, energies = 0.3, []
    for method in ("lth", "uticket"):
        spikes = 1 - row["spike_sparsity", method] / 100
        energies.append(row["work", method] * (spikes + r) + row["idle", method] * r)
    found = savings(r).loc["resnet19", "fashion-mnist"]
    assert found["Eq. 3"] == pytest.approx(100 * (1 - energies[1] / energies[0]))
    assert found["paper"] == 63.8
    assert found["difference"] == pytest.approx(found["Eq. 3"] - 63.8)


def test_moving_the_slider_marks_what_is_close():
    box = ratio_slider()
    slider, shown = box.children
    assert "0 of 6 savings" in shown.value
    slider.set_state({"value": 0.21})
    assert "6 of 6 savings" in shown.value
    assert shown.value.count("✓") == 6
    assert "r = 0.210" in shown.value


def test_it_begins_where_nothing_is_given_away():
    assert ratio_slider().children[0].value == 0
    assert "0.21" not in ratio_table(0.0)


def test_the_learners_own_energy_is_used():
    wrong = ratio_table(0.21, lambda work, idle, s, r: work)
    assert "6 of 6" not in wrong
