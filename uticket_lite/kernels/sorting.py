"""Sorting. Numba brings it too, but takes as long to compile it as all other kernels together."""

import numpy as np

from uticket_lite.kernels.jit import kernel


@kernel()
def order_of(values: np.ndarray) -> np.ndarray:
    """The indices that sort `values`, ascending, int64; equal ones stay in their order.

    A merge sort, bottom-up.
    """
    size = values.size
    order, merged = np.empty(size, np.int64), np.empty(size, np.int64)
    for i in range(size):
        order[i] = i
    width = 1
    while width < size:
        for start in range(0, size, 2 * width):
            middle, stop = min(start + width, size), min(start + 2 * width, size)
            left, right = start, middle
            for k in range(start, stop):
                first = right >= stop
                if left < middle and not first:
                    first = values[order[left]] <= values[order[right]]
                if first:
                    merged[k] = order[left]
                    left += 1
                else:
                    merged[k] = order[right]
                    right += 1
        order, merged = merged, order
        width *= 2
    return order
