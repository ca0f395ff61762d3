"""Regrow and drop: give every part of a mask an exact number of non-zeros.

A part is what one PE holds in one wave: a whole filter (output-channel mapping) or a slice
of its input channels (input-channel mapping). Masks are bits, see `kernels.bits`.
"""

import numpy as np

from uticket_lite.kernels.bits import ALL, ONE, WORD, list_ones
from uticket_lite.kernels.jit import kernel
from uticket_lite.kernels.sorting import order_of


@kernel()
def resample(
    bits: np.ndarray,
    size: int,
    part_size: int,
    parts: int,
    loads: np.ndarray,
    targets: np.ndarray,
    magnitudes: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """A copy of the mask in which each part has its target of non-zeros.

    bits: uint64 (filters, words). size: weights of a filter, cut into `parts` parts of
    `part_size`, the last ones possibly shorter or empty. loads, targets: int64
    (filters·parts or more,): non-zeros now and wanted, at most a part's size.
    magnitudes: float32 (filters, size), |w| to choose by: drop the smallest, regrow the
    largest; (0, 0) to choose uniformly at random, as where magnitudes are 0.
    """
    result = bits.copy()
    ones, free = np.empty(size, np.int64), np.empty(size, np.int64)
    for k in range(bits.shape[0]):
        for p in range(parts):
            start = p * part_size
            stop = min(size, start + part_size)
            load, target = loads[k * parts + p], targets[k * parts + p]
            if load > target:
                found = list_ones(bits[k], start, stop, ones)
                if magnitudes.size:
                    _flip_first(result[k], ones[:found], magnitudes[k], 1.0, load - target)
                else:
                    _drop_random(result[k], ones[:found], load - target, rng)
            elif load < target:
                grown = 0
                if magnitudes.size:
                    found = _list_regrowable(bits[k], start, stop, magnitudes[k], free)
                    grown = min(found, target - load)
                    _flip_first(result[k], free[:found], magnitudes[k], -1.0, grown)
                _regrow_random(result[k], start, stop, load + grown, target, free, rng)
    return result


@kernel()
def _flip(row: np.ndarray, i: int) -> None:
    row[i // WORD] ^= ONE << np.uint64(i % WORD)


@kernel()
def _drop_random(row: np.ndarray, ones: np.ndarray, drop: int, rng: np.random.Generator) -> None:
    """Clear `drop` of the positions `ones`: the first steps of a random shuffle."""
    for i in range(drop):
        j = i + int(rng.random() * (ones.size - i))
        ones[i], ones[j] = ones[j], ones[i]
        _flip(row, ones[i])


@kernel()
def _flip_first(
    row: np.ndarray, places: np.ndarray, magnitudes: np.ndarray, sign: float, number: int
) -> None:
    """Flip `number` of the places: the smallest magnitudes first, with sign −1 the largest."""
    keys = np.empty(places.size)
    for i in range(places.size):
        keys[i] = sign * magnitudes[places[i]]
    for i in order_of(keys)[:number]:
        _flip(row, places[i])


@kernel()
def _list_regrowable(
    row: np.ndarray, start: int, stop: int, magnitudes: np.ndarray, out: np.ndarray
) -> int:
    """Write the pruned positions in [start, stop) whose magnitude is not 0; their number."""
    found = 0
    for i in range(start, stop):
        if magnitudes[i] > 0 and not (row[i // WORD] >> np.uint64(i % WORD)) & ONE:
            out[found] = i
            found += 1
    return found


@kernel()
def _regrow_random(
    row: np.ndarray,
    start: int,
    stop: int,
    load: int,
    target: int,
    free: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Set random pruned positions in [start, stop) until `target` of them are set."""
    size = stop - start
    if 2 * target <= size:  # at most half are taken: few draws miss
        while load < target:
            i = start + int(rng.random() * size)
            if not (row[i // WORD] >> np.uint64(i % WORD)) & ONE:
                _flip(row, i)
                load += 1
    elif load < target:
        inverse = row ^ ALL
        found = list_ones(inverse, start, stop, free)
        _drop_random(row, free[:found], target - load, rng)
