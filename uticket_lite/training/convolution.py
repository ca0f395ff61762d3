"""3×3 convolutions that learn quickly where few positions are left.

oneDNN, with which PyTorch convolves on processors, takes several times as long for the gradient
by the weights of wide layers on 4×4 positions or fewer as for the convolution itself, nearly half
of all time that VGG-16 trains on small images (`python -m benchmarks training`). There the
gradient is taken tap by tap instead: each of the nine is one product of two matrices, over those
positions only that the tap sees.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.grad import conv2d_input

SIDE, WIDE = 4, 128
"""Positions on a side up to which, and channels and filters from which on, taps are quicker."""


class Conv3x3(nn.Conv2d):
    """`nn.Conv2d` with 3×3 weights, padding 1, and no bias; the same but for rounding."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__(channels, filters, 3, padding=1, bias=False)
        self._wide = min(channels, filters) >= WIDE

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) → (B, filters, H, W)."""
        taps = (
            self._wide
            and x.dim() == 4
            and max(x.shape[2:]) <= SIDE
            and x.device.type == "cpu"
            and x.dtype == self.weight.dtype == torch.float32
            and self.weight.requires_grad
            and torch.is_grad_enabled()
            and not torch.is_autocast_enabled("cpu")
            and not torch.compiler.is_compiling()
        )
        return _ByTaps.apply(x, self.weight) if taps else super().forward(x)


class _ByTaps(torch.autograd.Function):
    """The convolution, with the gradient by its weights tap by tap."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_output: Tensor) -> tuple[Tensor | None, Tensor]:
        x, weight = ctx.saved_tensors
        by_x = None
        if ctx.needs_input_grad[0]:
            by_x = conv2d_input(x.shape, weight, by_output, padding=1)
        return by_x, _by_weight(x, by_output)


def _by_weight(x: Tensor, by_output: Tensor) -> Tensor:
    """Gradient by the weights (K, C, 3, 3) from inputs (B, C, H, W) and outputs' (B, K, H, W)."""
    _, channels, height, width = x.shape
    filters = by_output.shape[1]
    x, by_output = x.permute(0, 2, 3, 1), by_output.permute(0, 2, 3, 1)
    taps = x.new_zeros(filters, 3, 3, channels)
    for i in range(3):
        rows_out, rows_in = _seen(height, i - 1)
        for j in range(3):
            columns_out, columns_in = _seen(width, j - 1)
            outputs = by_output[:, rows_out, columns_out].reshape(-1, filters)
            taps[:, i, j] = outputs.T @ x[:, rows_in, columns_in].reshape(-1, channels)
    return taps.permute(0, 3, 1, 2)


def _seen(side: int, offset: int) -> tuple[slice, slice]:
    """Positions of outputs, and of the inputs that lie `offset` further, inside the image."""
    outputs = slice(max(0, -offset), side - max(0, offset))
    return outputs, slice(outputs.start + offset, outputs.stop + offset)
