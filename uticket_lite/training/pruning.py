"""Masks of a network's weights: prune by magnitude, apply, keep pruned weights at zero."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

Masks = dict[str, Tensor]
"""Layer name to a boolean mask of the weight's shape."""


def prune_smallest(
    weights: Mapping[str, Tensor], masks: Mapping[str, Tensor], fraction: float
) -> Masks:
    """Prune exactly k = ⌊fraction·alive⌋ of the alive weights: the smallest |w| of all layers.

    Returns new masks; ties are broken by position, so that the result is reproducible.
    """
    alive = {name: mask.flatten().nonzero()[:, 0] for name, mask in masks.items()}
    scores = torch.cat([weights[name].detach().flatten()[alive[name]].abs() for name in masks])
    k = int(fraction * scores.numel())
    keep = torch.ones(scores.numel(), dtype=torch.bool)
    keep[torch.from_numpy(np.argsort(scores.cpu().numpy(), kind="stable")[:k].copy())] = False
    pruned: Masks = {}
    for (name, mask), kept in zip(
        masks.items(), keep.split([len(where) for where in alive.values()]), strict=True
    ):
        flat = torch.zeros(mask.numel(), dtype=torch.bool)
        flat[alive[name][kept]] = True
        pruned[name] = flat.view(mask.shape)
    return pruned


def apply_masks(layers: Mapping[str, nn.Module], masks: Mapping[str, Tensor]) -> None:
    """Set pruned weights to zero, in place."""
    with torch.no_grad():
        for name, mask in masks.items():
            layers[name].weight.mul_(mask)  # type: ignore[operator]


def mask_gradients(layers: Mapping[str, nn.Module], masks: Mapping[str, Tensor]) -> None:
    """Zero the gradients of pruned weights, in place, before the optimizer's step.

    With weight and gradient zero, momentum and weight decay are too: pruned weights stay
    exactly zero.
    """
    for name, mask in masks.items():
        grad = layers[name].weight.grad
        if isinstance(grad, Tensor):
            grad.mul_(mask)
