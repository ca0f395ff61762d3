"""Many numbers of PEs in one call: from the filters' counts to each layer's totals."""

import numpy as np

from uticket_lite.kernels.cycles import layer_totals, utilization_of
from uticket_lite.kernels.jit import kernel
from uticket_lite.kernels.scheduling import deal_to_first_free, last_to_end


@kernel()
def loads_in_turn(
    counts: np.ndarray, starts: np.ndarray, n: int, each: int
) -> tuple[np.ndarray, np.ndarray]:
    """What `add_up` makes of `deal_in_turn`: loads (waves, n), and where layers begin."""
    wave_starts = np.zeros(starts.size, np.int64)
    for layer in range(starts.size - 1):
        filters = starts[layer + 1] - starts[layer]
        wave_starts[layer + 1] = wave_starts[layer] + (filters + n * each - 1) // (n * each)
    loads = np.zeros(wave_starts[-1] * n, np.int64)
    for layer in range(starts.size - 1):
        at, held = wave_starts[layer] * n, 0
        for i in range(starts[layer], starts[layer + 1]):
            loads[at] += counts[i]
            held += 1
            if held == each:
                held = 0
                at += 1
    return loads.reshape(-1, n), wave_starts


@kernel()
def sweep_pes(
    counts: np.ndarray, starts: np.ndarray, pes: np.ndarray, each: int, barrier: bool, ahead: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`layer_totals` for every number of PEs in `pes`: work, latency, utilization, each
    (numbers, layers).

    counts, starts: filters in the order in which they are dealt. each, barrier, ahead: how; see
    `Strategy`.
    """
    layers = starts.size - 1
    work = np.empty((pes.size, layers), np.int64)
    latency = np.empty((pes.size, layers), np.int64)
    utilization = np.empty((pes.size, layers))
    one_each = np.arange(layers + 1)
    totals_suffice = not barrier and ahead == 0
    for i in range(pes.size):
        if totals_suffice:
            latency[i] = last_to_end(counts, starts, pes[i])
            continue
        if barrier:
            loads, wave_starts = loads_in_turn(counts, starts, pes[i], each)
        else:
            loads, wave_starts = deal_to_first_free(counts, starts, pes[i])[1], one_each
        work[i], latency[i], utilization[i] = layer_totals(loads, wave_starts, ahead, False)
    for layer in range(layers if totals_suffice else 0):
        work[:, layer] = counts[starts[layer] : starts[layer + 1]].sum()
        for i in range(pes.size):
            u = utilization_of(work[i, layer], latency[i, layer], pes[i], False)
            utilization[i, layer] = 1.0 if np.isnan(u) else u
    return work, latency, utilization
