"""Masks of a network's weights: prune by magnitude, apply, keep pruned weights at zero."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from uticket_lite.errors import one_of

Masks = dict[str, Tensor]
"""Layer name to a boolean mask of the weight's shape, on the CPU."""

SCOPES = {
    "global": "the smallest weights of all layers together (the paper)",
    "layer": "the same share of every layer",
}


def prune_smallest(
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    fraction: float,
    scope: str = "global",
) -> Masks:
    """Prune exactly k = ⌊fraction·alive⌋ of the alive weights, those with the smallest |w|.

    scope: over all layers together (`global`) or in every layer (`layer`). Returns new masks;
    of equal weights the first are pruned, so that the result is exact and reproducible.
    """
    if one_of("scope", scope, SCOPES) == "layer":
        return {
            name: prune_smallest({name: weights[name]}, {name: mask}, fraction)[name]
            for name, mask in masks.items()
        }
    alive = {name: mask.flatten().nonzero()[:, 0] for name, mask in masks.items()}
    scores = torch.cat([weights[n].detach().cpu().flatten()[alive[n]].abs() for n in masks])
    keep = torch.ones(scores.numel(), dtype=torch.bool)
    keep[scores.argsort(stable=True)[: int(fraction * scores.numel())]] = False
    kept = keep.split([len(where) for where in alive.values()])
    pruned: Masks = {}
    for (name, mask), survivors in zip(masks.items(), kept, strict=True):
        flat = torch.zeros(mask.numel(), dtype=torch.bool)
        flat[alive[name][survivors]] = True
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
