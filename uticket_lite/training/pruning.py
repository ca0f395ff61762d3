"""Masks of a network's weights: prune by magnitude, apply, keep pruned weights at zero."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from uticket_lite.edge.checks import one_of

Masks = dict[str, Tensor]
"""Layer name to a boolean mask of the weight's shape, on the CPU."""

SCOPES = {
    "global": "the smallest weights of all layers together (the paper)",
    "layer": "the same share of every layer",
    "lamp": "over all layers, |w|² as a share of what is left of the layer from it on (LAMP)",
}


def prune_smallest(
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    fraction: float,
    scope: str = "global",
) -> Masks:
    """Prune exactly k = ⌊fraction·alive⌋ of the alive weights, those with the smallest |w|.

    scope: over all layers together (`global`), in every layer (`layer`), or over all layers by
    the score of Lee et al. 2021 (arXiv 2010.07611, `lamp`), which never empties a layer. Returns
    new masks; of equal weights the first are pruned, so that the result is exact and reproducible.
    """
    if one_of("scope", scope, SCOPES) == "layer":
        return {
            name: prune_smallest({name: weights[name]}, {name: mask}, fraction)[name]
            for name, mask in masks.items()
        }
    alive = {name: mask.flatten().nonzero()[:, 0] for name, mask in masks.items()}
    by_layer = [weights[n].detach().cpu().flatten()[alive[n]].abs() for n in masks]
    scores = torch.cat([_lamp(s) for s in by_layer] if scope == "lamp" else by_layer)
    keep = torch.ones(scores.numel(), dtype=torch.bool)
    keep[scores.argsort(stable=True)[: int(fraction * scores.numel())]] = False
    kept = keep.split([len(where) for where in alive.values()])
    pruned: Masks = {}
    for (name, mask), survivors in zip(masks.items(), kept, strict=True):
        flat = torch.zeros(mask.numel(), dtype=torch.bool)
        flat[alive[name][survivors]] = True
        pruned[name] = flat.view(mask.shape)
    return pruned


def _lamp(magnitudes: Tensor) -> Tensor:
    """|w|² / Σ |v|² over all v of the layer that are not smaller, of magnitudes (alive,)."""
    order = magnitudes.argsort(stable=True)
    squares = magnitudes[order].double() ** 2
    left = squares.flip(0).cumsum(0).flip(0)
    scores = torch.empty_like(squares)
    scores[order] = squares / left.clamp_min(torch.finfo(torch.double).tiny)
    return scores


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
