"""Who works and who waits, when: the intervals of a Gantt chart."""

import numpy as np
import pandas as pd

from uticket_lite.kernels.cycles import finish_times


def timeline(
    filters: np.ndarray,
    cycles: np.ndarray,
    wave: np.ndarray,
    pe: np.ndarray,
    n: int,
    ahead: int = 0,
) -> pd.DataFrame:
    """Intervals of work and waiting: pe, wave, filter (−1 while waiting), kind, start, end.

    filters, cycles, wave, pe: what is worked on, how long, in which wave and on which PE, int
    (items,) each, in the order in which items start. n: PEs. ahead: waves that a PE may run
    ahead of the slowest. Intervals of no length are left out.
    """
    loads = np.zeros((wave.max() + 1, n), np.int64)
    np.add.at(loads, (wave, pe), cycles)
    finish = finish_times(loads, ahead)
    begin = finish - loads

    # Items that share a wave and a PE run one after the other.
    by_cell = np.lexsort((np.arange(wave.size), pe, wave))
    done = np.cumsum(cycles[by_cell])
    cell = (wave * n + pe)[by_cell]
    before_cell = (done - cycles[by_cell])[np.searchsorted(cell, cell)]
    end = begin[wave, pe][by_cell] + done - before_cell
    work = pd.DataFrame(
        {
            "pe": pe[by_cell],
            "wave": wave[by_cell],
            "filter": filters[by_cell],
            "kind": "work",
            "start": end - cycles[by_cell],
            "end": end,
        }
    )
    # A PE waits before each wave until it may start, and after its last until all have finished.
    ready = np.vstack([np.zeros((1, n), np.int64), finish])
    start = np.vstack([begin, np.full((1, n), finish.max())])
    waves, pes = np.indices(ready.shape).reshape(2, -1)
    wait = pd.DataFrame(
        {
            "pe": pes,
            "wave": np.maximum(waves - 1, 0),
            "filter": -1,
            "kind": "wait",
            "start": ready.ravel(),
            "end": start.ravel(),
        }
    )
    both = pd.concat([work, wait])
    both = both[both["end"] > both["start"]]
    return both.sort_values(["pe", "start"], ignore_index=True)
