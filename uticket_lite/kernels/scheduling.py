"""Deal filters to PEs, and add up the loads.

Filters of several layers lie one after the other; `starts`, int64 (layers + 1,), says where
each layer begins. Waves are counted from 0 in every layer.
"""

import numpy as np

from uticket_lite.kernels.jit import kernel
from uticket_lite.kernels.sorting import order_of


@kernel()
def deal_in_turn(starts: np.ndarray, n: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Wave and PE of each filter, int64 (filters,) each: `each` filters per PE and wave."""
    wave = np.empty(starts[-1], np.int64)
    pe = np.empty(starts[-1], np.int64)
    for layer in range(starts.size - 1):
        g, j, held = 0, 0, 0
        for i in range(starts[layer], starts[layer + 1]):
            wave[i], pe[i] = g, j
            held += 1
            if held == each:
                held = 0
                j += 1
                if j == n:
                    j = 0
                    g += 1
    return wave, pe


@kernel()
def _replay(tree: np.ndarray, at: int, key: int) -> int:
    """Put a new key into a leaf of a tournament, and give the winner."""
    tree[at] = key
    while at > 1:
        key = min(key, tree[at ^ 1])
        at >>= 1
        tree[at] = key
    return key


@kernel()
def deal_to_first_free(
    counts: np.ndarray, starts: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each filter, in order, to the PE that frees first: list scheduling, one wave per layer.

    Of several free PEs, the one with the lowest number. Returns the PE of each filter, int64
    (filters,), and the loads that this gives, int64 (layers, n).

    A tournament finds the PE: leaves hold the time at which each PE frees and its number, in
    one integer, and every node the smaller of its two children. Its paths have one length and
    no branches, which processors like better than a heap's.
    """
    bits = 0
    while 1 << bits < n:
        bits += 1
    leaves = 1 << bits
    pe = np.empty(counts.size, np.int64)
    loads = np.empty((starts.size - 1, n), np.int64)
    tree = np.empty(2 * leaves, np.int64)
    for layer in range(starts.size - 1):
        tree[leaves:] = np.iinfo(np.int64).max
        for j in range(n):
            tree[leaves + j] = j
        for at in range(leaves - 1, 0, -1):
            tree[at] = min(tree[2 * at], tree[2 * at + 1])
        key = tree[1]  # from one filter to the next in a register: memory would answer later
        for i in range(starts[layer], starts[layer + 1]):
            pe[i] = key & (leaves - 1)
            key = _replay(tree, leaves + pe[i], key + (counts[i] << bits))
        for j in range(n):
            loads[layer, j] = tree[leaves + j] >> bits
    return pe, loads


@kernel()
def last_to_end(counts: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    """The largest load of each layer, int64 (layers,), that `deal_to_first_free` gives.

    Which PE gets which filter does not matter here, so that the first n filters are dealt at
    once, and the tournament begins with the next.
    """
    bits = 0
    while 1 << bits < n:
        bits += 1
    leaves = 1 << bits
    largest = np.zeros(starts.size - 1, np.int64)
    tree = np.empty(2 * leaves, np.int64)
    for layer in range(starts.size - 1):
        first, last = starts[layer], starts[layer + 1]
        dealt = min(n, last - first)
        tree[leaves:] = np.iinfo(np.int64).max
        for j in range(dealt):
            tree[leaves + j] = (counts[first + j] << bits) + j
        if first + n < last:
            for at in range(leaves - 1, 0, -1):
                tree[at] = min(tree[2 * at], tree[2 * at + 1])
            key = tree[1]
            for i in range(first + n, last):
                key = _replay(tree, leaves + (key & (leaves - 1)), key + (counts[i] << bits))
        for j in range(dealt):
            largest[layer] = max(largest[layer], tree[leaves + j] >> bits)
    return largest


@kernel()
def add_up(
    counts: np.ndarray, starts: np.ndarray, wave: np.ndarray, pe: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Loads, int64 (waves of all layers, n), and where each layer's waves begin (layers + 1,)."""
    wave_starts = np.zeros(starts.size, np.int64)
    for layer in range(starts.size - 1):
        waves = 0
        for i in range(starts[layer], starts[layer + 1]):
            waves = max(waves, wave[i] + 1)
        wave_starts[layer + 1] = wave_starts[layer] + waves
    loads = np.zeros((wave_starts[-1], n), np.int64)
    for layer in range(starts.size - 1):
        for i in range(starts[layer], starts[layer + 1]):
            loads[wave_starts[layer] + wave[i], pe[i]] += counts[i]
    return loads, wave_starts


@kernel()
def _two_widest(sums: np.ndarray) -> tuple[int, int]:
    """The partings whose first sum is the most negative and the next one; the first of equals."""
    a = b = -1
    for i in range(sums.shape[0]):
        if sums[i, 0] <= 0:
            if a < 0 or sums[i, 0] < sums[a, 0]:
                a, b = i, a
            elif b < 0 or sums[i, 0] < sums[b, 0]:
                b = i
    return a, b


@kernel()
def deal_by_differencing(counts: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    """The PE of each filter, int64 (filters,), by Karmarkar and Karp's differencing for n PEs.

    Every filter begins as a parting of its own: its count on one PE, nothing on the others. The
    two partings whose PEs differ most are joined, largest sum with smallest, until one is left.
    """
    pe = np.zeros(counts.size, np.int64)
    behind = np.empty(counts.size, np.int64)  # the next filter of the same PE
    for i in range(counts.size):
        behind[i] = -1
    for layer in range(starts.size - 1):
        first, last = starts[layer], starts[layer + 1]
        size = last - first
        if size <= n:
            for i in range(size):
                pe[first + i] = i
            continue
        # Sums are kept negative: ascending in each parting, as `order_of` sorts.
        sums = np.zeros((size, n), np.int64)
        head, tail = np.empty((size, n), np.int64), np.empty((size, n), np.int64)
        for i in range(size):
            sums[i, 0] = -counts[first + i]
            for j in range(n):
                head[i, j] = tail[i, j] = -1
            head[i, 0] = tail[i, 0] = first + i
        joined = np.empty(n, np.int64)
        heads, tails = np.empty(n, np.int64), np.empty(n, np.int64)
        a = 0
        for _ in range(size - 1):
            a, b = _two_widest(sums)
            for j in range(n):
                k = n - 1 - j
                joined[j] = sums[a, j] + sums[b, k]
                heads[j], tails[j] = head[a, j], tail[a, j]
                if head[a, j] < 0:
                    heads[j], tails[j] = head[b, k], tail[b, k]
                elif head[b, k] >= 0:
                    behind[tail[a, j]] = head[b, k]
                    tails[j] = tail[b, k]
            order = order_of(joined)
            for j in range(n):
                sums[a, j] = joined[order[j]] - joined[order[n - 1]]
                head[a, j], tail[a, j] = heads[order[j]], tails[order[j]]
            sums[b, 0] = 1  # joined into a
        for j in range(n):
            i = head[a, j]
            while i >= 0:
                pe[i] = j
                i = behind[i]
    return pe
