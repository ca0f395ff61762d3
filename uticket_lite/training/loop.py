"""Train one network for some epochs, and measure it on the test set."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from uticket_lite.training.datasets import Dataset
from uticket_lite.training.networks import prunable
from uticket_lite.training.pruning import mask_gradients

EVALUATION_BATCH = 500


def train(
    network: nn.Module,
    data: Dataset,
    masks: Mapping[str, Tensor],
    *,
    epochs: int,
    batch: int,
    learning_rate: float,
    generator: torch.Generator,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Train in place with the paper's optimizer; pruned weights stay zero.

    SGD with momentum 0.9, weight decay 5e-4, the learning rate falling as a cosine to 0 over
    the epochs. generator: draws the order of images. after_epoch: called with 1, 2, ….
    """
    layers = prunable(network)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=learning_rate, momentum=0.9, weight_decay=5e-4
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    network.train()
    for epoch in range(1, epochs + 1):
        for chosen in torch.randperm(len(data.train_images), generator=generator).split(batch):
            scores = network(data.train_images[chosen])
            loss = functional.cross_entropy(scores, data.train_labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            mask_gradients(layers, masks)
            optimizer.step()
        schedule.step()
        after_epoch(epoch)


@torch.no_grad()
def evaluate(network: nn.Module, data: Dataset) -> tuple[float, dict[str, float]]:
    """Accuracy on the test set, and for each prunable layer the fraction of zero inputs.

    A layer's inputs are spikes, except those of the first convolution, which sees pixels.
    """
    zeros: dict[str, int] = {}
    sizes: dict[str, int] = {}

    def count(name: str, inputs: Tensor) -> None:
        zeros[name] = zeros.get(name, 0) + int((inputs == 0).sum())
        sizes[name] = sizes.get(name, 0) + inputs.numel()

    with _watching(network, count):
        batches = data.test_images.split(EVALUATION_BATCH)
        guesses = torch.cat([network(images).argmax(1) for images in batches])
    accuracy = (guesses == data.test_labels).float().mean().item()
    return accuracy, {name: zeros[name] / sizes[name] for name in zeros}


@torch.no_grad()
def record_spikes(network: nn.Module, image: Tensor) -> dict[str, np.ndarray]:
    """The input spikes of every prunable layer but the first for one image (C, H, W).

    Layer name to uint8 (T, C, H, W), or (T, C) for a linear layer, for `simulate_spikes`.
    """
    spikes: dict[str, np.ndarray] = {}

    def keep(name: str, inputs: Tensor) -> None:
        spikes[name] = inputs.numpy().astype(np.uint8)

    with _watching(network, keep):
        network(image.unsqueeze(0))
    del spikes[next(iter(prunable(network)))]  # it sees pixels
    return spikes


@contextmanager
def _watching(network: nn.Module, look: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Evaluation mode in which `look` gets each prunable layer's name and input, (T·B, …)."""

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda module, inputs: look(name, inputs[0])

    training = network.training
    hooks = [
        layer.register_forward_pre_hook(watch(name)) for name, layer in prunable(network).items()
    ]
    network.eval()
    try:
        yield
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
