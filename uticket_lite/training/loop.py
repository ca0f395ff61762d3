"""Train one network for some epochs, and measure it on the test set."""

from collections.abc import Callable, Mapping

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

    def count(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            zeros[name] = zeros.get(name, 0) + int((inputs[0] == 0).sum())
            sizes[name] = sizes.get(name, 0) + inputs[0].numel()

        return hook

    hooks = [
        layer.register_forward_pre_hook(count(name)) for name, layer in prunable(network).items()
    ]
    network.eval()
    try:
        batches = data.test_images.split(EVALUATION_BATCH)
        guesses = torch.cat([network(images).argmax(1) for images in batches])
    finally:
        for hook in hooks:
            hook.remove()
    accuracy = (guesses == data.test_labels).float().mean().item()
    return accuracy, {name: zeros[name] / sizes[name] for name in zeros}
