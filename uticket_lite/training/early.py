"""Early-time tickets: search with fewer timesteps where the network already says the same."""

import torch
from torch import Tensor
from torch.nn import functional

from uticket_lite.training.networks import SpikingNetwork


@torch.no_grad()
def divergence_by_timestep(network: SpikingNetwork, images: Tensor) -> list[float]:
    """KL divergence of the prediction after T timesteps from the one after t = 1 … T.

    Mean over the images (prepared, (B, C, H, W)) of KL(p_T ‖ p_t), in nats; the last is 0.
    p_t is the softmax of the mean score over the first t timesteps.
    """
    training = network.training
    network.eval()
    scores = network.scores(images)
    network.train(training)
    steps = torch.arange(1, len(scores) + 1, device=scores.device).view(-1, 1, 1)
    logs = functional.log_softmax(scores.cumsum(0) / steps, dim=-1)
    last = logs[-1].expand_as(logs)
    by_image = functional.kl_div(logs, last, log_target=True, reduction="none").sum(-1)
    return by_image.mean(1).tolist()


def early_timesteps(network: SpikingNetwork, images: Tensor, threshold: float) -> int:
    """The fewest timesteps whose prediction diverges by less than `threshold` (nats)."""
    divergences = divergence_by_timestep(network, images)
    return next(t for t, kl in enumerate(divergences, 1) if kl < threshold or t == len(divergences))
