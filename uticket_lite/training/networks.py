"""Spiking networks with direct encoding: the first convolution turns pixels into currents.

Time is folded into the batch, (T·B, C, H, W), for everything but the neurons. Folded batch
norm takes its statistics over all timesteps together; a loop that steps through time
normalizes each timestep by its own statistics, so that a timestep with few spikes is scaled
up. Both are offered (`NORMS`); in evaluation mode, where statistics are fixed, they compute
the same function of their parameters.
"""

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
from uticket_lite.training.neurons import FusedLeaky

MakeNeuron = Callable[[], nn.Module]
"""Makes a layer of neurons: currents (T, B, …) → spikes (T, B, …); called with `timesteps`, from
currents (B, …) that are the same at every timestep."""


class StepwiseNorm(nn.BatchNorm2d):
    """Batch norm of (T·B, C, H, W) with statistics of each timestep by itself.

    What a loop over time does that calls one batch norm at every timestep.
    """

    def __init__(self, filters: int, timesteps: int) -> None:
        super().__init__(filters)
        self.timesteps = timesteps

    def forward(self, x: Tensor) -> Tensor:
        """Normalized x, of the same shape; a still image (B, …) is one timestep."""
        if not self.training:
            return super().forward(x)
        return torch.cat([super(StepwiseNorm, self).forward(step) for step in self._steps(x)])

    def _steps(self, x: Tensor) -> tuple[Tensor, ...]:
        return x.chunk(self.timesteps)


def folded_norm(filters: int, timesteps: int) -> nn.BatchNorm2d:
    """Batch norm with statistics over all timesteps together."""
    return nn.BatchNorm2d(filters)


NORMS: dict[str, Callable[[int, int], nn.Module]] = {  # no lambdas: networks are pickled
    "folded": folded_norm,
    "stepwise": StepwiseNorm,
}
"""Batch norm's name to its maker, called with the number of filters and timesteps."""

NEURONS: dict[str, MakeNeuron] = {
    "leaky": FusedLeaky,
    "input-decay": partial(FusedLeaky, threshold=4 / 3, alpha=1.5),
}
"""MakeNeuron's name to its maker. `leaky`: v ← v/4 + x, as the paper writes it. `input-decay`: the
released code's v ← v/4 + 3x/4 with threshold 1, which is `leaky` with every membrane divided by
3/4; its surrogate is stretched along."""


def _kaiming(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0, 0.01)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


INITS: dict[str, Callable[[nn.Module], None]] = {
    "torch": lambda layer: None,
    "kaiming": _kaiming,
}
"""Initialization's name to what it does to each layer. `torch`: PyTorch's defaults, as the group's
earlier lottery-ticket code leaves its ResNet-19. `kaiming`: normal with fan_out for convolutions,
N(0, 0.01) for linear layers, as released for VGG-16."""


class SpikingConv(nn.Module):
    """Convolution, batch norm, neurons, on (T·B, C, H, W)."""

    def __init__(self, conv: nn.Conv2d, norm: nn.Module, neuron: nn.Module) -> None:
        super().__init__()
        self.conv, self.norm, self.neuron = conv, norm, neuron

    def forward(self, x: Tensor, timesteps: int) -> Tensor:
        """Spikes (T·B, K, H, W)."""
        current = self.norm(self.conv(x))
        return self.neuron(current.unflatten(0, (timesteps, -1))).flatten(0, 1)


class Encoder(SpikingConv):
    """The first layer: a still image is convolved and normalized once for all timesteps."""

    def forward(self, x: Tensor, timesteps: int) -> Tensor:
        """Spikes (T·B, K, H, W) from images (B, C, H, W)."""
        current = self.norm(self.conv(x))
        return self.neuron(current, timesteps).flatten(0, 1)


class SpikingLinear(nn.Module):
    """Linear layer, batch norm, neurons, on (T·B, features).

    Without the norm, neurons behind a freshly drawn layer hardly ever reach their threshold.
    """

    def __init__(self, linear: nn.Linear, norm: nn.Module, neuron: nn.Module) -> None:
        super().__init__()
        self.linear, self.norm, self.neuron = linear, norm, neuron

    def forward(self, x: Tensor, timesteps: int) -> Tensor:
        """Spikes (T·B, outputs)."""
        current = self.norm(self.linear(x)[..., None, None])[..., 0, 0]
        return self.neuron(current.unflatten(0, (timesteps, -1))).flatten(0, 1)


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

    plan: as in `shapes`: filters of each layer, "P" for pooling; one that finds a single position
    left, as VGG-16's last does in 16×16 images, is left out. shape: of an image (C, H, W), square.
    hidden: outputs of the linear layers before the last, each with neurons. options: of
    `SpikingNetwork`.
    """

    def __init__(
        self,
        plan: tuple[int | str, ...],
        *,
        shape: tuple[int, int, int],
        classes: int,
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


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut, added as currents: the neurons see the sum."""

    def __init__(self, first: SpikingConv, second: SpikingConv, shortcut: nn.Module) -> None:
        super().__init__()
        self.first, self.second, self.shortcut = first, second, shortcut

    def forward(self, x: Tensor, timesteps: int) -> Tensor:
        """Spikes (T·B, K, H, W)."""
        inner = self.first(x, timesteps)
        current = self.second.norm(self.second.conv(inner)) + self.shortcut(x)
        return self.second.neuron(current.unflatten(0, (timesteps, -1))).flatten(0, 1)


class SpikingResNet(SpikingNetwork):
    """A ResNet of basic blocks: 3 stages for ResNet-19, average pooling, linear layers.

    stages: (filters, blocks, stride) as in `shapes`. stem: filters of the first convolution. The
    rest as in `SpikingVGG`.
    """

    def __init__(
        self,
        stages: tuple[tuple[int, int, int], ...],
        *,
        stem: int,
        shape: tuple[int, int, int],
        classes: int,
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


def digits(
    shape: tuple[int, int, int] = (1, 8, 8), classes: int = 10, **options: Any
) -> SpikingVGG:
    """Four convolutions, for live teaching on 8×8 images: a round takes seconds."""
    return SpikingVGG(DIGITS, shape=shape, classes=classes, **options)


def vgg9(
    shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10, **options: Any
) -> SpikingVGG:
    """Seven convolutions and two linear layers, between the digits network and VGG-16."""
    return SpikingVGG(VGG9, shape=shape, classes=classes, hidden=(256,), **options)


def vgg16(
    shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10, **options: Any
) -> SpikingVGG:
    """Thirteen convolutions and one linear layer, as in the paper."""
    return SpikingVGG(VGG16, shape=shape, classes=classes, **options)


def vgg16_small(
    shape: tuple[int, int, int] = (3, 16, 16), classes: int = 10, **options: Any
) -> SpikingVGG:
    """VGG-16 at a quarter of its width and without its last pooling, for 16×16 images: minutes
    where VGG-16 takes hours."""
    return SpikingVGG(VGG16_SMALL, shape=shape, classes=classes, **options)


def resnet19(
    shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10, **options: Any
) -> SpikingResNet:
    """The ResNet-19 that the authors released: a stem of 64 filters, three stages of 3 + 3 + 2
    basic blocks that each halve the side, and a two-layer head."""
    return SpikingResNet(RESNET19, stem=64, shape=shape, classes=classes, hidden=(256,), **options)


def resnet19_small(
    shape: tuple[int, int, int] = (3, 16, 16), classes: int = 10, **options: Any
) -> SpikingResNet:
    """ResNet-19 at a quarter of its width, for 16×16 images."""
    stages = RESNET19_SMALL
    return SpikingResNet(stages, stem=16, shape=shape, classes=classes, hidden=(64,), **options)


def resnet19_wide(
    shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10, **options: Any
) -> SpikingResNet:
    """ResNet-19 as spiking networks elsewhere have it: a stem of 128 filters, and a first stage
    that keeps the side, so that every layer has four times the positions of `resnet19`'s."""
    stages = RESNET19_WIDE
    return SpikingResNet(stages, stem=128, shape=shape, classes=classes, hidden=(256,), **options)


NETWORKS: dict[str, Callable[..., SpikingNetwork]] = {
    maker.__name__.replace("_", "-"): maker
    for maker in (digits, vgg9, vgg16, vgg16_small, resnet19, resnet19_small, resnet19_wide)
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
