"""Leaky integrate-and-fire neurons: what `snntorch.Leaky` computes, all timesteps at once."""

import math
from functools import cache
from typing import Any

import numba
import numpy as np
import torch
from snntorch.surrogate import atan
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from uticket_lite.edge.checks import one_of, whole_number
from uticket_lite.kernels import lif
from uticket_lite.kernels.jit import PARALLEL_LOCK

RESETS = ("zero", "subtract", "none")


class FusedLeaky(nn.Module):
    """A layer of leaky integrate-and-fire neurons over all timesteps: x (T, B, …) → spikes.

    It equals stepping `snntorch.Leaky(beta, threshold, reset_mechanism=…)` through the
    timesteps, spikes and membranes bit for bit. From mem = 0, mem[t] = beta·mem[t−1] + x[t],
    and a spike where mem[t] − threshold > 0. Its reset shows one timestep later, and is the one
    that snnTorch 1.0 computes, not the one that its docstring states:

    - `"zero"`: where t−1 spiked, mem[t−1] is set to 0 *before* x[t] is added: mem[t] = x[t].
      (The docstring's would lose x[t] too.)
    - `"subtract"`: where t−1 spiked, mem[t] is lowered by the threshold.
    - `"none"`: no reset.

    The gradient of a spike by its membrane is the arctan surrogate,
    (alpha/2) / (1 + (π/2·alpha·(mem − threshold))²).

    beta: share of the membrane kept per timestep, clipped to [0, 1] as in snnTorch; default
    0.25, the paper's τ = 4/3. threshold, reset_mechanism: the paper's by default (snnTorch's
    reset is `"subtract"`). detach_reset: True, as in snnTorch and the paper, lets no gradient
    flow through the reset. alpha: steepness of the surrogate; snnTorch's by default.
    Raises ValueError for another reset mechanism.

    float32 on the CPU runs in a compiled kernel; other types and devices run the same as torch
    operations, timestep by timestep, as does `torch.export`; `torch.compile` leaves the kernel as
    it is and compiles around it. Half precision is added up as snnTorch does: in float32
    with a reset, in its own type without; within `torch.autocast` always in float32.
    """

    def __init__(
        self,
        beta: float = 0.25,
        threshold: float = 1.0,
        reset_mechanism: str = "zero",
        *,
        detach_reset: bool = True,
        alpha: float = 2.0,
    ) -> None:
        super().__init__()
        self.beta, self.threshold, self.alpha = float(beta), float(threshold), float(alpha)
        self.reset_mechanism = one_of("reset_mechanism", reset_mechanism, RESETS)
        self.detach_reset = detach_reset

    def forward(self, x: Tensor, timesteps: int | None = None) -> Tensor:
        """Spikes (0 or 1), of the shape and type of the currents x (T, B, …).

        timesteps: T of currents x (B, …) that are the same at every timestep, as direct
        encoding makes them; spikes are (T, B, …), and neither x nor its gradient is repeated.
        Raises TypeError for currents that are no floats, ValueError if there is no timestep.
        """
        return self._run(x, timesteps, False)[0]

    def with_membranes(self, x: Tensor, timesteps: int | None = None) -> tuple[Tensor, Tensor]:
        """As `forward`, with the membranes too, in the same shape; gradients flow through both."""
        return self._run(x, timesteps, True)

    def extra_repr(self) -> str:
        """Shown by `print(network)`."""
        names = ("beta", "threshold", "reset_mechanism", "detach_reset", "alpha")
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in names)

    def _run(self, x: Tensor, timesteps: int | None, keep: bool) -> tuple[Tensor, Tensor]:
        if not x.is_floating_point():
            raise TypeError(f"FusedLeaky needs currents that are floats, not {x.dtype}")
        if timesteps is not None:
            x = x.unsqueeze(0)
        elif x.dim() > 0:
            timesteps = len(x)
        else:
            raise ValueError("x has no dimensions; its first must be time")
        whole_number("timesteps", timesteps)
        if torch.is_autocast_enabled(x.device.type):
            x = x.float()
        # Neurons in the order in which memory holds them: channels-last stays so, uncopied.
        order = [0, *sorted(range(1, x.dim()), key=x.stride, reverse=True)]
        back = [order.index(i) for i in range(x.dim())]
        x = x.permute(order)
        exporting = torch.compiler.is_exporting()
        if x.dtype == torch.float32 and x.device.type == "cpu" and not exporting:
            spikes, membranes = _compiled_kernel(x, timesteps, self._constants(), keep)
        else:
            spikes, membranes = self._step(x, timesteps, keep)
        return spikes.permute(back), membranes.permute(back)

    def _constants(self) -> lif.Neuron:
        beta = min(max(self.beta, 0.0), 1.0)
        wipe = self.reset_mechanism == "zero"
        lower = self.threshold if self.reset_mechanism == "subtract" else 0
        height, slope = self.alpha / 2, math.pi / 2 * self.alpha
        through = not self.detach_reset
        values = (beta, self.threshold, wipe, lower, height, slope, through)
        return lif.Neuron(*map(np.float32, values))

    def _step(self, x: Tensor, timesteps: int, keep: bool) -> tuple[Tensor, Tensor]:
        """As snnTorch runs, in torch operations; x (T, B, …) or (1, B, …)."""
        # Its constants are tensors of float32, which numbers would not equal in half precision.
        constants = self._constants()[:2]
        beta, threshold = (x.new_full((), float(c), dtype=torch.float32) for c in constants)
        currents = x.unbind() if len(x) == timesteps else x.unbind() * timesteps
        fire = atan(self.alpha)
        membrane = torch.zeros_like(currents[0])
        spike = fire(membrane - threshold)
        spikes, membranes = [], []
        for current in currents:
            reset = spike.detach() if self.detach_reset else spike
            if self.reset_mechanism == "zero":
                membrane = (1 - reset) * membrane
            membrane = beta * membrane + current
            if self.reset_mechanism == "subtract":
                membrane = membrane - reset * threshold
            spike = fire(membrane - threshold)
            spikes.append(spike)
            membranes.append(membrane)
        return torch.stack(spikes).to(x.dtype), torch.stack(membranes) if keep else x[:0]


@cache
def _start_threads() -> None:
    """Start Numba's threads, and leave torch as many as it had.

    Both may share one OpenMP runtime, whose number of threads Numba sets to its own when it
    starts: torch would compute with another number from then on, and get other results.
    """
    before = torch.get_num_threads()
    numba.get_num_threads()
    torch.set_num_threads(before)


@torch.compiler.disable
def _compiled_kernel(
    x: Tensor, timesteps: int, neuron: lif.Neuron, keep: bool
) -> tuple[Tensor, Tensor]:
    """`_Fused`, into which torch's own compiler does not look."""
    _start_threads()
    return _Fused.apply(x, timesteps, neuron, keep)


class _Fused(torch.autograd.Function):
    """The kernels; x float32 (T, B, …), or (1, B, …) if it is the same at every timestep."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, timesteps: int, neuron: lif.Neuron, keep: bool
    ) -> tuple[Tensor, Tensor]:
        spikes = x.new_empty(timesteps, *x.shape[1:])
        membranes = x.new_empty(timesteps if keep else 0, *x.shape[1:])
        with PARALLEL_LOCK:
            lif.lif_forward(_currents(x), neuron, _rows(spikes), _rows(membranes))
        ctx.save_for_backward(x)
        ctx.neuron = neuron
        return spikes, membranes

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, by_spikes: Tensor, by_membranes: Tensor
    ) -> tuple[Tensor, None, None, None]:
        (x,) = ctx.saved_tensors
        # One row takes the sum over time.
        by_x = x.new_zeros(x.shape) if len(x) == 1 else x.new_empty(x.shape)
        with PARALLEL_LOCK:
            lif.lif_backward(
                _rows(by_spikes), _rows(by_membranes), _currents(x), ctx.neuron, _rows(by_x)
            )
        return by_x, None, None, None


def _rows(x: Tensor) -> np.ndarray:
    """(T, …) as an array (T, N), contiguous, so that one compiled kernel takes all; of the same
    memory if it was."""
    return x.detach().reshape(len(x), math.prod(x.shape[1:])).contiguous().numpy()


def _currents(x: Tensor) -> np.ndarray:
    """(T, …) as an array (T, N), or (1, N) if memory holds one timestep, seen T times."""
    return _rows(x[:1] if x.stride(0) == 0 else x)
