"""Spiking networks with direct encoding: the first convolution turns pixels into currents."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from uticket_lite.edge.checks import one_of, whole_number
from uticket_lite.tickets.architectures import (
    DIGITS,
    RESNET19,
    RESNET19_SMALL,
    RESNET19_WIDE,
    VGG9,
    VGG16,
    VGG16_SMALL,
)
from uticket_lite.training.convolution import Conv3x3
from uticket_lite.training.layers import (
    INITS,
    NORMS,
    Encoder,
    MakeNeuron,
    ResidualBlock,
    SpikingConv,
    SpikingLinear,
)
from uticket_lite.training.neurons import FusedLeaky


class SpikingNetwork(nn.Module):
    """Images (B, C, H, W) → class scores (B, classes), the mean over T timesteps.

    Subclasses fill `features`, (B, C, H, W) → (T·B, …); here are the head and the names.

    timesteps: T. neuron: makes a layer of neurons. norm: a name in `NORMS`.
    """

    def __init__(
        self, timesteps: int = 4, neuron: MakeNeuron = FusedLeaky, norm: str = "folded"
    ) -> None:
        super().__init__()
        self.timesteps = whole_number("timesteps", timesteps)
        self._neuron, self._norm = neuron, NORMS[one_of("norm", norm, NORMS)]
        self._named: dict[str, nn.Module] = {}

    @property
    def prunable(self) -> dict[str, nn.Module]:
        """Layers whose weights are pruned, in order, by the names that tickets use."""
        return dict(self._named)

    def features(self, images: Tensor) -> Tensor:
        """What the head sees, (T·B, …)."""
        raise NotImplementedError

    def scores(self, images: Tensor) -> Tensor:
        """Class scores at every timestep, (T, B, classes)."""
        x = self.features(images).flatten(1)
        for layer in self.hidden:
            x = layer(x, self.timesteps)
        return self.classifier(x).unflatten(0, (self.timesteps, -1))

    def forward(self, images: Tensor) -> Tensor:
        """Class scores of a batch of images, (B, classes)."""
        return self.scores(images).mean(0)

    def set_timesteps(self, timesteps: int) -> None:
        """Run for another number of timesteps from now on."""
        for module in self.modules():
            if hasattr(module, "timesteps"):
                setattr(module, "timesteps", timesteps)  # noqa: B010

    def _block(
        self, name: str, channels: int, filters: int, *, stride: int = 1, encodes: bool = False
    ) -> SpikingConv:
        conv = self._conv(name, channels, filters, 3, stride)
        if encodes:
            return Encoder(conv, nn.BatchNorm2d(filters), self._neuron())
        return SpikingConv(conv, self._norm(filters, self.timesteps), self._neuron())

    def _conv(self, name: str, channels: int, filters: int, side: int, stride: int) -> nn.Conv2d:
        if (side, stride) == (3, 1):
            conv: nn.Conv2d = Conv3x3(channels, filters)
        else:
            conv = nn.Conv2d(channels, filters, side, stride, padding=side // 2, bias=False)
        self._named[name] = conv
        return conv

    def _head(self, inputs: int, hidden: tuple[int, ...], classes: int) -> None:
        self.hidden = nn.ModuleList()
        for i, outputs in enumerate(hidden, 1):
            linear = self._named[f"linear{i}"] = nn.Linear(inputs, outputs, bias=False)
            norm = self._norm(outputs, self.timesteps)
            self.hidden.append(SpikingLinear(linear, norm, self._neuron()))
            inputs = outputs
        self.classifier = nn.Linear(inputs, classes)
        self._named[f"linear{len(hidden) + 1}"] = self.classifier


class SpikingVGG(SpikingNetwork):
    """3×3 convolutions with batch norm and spiking neurons, max pooling, linear layers.

    Max pooling, not average pooling, keeps spikes binary.

    plan: as in `architectures.plain_convs`: filters of each layer, "P" for pooling; one that finds
    a single position left, as VGG-16's last does in 16×16 images, is left out. shape: of an image
    (C, H, W), square; it and classes are CIFAR-10's by default.
    hidden: outputs of the linear layers before the last, each with neurons. options: of
    `SpikingNetwork`.
    """

    def __init__(
        self,
        plan: tuple[int | str, ...],
        *,
        shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
        hidden: tuple[int, ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        channels, side, _ = shape
        self.blocks = nn.ModuleList()
        for step in plan:
            if isinstance(step, int):
                name = f"conv{len(self._named) + 1}"
                self.blocks.append(self._block(name, channels, step, encodes=not self._named))
                channels = step
            elif side > 1:
                self.blocks.append(nn.MaxPool2d(2))
                side //= 2
        self._head(channels * side * side, hidden, classes)

    @property
    def convs(self) -> list[SpikingConv]:
        """The convolution blocks, in order."""
        return [block for block in self.blocks if isinstance(block, SpikingConv)]

    def features(self, images: Tensor) -> Tensor:
        """Spikes after the last pooling."""
        x = images
        for block in self.blocks:
            x = block(x, self.timesteps) if isinstance(block, SpikingConv) else block(x)
        return x


class SpikingResNet(SpikingNetwork):
    """A ResNet of basic blocks: 3 stages for ResNet-19, average pooling, linear layers.

    stages: (filters, blocks, stride), see `architectures.residual_convs`. stem: filters of the
    first convolution. The rest as in `SpikingVGG`.
    """

    def __init__(
        self,
        stages: tuple[tuple[int, int, int], ...],
        *,
        stem: int,
        shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
        hidden: tuple[int, ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.encoder = self._block("conv1", shape[0], stem, encodes=True)
        self.blocks = nn.ModuleList()
        channels = stem
        for s, (filters, blocks, stride) in enumerate(stages, 1):
            for b in range(1, blocks + 1):
                step = stride if b == 1 else 1
                self.blocks.append(self._residual(f"stage{s}.block{b}", channels, filters, step))
                channels = filters
        self._head(channels, hidden, classes)

    def _residual(self, name: str, channels: int, filters: int, stride: int) -> ResidualBlock:
        first = self._block(f"{name}.conv1", channels, filters, stride=stride)
        shortcut: nn.Module = nn.Identity()
        if channels != filters or stride != 1:
            conv = self._conv(f"{name}.shortcut", channels, filters, 1, stride)
            shortcut = nn.Sequential(conv, self._norm(filters, self.timesteps))
        return ResidualBlock(first, self._block(f"{name}.conv2", filters, filters), shortcut)

    def features(self, images: Tensor) -> Tensor:
        """Spike rates over the last block's positions, (T·B, K)."""
        x = self.encoder(images, self.timesteps)
        for block in self.blocks:
            x = block(x, self.timesteps)
        return x.mean(dim=(2, 3))


NETWORKS: dict[str, Callable[..., SpikingNetwork]] = {
    # Four convolutions, for live teaching on 8×8 images: a round takes seconds.
    "digits": partial(SpikingVGG, DIGITS, shape=(1, 8, 8)),
    # Seven convolutions and two linear layers, between the digits network and VGG-16.
    "vgg9": partial(SpikingVGG, VGG9, hidden=(256,)),
    # Thirteen convolutions and one linear layer, as in the paper.
    "vgg16": partial(SpikingVGG, VGG16),
    # A quarter of its width and without its last pooling: minutes where VGG-16 takes hours.
    "vgg16-small": partial(SpikingVGG, VGG16_SMALL, shape=(3, 16, 16)),
    # As the authors released it: three stages of 3 + 3 + 2 basic blocks that each halve the side.
    "resnet19": partial(SpikingResNet, RESNET19, stem=64, hidden=(256,)),
    # A quarter of its width.
    "resnet19-small": partial(
        SpikingResNet, RESNET19_SMALL, stem=16, hidden=(64,), shape=(3, 16, 16)
    ),
    # As spiking networks elsewhere have it: the first stage keeps the side, so that every layer
    # has four times the positions of `resnet19`'s.
    "resnet19-wide": partial(SpikingResNet, RESNET19_WIDE, stem=128, hidden=(256,)),
}
"""Network name to its maker, called with shape (C, H, W), classes, timesteps, neuron, norm."""


def make_network(
    name: str, timesteps: int = 4, *, init: str = "torch", **options: Any
) -> SpikingNetwork:
    """A new network with random weights (from torch's seed); ValueError for unknown names.

    init: a name in `INITS`. options: `shape` of an image (C, H, W), `classes`, `neuron`, `norm`.
    """
    network = NETWORKS[one_of("network", name, NETWORKS)](timesteps=timesteps, **options)
    network.apply(INITS[one_of("init", init, INITS)])
    # Channels last: convolutions, norms and pooling are quicker in this layout.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def prunable(network: nn.Module) -> dict[str, nn.Module]:
    """The layers whose weights are pruned: all convolutions and linear layers, in order.

    By the names that tickets use; in a network that is not one of this module, by their path.
    """
    if isinstance(network, SpikingNetwork):
        return network.prunable
    kinds = (nn.Conv1d, nn.Conv2d, nn.Linear)
    return {name: m for name, m in network.named_modules() if isinstance(m, kinds)}
