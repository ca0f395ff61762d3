"""Count non-zeros: per filter, and per slice of a filter's input channels."""

import numpy as np

from uticket_lite.kernels.jit import kernel


@kernel()
def filter_nonzeros(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each filter's non-zeros are.

    mask: bool (filters, weights per filter), C-contiguous.
    Returns counts, int32 (filters,), and indices, int32 (non-zeros,): the positions inside
    each filter, ascending, one filter after the other.
    """
    n_filters, size = mask.shape
    counts = np.empty(n_filters, np.int32)
    total = 0
    for k in range(n_filters):
        count = 0
        for i in range(size):
            count += mask[k, i]
        counts[k] = count
        total += count
    indices = np.empty(total, np.int32)
    at = 0
    for k in range(n_filters):
        if counts[k] == 0:
            continue
        for i in range(size):
            if mask[k, i]:
                indices[at] = i
                at += 1
    return counts, indices


@kernel()
def slice_counts(counts: np.ndarray, indices: np.ndarray, slice_size: int, n: int) -> np.ndarray:
    """Non-zeros in each of the n slices of every filter, int64 (filters, n).

    counts, indices: as `filter_nonzeros` returns them. slice_size: weights in one slice.
    """
    result = np.zeros((counts.size, n), np.int64)
    at = 0
    for k in range(counts.size):
        for _ in range(counts[k]):
            result[k, indices[at] // slice_size] += 1
            at += 1
    return result
