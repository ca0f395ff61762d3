"""Masks as bits: pack, count and list the non-zeros of filters.

A layer's mask is uint64 (filters, words): bit i % 64 of word i // 64 is weight i of the
filter; bits past the filter's size are 0. A mask of 14.7 million weights takes 1.8 MB, less
than a processor's cache, so that counting it again costs next to nothing.
"""

import numpy as np

from uticket_lite.kernels.jit import kernel

GATHER = np.uint64(0x0102040810204080)  # times eight bytes of 0 or 1: their bits, in the top byte
TOP_BYTE = np.uint64(56)
ONE = np.uint64(1)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
WORD = 64


@kernel()
def pack_bytes(bytes_by_eight: np.ndarray, packed: np.ndarray) -> None:
    """Gather each eight bytes of 0 or 1, read as one uint64, into one uint8, row by row.

    The inner loop vectorizes: it runs as fast as the bytes come from memory.
    """
    rows, columns = bytes_by_eight.shape
    for k in range(rows):
        for i in range(columns):
            packed[k, i] = np.uint8((bytes_by_eight[k, i] * GATHER) >> TOP_BYTE)


@kernel()
def pack_rows(mask: np.ndarray, bits: np.ndarray) -> None:
    """Set the bits of each row of a boolean mask (filters, size) of any size."""
    for k in range(mask.shape[0]):
        for i in range(mask.shape[1]):
            if mask[k, i]:
                bits[k, i // WORD] |= ONE << np.uint64(i % WORD)


@kernel()
def count_ones(word: np.uint64) -> int:
    """Set bits of one word."""
    word = word - ((word >> ONE) & np.uint64(0x5555555555555555))
    pairs = np.uint64(0x3333333333333333)
    word = (word & pairs) + ((word >> np.uint64(2)) & pairs)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> TOP_BYTE)


@kernel()
def slice_counts(bits: np.ndarray, slice_size: int, n: int) -> np.ndarray:
    """Non-zeros in each of n slices of `slice_size` weights of every filter, int64 (filters, n)."""
    filters, words = bits.shape
    result = np.zeros((filters, n), np.int64)
    for k in range(filters):
        for w in range(words):
            word = bits[k, w]
            while word:
                low = word & (~word + ONE)
                result[k, (w * WORD + count_ones(low - ONE)) // slice_size] += 1
                word ^= low
    return result


@kernel()
def list_ones(row: np.ndarray, start: int, stop: int, out: np.ndarray) -> int:
    """Write the positions of the set bits in [start, stop) to `out`, ascending; their number."""
    found = 0
    for w in range(start // WORD, (stop + WORD - 1) // WORD):
        word = row[w]
        if w * WORD < start:
            word &= ALL << np.uint64(start - w * WORD)
        if stop - w * WORD < WORD:
            word &= (ONE << np.uint64(stop - w * WORD)) - ONE
        while word:
            low = word & (~word + ONE)
            out[found] = w * WORD + count_ones(low - ONE)
            found += 1
            word ^= low
    return found


@kernel()
def list_filters(bits: np.ndarray, total: int) -> np.ndarray:
    """Positions of all non-zeros inside their filters, int32 (total,), filter after filter."""
    filters, words = bits.shape
    result = np.empty(total, np.int32)
    at = 0
    for k in range(filters):
        at += list_ones(bits[k], 0, words * WORD, result[at:])
    return result


@kernel()
def set_bits(bits: np.ndarray, counts: np.ndarray, indices: np.ndarray) -> None:
    """The inverse of `list_filters`: set each filter's `counts[k]` positions of `indices`."""
    at = 0
    for k in range(counts.size):
        for i in indices[at : at + counts[k]]:
            bits[k, i // WORD] |= ONE << np.uint64(i % WORD)
        at += counts[k]
