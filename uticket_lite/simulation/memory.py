"""What moves besides the PEs: accesses to DRAM and SRAM (Fig. 9), for a stated dataflow.

One image, layer after layer. A layer's weights and input spikes are fetched from DRAM once and
put into SRAM; its weights go on to the PEs once, and its input spikes once for every wave,
because each wave's filters see all of them. Spikes were written to DRAM by the layer before.

Weights are stored as a bit mask and 8 bits per non-zero. Spikes are stored as compressed rows
(CSR): in every timestep, for every input channel a pointer, and for every spike its position.
An input that two layers read, a shortcut's, is written and fetched for each of them.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from uticket_lite.edge.checks import one_of
from uticket_lite.hardware.energy import E_DYN
from uticket_lite.simulation.report import Report

WORD = 32
"""Bits of one access."""
WEIGHT = 8
"""Bits of one non-zero."""
DRAM_ACCESS, SRAM_ACCESS = 640.0, 5.0
"""pJ for 32 bits, from DRAM and from 32 kB of SRAM, at 45 nm (Han et al., EIE, arXiv
1602.01528, Table I). DRAM costs what 128 accesses to SRAM do: that ratio matters here."""


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
    waves = report.layers["waves"]
    rows = {}
    for name in report.names:
        layer = report.ticket.layers[name]
        known = np.nan if layer.spike_sparsity is None else layer.spike_sparsity
        weights = weight_bits(layer.size, layer.nonzeros) / WORD
        inputs = layer.input_positions or layer.positions
        spikes = spike_bits(layer.shape[1], inputs, report.ticket.timesteps, known) / WORD
        rows[name] = {
            "dram_weights": weights,
            "dram_spikes": 2 * spikes,  # written by the layer before, and read
            "sram_weights": 2 * weights,  # written from DRAM, and read
            "sram_spikes": (1 + waves[name]) * spikes,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("layer")


def system_energy(
    report: Report, gating: str = "paper", without: Iterable[str] = ()
) -> dict[str, float]:
    """Energy of one image in pJ by the public figures: `PE`, `SRAM`, `DRAM` (Fig. 9b).

    gating: a name in `GATINGS`. without: columns of `memory_accesses` that cost nothing, as
    `dram_weights` where all weights stay on the chip. PE: Eq. 3 and the neurons' updates.
    """
    totals = memory_accesses(report).sum(skipna=False)
    totals[[one_of("access", name, totals.index) for name in without]] = 0
    return {
        "PE": float(report.breakdown(gating).to_numpy().sum()) * E_DYN,
        "SRAM": SRAM_ACCESS * (totals["sram_weights"] + totals["sram_spikes"]),
        "DRAM": DRAM_ACCESS * (totals["dram_weights"] + totals["dram_spikes"]),
    }
