"""What moves besides the PEs: accesses to DRAM and SRAM (Fig. 9), for a stated dataflow.

One image, layer after layer. A layer's weights and input spikes are fetched from DRAM once and
put into SRAM; its weights go on to the PEs once, and its input spikes once for every wave,
because each wave's filters see all of them. Spikes were written to DRAM by the layer before.

Weights are stored as a bit mask and 8 bits per non-zero. Spikes are stored as compressed rows
(CSR): in every timestep, for every input channel a pointer, and for every spike its position.
An input that two layers read, a shortcut's, is written and fetched for each of them.

What an access costs is SATA_Sim's (`mem-stat.yaml` of its repository, from CACTI): 0.469 nJ for
DRAM; for SRAM 0.0286 nJ (144 kB for weights) and 0.0110 nJ (32 kB for spikes). What width these
are for, it does not say; the two readings are `COSTS`. Writing is counted as reading (SATA_Sim's
SRAM writes cost 1 % less and 16 % more). The SRAMs' leakage, 94 pJ a cycle by the same file, is
left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from uticket_lite.edge.checks import instance, one_of
from uticket_lite.hardware.energy import E_DYN
from uticket_lite.simulation.report import Report

ACCESS = 32
"""Bits of one access."""
WEIGHT = 8
"""Bits of one non-zero."""


@dataclass(frozen=True)
class AccessCosts:
    """pJ to move 32 bits: from DRAM, from the SRAM for weights, from the one for spikes."""

    label: str
    dram: float
    sram_weights: float
    sram_spikes: float


_READ = (468.762, 28.6315, 11.0295)  # pJ: DRAM, SRAM for weights, SRAM for spikes


def _costs(label: str, *widths: int) -> AccessCosts:
    """widths: bits that the figures of `_READ` are for."""
    return AccessCosts(label, *(pj * ACCESS / bits for pj, bits in zip(_READ, widths, strict=True)))


COSTS = {
    "per-byte": _costs("for a byte each: so SATA_Sim multiplies them", 8, 8, 8),
    "per-access": _costs(
        "for what CACTI was asked to read at once: DRAM 4 × 8 bits, SRAM 32 bytes", 32, 256, 256
    ),
}
"""How SATA_Sim's figures may be read: name to costs. By the first an access to DRAM costs what 16
to 43 of SRAM do, by the second 131 to 340."""


def weight_bits(size: int, nonzeros: int) -> int:
    """Bits to store a layer's weights: a mask of all, and the non-zeros."""
    return size + WEIGHT * nonzeros


def spike_bits(channels: int, positions: int, timesteps: int, sparsity: float) -> float:
    """Bits to store a layer's input spikes as CSR; positions: of the input, sparsity: its zeros."""
    spikes = channels * positions * (1 - sparsity)
    index = int(positions - 1).bit_length()
    pointer = int(channels * positions).bit_length()
    return timesteps * (spikes * index + (channels + 1) * pointer)


def memory_accesses(report: Report) -> pd.DataFrame:
    """Accesses of 32 bits for one image, one row per layer.

    Columns: dram_weights, dram_spikes, sram_weights, sram_spikes; NaN where a layer's spike
    sparsity is not known.
    """
    instance("report", report, Report, "ut.simulate(ticket, accelerator)")
    waves = report.layers["waves"]
    rows = {}
    for name in report.names:
        layer = report.ticket.layers[name]
        known = np.nan if layer.spike_sparsity is None else layer.spike_sparsity
        weights = weight_bits(layer.size, layer.nonzeros) / ACCESS
        inputs = layer.input_positions or layer.positions
        spikes = spike_bits(layer.shape[1], inputs, report.ticket.timesteps, known) / ACCESS
        rows[name] = {
            "dram_weights": weights,
            "dram_spikes": 2 * spikes,  # written by the layer before, and read
            "sram_weights": 2 * weights,  # written from DRAM, and read
            "sram_spikes": (1 + waves[name]) * spikes,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("layer")


def system_energy(
    report: Report, gating: str = "paper", without: Iterable[str] = (), costs: str = "per-byte"
) -> dict[str, float]:
    """Energy of one image in pJ by the public figures: `PE`, `SRAM`, `DRAM` (Fig. 9b).

    gating: a name in `GATINGS`. without: columns of `memory_accesses` that cost nothing, as
    `dram_weights` where all weights stay on the chip. costs: of an access, a name in `COSTS`.
    PE: Eq. 3 and the neurons' updates.
    """
    each = COSTS[one_of("costs", costs, COSTS)]
    totals = memory_accesses(report).sum(skipna=False)
    totals[[one_of("access", name, totals.index) for name in without]] = 0
    return {
        "PE": float(report.breakdown(gating).to_numpy().sum()) * E_DYN,
        "SRAM": float(
            each.sram_weights * totals["sram_weights"] + each.sram_spikes * totals["sram_spikes"]
        ),
        "DRAM": float(each.dram * (totals["dram_weights"] + totals["dram_spikes"])),
    }
