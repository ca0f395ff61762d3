"""All timesteps of a layer of leaky integrate-and-fire neurons in one pass, and its gradient.

Arrays are float32 (T, N), neurons flattened. Neurons are worked on in blocks that stay in the
cache over all timesteps. The innermost loops run over neurons and vectorize: the kinds of reset
are numbers in one formula, not branches, and divisions are not checked for zero.
"""

from typing import NamedTuple

import numba
import numpy as np

from uticket_lite.kernels.jit import kernel

BLOCK = 16384
"""Neurons × timesteps of a block: 64 KiB an array, so that its arrays fit a core's L2 cache."""
NARROWEST = 64
"""Neurons of a block at least, however many timesteps there are."""


class Neuron(NamedTuple):
    """The constants of a layer's neurons, each an np.float32.

    mem[t] = beta·(1 − wipe·S[t−1])·mem[t−1] + x[t] − lower·S[t−1], where the spike S is 1 where
    mem − threshold > 0, else 0. Its gradient by mem is the surrogate
    height/(1 + (slope·(mem − threshold))²). through: 1 if gradients flow through the reset, the
    two S[t−1] above, else 0.
    """

    beta: np.float32
    threshold: np.float32
    wipe: np.float32
    lower: np.float32
    height: np.float32
    slope: np.float32
    through: np.float32


@kernel(error_model="numpy")
def step(
    before: np.ndarray, x: np.ndarray, neuron: Neuron, after: np.ndarray, spikes: np.ndarray
) -> None:
    """Fill after and spikes, one timestep on from the membranes before; all (neurons,)."""
    one, zero = np.float32(1), np.float32(0)
    for i in range(x.size):
        reset = one if before[i] - neuron.threshold > zero else zero
        kept = neuron.beta * ((one - neuron.wipe * reset) * before[i])
        after[i] = kept + x[i] - neuron.lower * reset
        spikes[i] = one if after[i] - neuron.threshold > zero else zero


@kernel(error_model="numpy")
def step_back(
    later: np.ndarray, by_spikes: np.ndarray, mem: np.ndarray, neuron: Neuron, earlier: np.ndarray
) -> None:
    """Fill earlier, the gradient by the membranes mem, from later, that one timestep on."""
    one, zero = np.float32(1), np.float32(0)
    for i in range(mem.size):
        over = mem[i] - neuron.threshold
        reset = one if over > zero else zero
        kept = neuron.beta * later[i]
        by_reset = neuron.wipe * mem[i] * kept + neuron.lower * later[i]
        scaled = neuron.slope * over
        surrogate = neuron.height / (one + scaled * scaled)
        by_spike = by_spikes[i] - neuron.through * by_reset
        earlier[i] = surrogate * by_spike + (one - neuron.wipe * reset) * kept


@kernel()
def add(values: np.ndarray, to: np.ndarray) -> None:
    """Add values to another array, both (neurons,)."""
    for i in range(to.size):
        to[i] += values[i]


@kernel(error_model="numpy", parallel=True)
def lif_forward(x: np.ndarray, neuron: Neuron, spikes: np.ndarray, membranes: np.ndarray) -> None:
    """Fill spikes (T, N), and membranes (T, N) unless it is (0, N).

    x: currents (T, N), or (1, N) if they are the same at every timestep.
    """
    steps, n = spikes.shape
    size = max(NARROWEST, BLOCK // steps)
    for block in numba.prange((n + size - 1) // size):
        first, last = block * size, min(n, block * size + size)
        inner = np.zeros((steps + 1, last - first), np.float32)
        before = inner[0]
        for t in range(steps):
            after = membranes[t, first:last] if membranes.shape[0] > 0 else inner[t + 1]
            step(
                before, x[min(t, x.shape[0] - 1), first:last], neuron, after, spikes[t, first:last]
            )
            before = after


@kernel(error_model="numpy", parallel=True)
def lif_backward(
    by_spikes: np.ndarray, by_membranes: np.ndarray, x: np.ndarray, neuron: Neuron, by_x: np.ndarray
) -> None:
    """Fill by_x (T, N) with the gradient by the currents; or add its sum over time to (1, N).

    by_spikes: gradient by the spikes (T, N). by_membranes: by the membranes (T, N), or (0, N)
    for none. x: as in `lif_forward`; the membranes are computed again from it, which takes no
    longer than to write them there and read them here.
    """
    steps, n = by_spikes.shape
    size = max(NARROWEST, BLOCK // steps)
    summed = by_x.shape[0] < steps
    for block in numba.prange((n + size - 1) // size):
        first, last = block * size, min(n, block * size + size)
        inner = np.zeros((steps + 1, last - first), np.float32)
        spikes = np.empty(last - first, np.float32)
        for t in range(steps):
            step(inner[t], x[min(t, x.shape[0] - 1), first:last], neuron, inner[t + 1], spikes)
        gradient = np.zeros((steps + 1 if summed else 1, last - first), np.float32)
        later = gradient[0]
        for t in range(steps - 1, -1, -1):
            earlier = gradient[t + 1] if summed else by_x[t, first:last]
            step_back(later, by_spikes[t, first:last], inner[t + 1], neuron, earlier)
            if by_membranes.shape[0] > 0:
                add(by_membranes[t, first:last], earlier)
            if summed:
                add(earlier, by_x[0, first:last])
            later = earlier
