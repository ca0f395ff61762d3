"""Train a network for an epoch, and measure it on the test set."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from uticket_lite.training.datasets import Dataset
from uticket_lite.training.networks import SpikingNetwork, prunable
from uticket_lite.training.pruning import mask_gradients

EVALUATION_BATCH = 250

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}
"""Precision's name to the type that convolutions and linear layers compute in under autocast."""


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean-score": lambda scores, labels: functional.cross_entropy(scores.mean(0), labels),
    "each-timestep": lambda scores, labels: functional.cross_entropy(
        scores.flatten(0, 1), labels.repeat(len(scores))
    ),
}
"""Loss's name to its function of scores (T, B, classes) and labels (B,): the cross-entropy of the
mean score, or the mean of every timestep's cross-entropy (the released code's)."""


def make_optimizer(network: nn.Module) -> torch.optim.SGD:
    """The paper's: SGD with momentum 0.9 and weight decay 5e-4."""
    return torch.optim.SGD(network.parameters(), lr=0.0, momentum=0.9, weight_decay=5e-4)


ANNEALS = {"epoch": "after every epoch", "step": "after every step"}
"""When the learning rate falls: name to words."""


def cosine(learning_rate: float, epoch: float, epochs: int) -> float:
    """The learning rate after so many epochs: it falls as a cosine towards 0."""
    return learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / epochs))


def batch_sizes(images: int, batch: int) -> list[int]:
    """Images in each batch of an epoch; a last one of one image, from which batch norm cannot
    learn, joins the one before."""
    sizes = [batch] * (images // batch) + [images % batch] * (images % batch > 0)
    if sizes[-1] == 1 < batch and len(sizes) > 1:
        sizes[-2:] = [batch + 1]
    return sizes


def train_epoch(
    network: SpikingNetwork,
    optimizer: torch.optim.Optimizer,
    data: Dataset,
    masks: Mapping[str, Tensor],
    *,
    batch: int,
    learning_rate: Callable[[float], float],
    generator: torch.Generator,
    loss: str = "mean-score",
    cutout: int = 0,
    precision: str = "float32",
    watch: Callable[[int], None] | None = None,
    first: int = 0,
    seconds: float = math.inf,
) -> int:
    """Show the network every training image once, in place; pruned weights stay zero.

    learning_rate: from the share of the epoch that is done, in [0, 1). generator: draws the order
    of the images and their augmentation. loss: a name in `LOSSES`.
    cutout: side of the square that is blanked at random, see `Dataset.prepare`. precision: a name
    in `PRECISIONS`. watch: called before every step with its number in this epoch. first: the step
    to begin with; those before are not trained, but draw what they would have drawn. seconds: stop
    after the step in which they have passed.

    Returns the number of the next step, 0 if the epoch has ended.
    """
    layers = prunable(network)
    device = next(network.parameters()).device
    network.train()
    order = torch.randperm(len(data.train_images), generator=generator)
    began = time.perf_counter()
    batches = order.split(batch_sizes(len(order), batch))
    for step, chosen in enumerate(batches):
        images = data.prepare(data.train_images[chosen], generator, cutout).to(device)
        if step < first:
            continue
        if watch is not None:
            watch(step)
        with autocast(device, precision):
            scores = network.scores(images)
        labels = data.train_labels[chosen].to(device)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step / len(batches))
        optimizer.zero_grad()
        LOSSES[loss](scores.float(), labels).backward()
        mask_gradients(layers, masks)
        optimizer.step()
        if time.perf_counter() - began >= seconds:
            return (step + 1) % len(batches)
    return 0


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Within it convolutions and linear layers compute in `precision`, a name in `PRECISIONS`.

    Weights, norms and membranes stay float32.
    """
    kind = PRECISIONS[precision]
    return torch.autocast(device.type, kind, enabled=kind is not None)


@torch.no_grad()
def evaluate(
    network: nn.Module, data: Dataset, precision: str = "float32"
) -> tuple[float, dict[str, float]]:
    """Accuracy on the test set, and for each prunable layer the fraction of zero inputs.

    A layer's inputs are spikes, except those of the first convolution, which sees pixels.
    precision: a name in `PRECISIONS`.
    """
    zeros: dict[str, int] = {}
    sizes: dict[str, int] = {}

    def count(name: str, inputs: Tensor) -> None:
        zeros[name] = zeros.get(name, 0) + inputs.numel() - int(inputs.count_nonzero())
        sizes[name] = sizes.get(name, 0) + inputs.numel()

    device = next(network.parameters()).device
    right = 0
    with _watching(network, count), autocast(device, precision):
        for images, labels in zip(
            data.test_images.split(EVALUATION_BATCH),
            data.test_labels.split(EVALUATION_BATCH),
            strict=True,
        ):
            guesses = network(data.prepare(images).to(device)).argmax(1).cpu()
            right += int((guesses == labels).sum())
    return right / len(data.test_labels), {name: zeros[name] / sizes[name] for name in zeros}


@torch.no_grad()
def record_spikes(network: nn.Module, image: Tensor) -> dict[str, np.ndarray]:
    """The input spikes of every prunable layer but the first for one prepared image (C, H, W).

    Layer name to uint8 (T, C, H, W), or (T, C) for a linear layer, for `simulate_spikes`.
    """
    spikes: dict[str, np.ndarray] = {}

    def keep(name: str, inputs: Tensor) -> None:
        spikes[name] = inputs.cpu().numpy().astype(np.uint8)

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
