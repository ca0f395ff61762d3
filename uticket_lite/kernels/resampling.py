"""Regrow and drop: give every segment of a sparse mask an exact number of non-zeros.

A segment is the part of a filter that one PE holds in one wave: the whole filter
(output-channel mapping) or a slice of its input channels (input-channel mapping).
"""

import numpy as np

from uticket_lite.kernels.jit import kernel


@kernel()
def resample(
    indices: np.ndarray,
    counts: np.ndarray,
    starts: np.ndarray,
    capacities: np.ndarray,
    targets: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Drop random non-zeros, or regrow random pruned positions, until each segment has its target.

    indices: int32, the non-zeros of all segments, ascending inside each (position in the filter).
    counts, starts, capacities, targets: int64 (segments,): non-zeros now, first position,
    number of positions, and non-zeros wanted (0 <= target <= capacity).
    Returns the new indices, int32, in the same order. The cost is linear in the non-zeros
    before and after, whatever the sparsity.
    """
    result = np.empty(targets.sum(), np.int32)
    taken = np.zeros(max(capacities.max(), 1), np.bool_)
    at = 0
    out = 0
    for s in range(counts.size):
        count, start, capacity, target = counts[s], starts[s], capacities[s], targets[s]
        here = indices[at : at + count]
        there = result[out : out + target]
        if target <= count:
            _keep_some(here, there, rng)
        else:
            for i in here:
                taken[i - start] = True
            if 2 * target <= capacity:
                _regrow_by_rejection(here, there, start, capacity, taken, rng)
            else:
                _regrow_by_scan(
                    there, start, capacity, target - count, capacity - count, taken, rng
                )
            for i in there:
                taken[i - start] = False
        at += count
        out += target
    return result


@kernel()
def _keep_some(here: np.ndarray, there: np.ndarray, rng: np.random.Generator) -> None:
    """Fill `there` with a uniformly random, ordered choice from `here` (selection sampling)."""
    left, wanted = here.size, there.size
    if left == wanted:
        there[:] = here
        return
    out = 0
    for i in here:
        if rng.random() * left < wanted:
            there[out] = i
            out += 1
            wanted -= 1
        left -= 1


@kernel()
def _regrow_by_rejection(
    here: np.ndarray,
    there: np.ndarray,
    start: int,
    capacity: int,
    taken: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Keep `here` and add random free positions: at most half are taken, so few draws miss."""
    there[: here.size] = here
    for out in range(here.size, there.size):
        i = int(rng.random() * capacity)
        while taken[i]:
            i = int(rng.random() * capacity)
        taken[i] = True
        there[out] = start + i
    there.sort()


@kernel()
def _regrow_by_scan(
    there: np.ndarray,
    start: int,
    capacity: int,
    wanted: int,
    free: int,
    taken: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Walk over all positions and choose among the free ones: for a segment that gets dense."""
    out = 0
    for i in range(capacity):
        if not taken[i]:
            grow = rng.random() * free < wanted
            free -= 1
            if not grow:
                continue
            wanted -= 1
        there[out] = start + i
        out += 1
