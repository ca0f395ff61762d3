"""The Gantt chart's intervals add up to work and idle, and nobody is in two places at once."""

import numpy as np
import pytest
from generators import accelerators, masks
from hypothesis import assume, given
from hypothesis import strategies as st

import uticket_lite as ut

pytestmark = pytest.mark.kernels


@given(masks, accelerators, st.sampled_from(list(ut.STRATEGIES)), st.integers(1, 5))
def test_intervals_add_up_and_do_not_overlap(mask, accelerator, strategy, positions):
    assume(ut.STRATEGIES[strategy].objection(accelerator) is None)
    ticket = ut.Ticket.from_arrays({"a": mask, "b": mask}, positions={"b": positions})
    report = ut.simulate(ticket, accelerator, strategy)
    for layer in ("a", "b"):
        table = report.timeline(layer)
        length = table["end"] - table["start"]
        row = report.layers.loc[layer]
        assert (length > 0).all()
        assert length[table["kind"] == "work"].sum() == row["work"]
        assert length[table["kind"] == "wait"].sum() == row["idle"]
        for _, busy in table.groupby("pe"):
            assert busy["start"].iloc[0] == 0
            assert (busy["start"].iloc[1:].to_numpy() == busy["end"].iloc[:-1].to_numpy()).all()
            assert busy["end"].iloc[-1] == row["latency"]
        if row["latency"]:
            assert table["pe"].nunique() == accelerator.n_pe


@given(masks, accelerators, st.sampled_from(list(ut.STRATEGIES)))
def test_every_filter_is_worked_on_for_its_nonzeros(mask, accelerator, strategy):
    assume(ut.STRATEGIES[strategy].objection(accelerator) is None)
    report = ut.simulate(ut.Ticket.from_arrays({"a": mask}), accelerator, strategy)
    table = report.timeline("a").query("kind == 'work'")
    worked = (table["end"] - table["start"]).groupby(table["filter"]).sum()
    counts = report.ticket.layers["a"].counts
    assert worked.to_dict() == {k: c for k, c in enumerate(counts) if c}


@given(masks, accelerators)
def test_under_barriers_no_wave_starts_before_the_last_one_is_over(mask, accelerator):
    table = ut.simulate(ut.Ticket.from_arrays({"a": mask}), accelerator).timeline("a")
    work = table[table["kind"] == "work"].groupby("wave").agg({"start": "min", "end": "max"})
    assert (work["start"].iloc[1:].to_numpy() >= work["end"].iloc[:-1].to_numpy()).all()


def test_pes_run_ahead_as_far_as_their_queue_allows():
    """One slow PE, one quick: with room for 4 waves, the quick one starts wave 5 when the slow
    one has finished wave 0."""
    mask = np.zeros((16, 10), bool)
    mask[0::2, :10] = True
    mask[1::2, :1] = True
    ticket = ut.Ticket.from_arrays({"a": mask})
    report = ut.simulate(ticket, ut.Accelerator(2), "fifo-d", cycles="weights")
    table = report.timeline("a").query("kind == 'work' and pe == 1")
    assert table["start"].tolist() == [0, 1, 2, 3, 4, 10, 20, 30]
    assert report.latency == 80


def test_unknown_layers_are_refused():
    report = ut.simulate(ut.synthetic_ticket("digits"), ut.Accelerator())
    with pytest.raises(ValueError, match="layer 'conv1' is not known; choose one of: conv2"):
        report.timeline("conv1")
