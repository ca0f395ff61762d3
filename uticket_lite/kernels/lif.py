"""All timesteps of a layer of leaky integrate-and-fire neurons in one pass, and its gradient.

Arrays are float32 (T, N), neurons flattened. Neurons are worked on in blocks that stay in
the cache over all timesteps; the innermost loop runs over neurons and vectorizes.
"""

import numba
import numpy as np

from uticket_lite.kernels.jit import kernel

BLOCK = 2048
ZERO, SUBTRACT, NONE = 0, 1, 2  # reset mechanisms


@kernel(parallel=True)
def lif_forward(
    x: np.ndarray, beta: np.float32, threshold: np.float32, reset: int
) -> tuple[np.ndarray, np.ndarray]:
    """Spikes and membranes, float32 (T, N) each, from input currents x.

    mem[t] = beta·mem[t−1] + x[t] with mem[t−1] set to 0 (ZERO) or mem[t] lowered by the
    threshold (SUBTRACT) where t−1 spiked; spike where mem[t] − threshold > 0.
    """
    steps, n = x.shape
    spikes = np.empty_like(x)
    membranes = np.empty_like(x)
    one, zero = np.float32(1), np.float32(0)
    for block in numba.prange((n + BLOCK - 1) // BLOCK):
        first, last = block * BLOCK, min(n, block * BLOCK + BLOCK)
        for t in range(steps):
            for i in range(first, last):
                if t == 0:
                    mem = x[t, i]
                elif reset == ZERO:
                    mem = beta * (membranes[t - 1, i] * (one - spikes[t - 1, i])) + x[t, i]
                elif reset == SUBTRACT:
                    mem = beta * membranes[t - 1, i] + x[t, i] - spikes[t - 1, i] * threshold
                else:
                    mem = beta * membranes[t - 1, i] + x[t, i]
                membranes[t, i] = mem
                spikes[t, i] = one if mem - threshold > zero else zero
    return spikes, membranes


@kernel(parallel=True)
def lif_backward(
    grad: np.ndarray, membranes: np.ndarray, beta: np.float32, threshold: np.float32, reset: int
) -> np.ndarray:
    """Gradient by the input currents, float32 (T, N), from the gradient by the spikes.

    Arctan surrogate, dS/dmem = 1/(1 + (π(mem − threshold))²); the reset is detached.
    """
    steps, n = grad.shape
    result = np.empty_like(grad)
    one, zero, pi = np.float32(1), np.float32(0), np.float32(np.pi)
    for block in numba.prange((n + BLOCK - 1) // BLOCK):
        first, last = block * BLOCK, min(n, block * BLOCK + BLOCK)
        for back in range(steps):
            t = steps - 1 - back
            for i in range(first, last):
                over = membranes[t, i] - threshold
                slope = pi * over
                by_mem = grad[t, i] / (one + slope * slope)
                if t < steps - 1 and not (reset == ZERO and over > zero):
                    by_mem += beta * result[t + 1, i]
                result[t, i] = by_mem
    return result
