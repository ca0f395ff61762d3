"""Eq. 3 gives the paper's savings, and says what they rest on."""

import numpy as np
import pytest

import uticket_lite as ut
from uticket_lite.hardware import components, energy
from uticket_lite.paper.published import paper_table
from uticket_lite.simulation.memory import ACCESS, COSTS

PES = ut.Accelerator(16)
TABLE = paper_table()


def saving(before: float, after: float) -> float:
    """In percent."""
    return 100 * (1 - after / before)


def paper_energies(row, **ratios):
    """Eq. 3 of both methods from the paper's own work, idle and spike sparsity."""
    return [
        ut.pe_energy(row["work", m], row["idle", m], row["spike_sparsity", m] / 100, **ratios)
        for m in ("lth", "uticket")
    ]


@pytest.mark.parametrize(("network", "dataset"), TABLE.index)
def test_eq_3_gives_the_papers_six_savings(network, dataset):
    row = TABLE.loc[network, dataset]
    assert saving(*paper_energies(row)) == pytest.approx(row["energy_cut", "uticket"], abs=0.5)


def test_removing_idle_cycles_alone_gives_a_third_of_the_largest_saving():
    row = TABLE.loc["resnet19", "fashion-mnist"]
    before, after = paper_energies(row)
    no_idle = ut.pe_energy(row["work", "lth"], 0.0, row["spike_sparsity", "lth"] / 100)
    assert saving(before, no_idle) == pytest.approx(34.1, abs=0.05)
    assert saving(before, after) == pytest.approx(63.6, abs=0.05)


def test_without_clock_gating_savings_would_be_larger():
    for _, row in TABLE.iterrows():
        by_gating = [
            saving(*paper_energies(row, leak_ratio=energy.gating_ratio(name)))
            for name in ("clock-gated", "paper", "ungated")
        ]
        assert by_gating == sorted(by_gating)


def test_public_leakage_is_far_too_small_for_the_papers_ratio():
    ratios = {name: gating.leak_ratio for name, gating in ut.GATINGS.items()}
    assert ratios["clock-gated"] == pytest.approx(0.005, abs=0.0002)
    assert ratios["ungated"] == pytest.approx(2.1, abs=0.01)
    assert ratios["paper"] / ratios["clock-gated"] == pytest.approx(43.2, abs=0.1)


def test_components_add_up_to_the_simulators_totals():
    table = components.component_table()
    ungated = table.loc[~table["gated"]]
    assert (ungated["count"] * ungated["dynamic"]).sum() == pytest.approx(0.28782, abs=1e-6)  # mW
    assert (table["count"] * table["leakage"]).sum() == pytest.approx(0.66811, abs=1e-6)  # µW
    totals = [
        components.UNGATED_CYCLE,
        components.LEAKAGE_CYCLE,
        components.MAC_OPERATION,
        components.MEM_OPERATION,
        components.LIF_UPDATE,
    ]
    assert totals == pytest.approx([0.71955, 0.00167, 0.0628, 0.281, 0.0472], rel=1.5e-3)  # pJ


def test_what_a_cycle_costs_is_divided_as_parts_leak_or_as_they_switch():
    leaking = {"MAC": 0.0928, "LIF": 0.125, "MEM": 0.7822}
    assert components.cycle_shares(clocked=False) == pytest.approx(leaking, abs=1e-3)
    switching = {"MAC": 0.0668, "LIF": 0.1954, "MEM": 0.7377}
    assert components.cycle_shares(clocked=True) == pytest.approx(switching, abs=1e-3)
    digits = ut.simulate(ut.load_ticket("digits-lth"), PES)
    for gating, shares in (("paper", leaking), ("clock-gated", leaking), ("ungated", switching)):
        waiting = digits.breakdown(gating)["waiting"].groupby("part").sum()
        assert (waiting / waiting.sum()).to_dict() == pytest.approx(shares, abs=1e-3), gating


@pytest.mark.parametrize("gating", ut.GATINGS)
@pytest.mark.parametrize("strategy", ["none", "uticket", "fifo-d"])
def test_the_breakdown_adds_up_to_eq_3_and_the_neurons(gating, strategy):
    report = ut.simulate(ut.load_ticket("digits-lth"), PES, strategy)
    parts = report.breakdown(gating)
    neurons = parts.loc[(slice(None), "LIF"), "dynamic"].sum()
    assert parts.to_numpy().sum() - neurons == pytest.approx(report.energy_as(gating))
    updates = sum(
        report.ticket.layers[name].shape[0] * report.ticket.layers[name].positions
        for name in report.names
    )
    expected = updates * report.ticket.timesteps * components.LIF_UPDATE / energy.E_DYN
    assert neurons == pytest.approx(expected)


def test_paper_gating_is_the_default():
    report = ut.simulate(ut.load_ticket("digits-lth"), PES)
    assert report.energy == report.energy_as("paper")
    assert report.layers["energy"].sum() == pytest.approx(report.energy)
    with pytest.raises(ValueError, match="gating 'off' is not known; choose one of: clock-gated"):
        report.energy_as("off")


def test_unknown_spikes_leave_energy_unknown():
    report = ut.simulate(ut.synthetic_ticket("digits"), PES)
    assert np.isnan(report.energy_as("ungated"))
    assert np.isnan(ut.system_energy(report)["PE"])


def test_accesses_by_hand():
    """One layer: 4 filters of 2×3×3, half pruned; 2 timesteps, 16 positions, 3/4 silent."""
    mask = np.zeros((4, 2, 3, 3), bool)
    mask[:, 0] = True
    ticket = ut.Ticket.from_arrays(
        {"conv2": mask}, positions={"conv2": 16}, timesteps=2, spike_sparsity={"conv2": 0.75}
    )
    accesses = ut.memory_accesses(ut.simulate(ticket, ut.Accelerator(2))).loc["conv2"] * 32
    weights = 72 + 8 * 36
    spikes = 2 * (8 * 4 + 3 * 6)  # 8 spikes of 4 bits; 3 pointers of 6 bits, which hold 0 to 32
    assert accesses.to_dict() == {
        "dram_weights": weights,
        "dram_spikes": 2 * spikes,
        "sram_weights": 2 * weights,
        "sram_spikes": 3 * spikes,  # written, and read by 2 waves
    }


def test_spikes_are_fetched_at_the_positions_of_the_input(tmp_path):
    """A stride of 2: a quarter of the output positions, spikes as before."""
    mask = np.ones((4, 2, 3, 3), bool)

    def spikes(**positions):
        known = {name: {"conv2": number} for name, number in positions.items()}
        ticket = ut.Ticket.from_arrays({"conv2": mask}, spike_sparsity={"conv2": 0.75}, **known)
        ticket.save(tmp_path / "t.safetensors")
        again = ut.load_ticket(tmp_path / "t.safetensors")
        return ut.memory_accesses(ut.simulate(again, ut.Accelerator(2)))["dram_spikes"].item()

    assert spikes(positions=16, input_positions=64) == spikes(positions=64) > spikes(positions=16)


def test_accesses_can_be_left_out():
    report = ut.simulate(ut.load_ticket("digits-lth"), PES)
    every, none = ut.system_energy(report), ut.system_energy(report, without=["dram_weights"])
    weights = ut.memory_accesses(report)["dram_weights"].sum()
    assert every["DRAM"] - none["DRAM"] == pytest.approx(weights * COSTS["per-byte"].dram)
    assert (every["PE"], every["SRAM"]) == (none["PE"], none["SRAM"])
    with pytest.raises(ValueError, match="access 'dram' is not known"):
        ut.system_energy(report, without=["dram"])


def test_memory_costs_what_sata_sim_multiplies_or_what_cacti_read():
    by_byte, by_access = (COSTS[name] for name in ("per-byte", "per-access"))
    assert by_byte.dram * 8 / ACCESS == pytest.approx(468.762)  # pJ
    assert by_byte.sram_weights * 8 / ACCESS == pytest.approx(28.6315)
    assert by_byte.sram_spikes * 8 / ACCESS == pytest.approx(11.0295)
    ratios = {name: (c.dram / c.sram_weights, c.dram / c.sram_spikes) for name, c in COSTS.items()}
    assert ratios["per-byte"] == pytest.approx((16.4, 42.5), abs=0.1)
    assert ratios["per-access"] == pytest.approx((131, 340), abs=0.5)
    report = ut.simulate(ut.load_ticket("digits-lth"), PES)
    accesses = ut.memory_accesses(report).sum()
    for name, each in COSTS.items():
        energy = ut.system_energy(report, costs=name)
        assert energy["SRAM"] == pytest.approx(
            accesses["sram_weights"] * each.sram_weights
            + accesses["sram_spikes"] * each.sram_spikes
        )
        assert energy["PE"] == ut.system_energy(report)["PE"]
    assert by_byte.dram == 4 * by_access.dram
    with pytest.raises(ValueError, match="costs 'per-bit' is not known; choose one of: per-byte"):
        ut.system_energy(report, costs="per-bit")


def test_balancing_saves_in_pes_and_hardly_in_memory():
    before, after = (
        ut.system_energy(ut.simulate(ut.load_ticket("digits-lth"), PES, strategy))
        for strategy in ("none", "uticket")
    )
    assert after["PE"] < before["PE"]
    assert after["DRAM"] == pytest.approx(before["DRAM"], rel=0.05)
