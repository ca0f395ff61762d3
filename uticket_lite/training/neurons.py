"""Leaky integrate-and-fire neurons: what `snntorch.Leaky` computes, all timesteps at once."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from uticket_lite.errors import one_of
from uticket_lite.kernels import lif
from uticket_lite.kernels.jit import PARALLEL_LOCK

RESETS = {"zero": lif.ZERO, "subtract": lif.SUBTRACT, "none": lif.NONE}


class FusedLeaky(nn.Module):
    """A layer of leaky integrate-and-fire neurons over all timesteps: x (T, B, …) → spikes.

    It equals stepping `snntorch.Leaky(beta, threshold, reset_mechanism=…)` with its arctan
    surrogate through the timesteps: mem[t] = beta·mem[t−1] + x[t]; a spike where
    mem[t] > threshold. With `reset_mechanism="zero"` (default, the paper) the membrane of a
    neuron that spiked at t−1 is set to 0 *before* x[t] is added; `"subtract"` lowers it by
    the threshold; `"none"` leaves it. No gradient flows through the reset.

    beta: share of the membrane kept from step to step; default 0.25, the paper's τ = 4/3.
    Raises ValueError for another reset mechanism, TypeError for input that is not float32.
    """

    def __init__(
        self, beta: float = 0.25, threshold: float = 1.0, reset_mechanism: str = "zero"
    ) -> None:
        super().__init__()
        self.beta, self.threshold = float(beta), float(threshold)
        self.reset_mechanism = one_of("reset_mechanism", reset_mechanism, RESETS)

    def forward(self, x: Tensor) -> Tensor:
        """Spikes (0 or 1), of the shape of x (T, B, …)."""
        if x.dtype != torch.float32:
            raise TypeError(f"FusedLeaky works on float32 input, not {x.dtype}; convert it first")
        return _Fused.apply(x, self.beta, self.threshold, RESETS[self.reset_mechanism])

    def extra_repr(self) -> str:
        """Shown by `print(network)`."""
        return f"beta={self.beta}, threshold={self.threshold}, reset={self.reset_mechanism!r}"


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float, threshold: float, reset: int) -> Tensor:
        flat = x.detach().contiguous().view(x.shape[0], -1).numpy()
        constants = np.float32(beta), np.float32(threshold), reset
        with PARALLEL_LOCK:
            spikes, membranes = lif.lif_forward(flat, *constants)
        ctx.membranes, ctx.constants = membranes, constants
        return torch.from_numpy(spikes).view(x.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (grad,) = grads
        flat = grad.contiguous().view(grad.shape[0], -1).numpy()
        with PARALLEL_LOCK:
            result = lif.lif_backward(flat, ctx.membranes, *ctx.constants)
        return torch.from_numpy(result).view(grad.shape), None, None, None
