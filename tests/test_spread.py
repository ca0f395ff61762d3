"""How unlike filters are, and what a report says of lost utilization."""

import numpy as np
import pytest

import uticket_lite as ut


@pytest.mark.parametrize("mapping", ut.MAPPINGS)
@pytest.mark.parametrize("strategy", ["none", "uticket", "regrow-only"])
def test_the_parts_of_a_report_add_up_to_what_is_lost(mapping, strategy):
    ticket, pes = ut.load_ticket("digits-lth"), ut.Accelerator(16, mapping)
    report = ut.simulate(ticket, pes, strategy)
    lost = report.lost()
    assert list(lost) == ["noise", "layers", "filters", "strategy"]
    assert sum(lost.values()) == pytest.approx(1 - report.utilization)
    whole = ut.lost(ticket, pes).to_dict()
    assert all(lost[part] == pytest.approx(whole[part]) for part in ("noise", "layers", "filters"))
    if strategy == "none":
        assert lost["strategy"] == pytest.approx(0)
    else:
        assert lost["strategy"] < -0.3, "won back"


def test_parts_are_those_of_the_layers_that_ran():
    ticket, pes = ut.load_ticket("digits-lth"), ut.Accelerator(16)
    lost = ut.simulate(ticket, pes, layers=["conv3"]).lost()
    assert lost["layers"] == pytest.approx(0), "there is one layer"


def test_spread_tells_how_unlike_filters_are():
    mask = np.arange(8) < np.array([0, 2, 2, 4])[:, None]
    report = ut.simulate(ut.Ticket.from_arrays({"a": mask, "b": 0 * mask}), ut.Accelerator(2))
    row = report.spread.loc["a"]
    assert row["density"] == 8 / 32
    assert row["filter_cov"] == pytest.approx(np.sqrt(2) / 2)
    differences = np.abs(np.subtract.outer([0, 2, 2, 4], [0, 2, 2, 4]))
    assert row["gini"] == pytest.approx(differences.mean() / (2 * 2))
    assert report.spread.loc["b", ["filter_cov", "gini"]].isna().all()
    assert report.spread.loc["b", "floor"] == 1
