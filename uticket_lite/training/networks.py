"""Spiking networks with direct encoding: the first convolution turns pixels into currents."""

from collections.abc import Callable

from torch import Tensor, nn

from uticket_lite.errors import one_of
from uticket_lite.shapes import DIGITS
from uticket_lite.training.neurons import FusedLeaky


class SpikingVGG(nn.Module):
    """3×3 convolutions with batch norm and spiking neurons, max pooling, one linear layer.

    Input (B, C, H, W) → class scores (B, classes), the mean over T timesteps. Time is folded
    into the batch for everything but the neurons, so batch norm takes its statistics over all
    timesteps together. Max pooling keeps spikes binary.

    plan: as in `shapes`: filters of each layer, "P" for pooling. timesteps: T.
    neuron: makes a layer of neurons, (T, B, …) → (T, B, …).
    """

    def __init__(
        self,
        plan: tuple[int | str, ...],
        *,
        channels: int,
        side: int,
        classes: int,
        timesteps: int = 4,
        neuron: Callable[[], nn.Module] = FusedLeaky,
    ) -> None:
        super().__init__()
        self.timesteps = timesteps
        blocks: list[nn.Module] = []
        for step in plan:
            if isinstance(step, int):
                blocks.append(SpikingConv(channels, step, neuron()))
                channels = step
            else:
                blocks.append(nn.MaxPool2d(2))
                side //= 2
        self.blocks = nn.ModuleList(blocks)
        self.classifier = nn.Linear(channels * side * side, classes)

    @property
    def convs(self) -> list["SpikingConv"]:
        """The convolution blocks, in order."""
        return [block for block in self.blocks if isinstance(block, SpikingConv)]

    def forward(self, images: Tensor) -> Tensor:
        """Class scores of a batch of images."""
        x = images
        for i, block in enumerate(self.blocks):
            if isinstance(block, SpikingConv):
                x = block(x, self.timesteps, encode=i == 0)
            else:
                x = block(x)
        scores = self.classifier(x.flatten(1))
        return scores.unflatten(0, (self.timesteps, -1)).mean(0)


class SpikingConv(nn.Module):
    """Convolution, batch norm, neurons, on (T·B, C, H, W)."""

    def __init__(self, channels: int, filters: int, neuron: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(filters)
        self.neuron = neuron

    def forward(self, x: Tensor, timesteps: int, encode: bool = False) -> Tensor:
        """Spikes; with `encode`, x is a still image (B, …), convolved once for all timesteps."""
        current = self.norm(self.conv(x))
        if encode:
            current = current.expand(timesteps, *current.shape)
        else:
            current = current.unflatten(0, (timesteps, -1))
        return self.neuron(current).flatten(0, 1)


def digits_network(timesteps: int = 4) -> SpikingVGG:
    """The small network for scikit-learn's digits: 8×8 grey images, 10 classes."""
    return SpikingVGG(DIGITS, channels=1, side=8, classes=10, timesteps=timesteps)


NETWORKS: dict[str, Callable[..., nn.Module]] = {"digits": digits_network}
"""Network name to its maker, called with `timesteps`."""


def make_network(name: str, timesteps: int) -> nn.Module:
    """A new network with random weights (from torch's seed); ValueError for unknown names."""
    return NETWORKS[one_of("network", name, NETWORKS)](timesteps=timesteps)


def prunable(network: nn.Module) -> dict[str, nn.Module]:
    """The layers whose weights are pruned, all convolutions and linear layers, in order.

    Convolutions are named conv1, conv2, …, linear layers linear1, …, as in tickets.
    """
    layers: dict[str, nn.Module] = {}
    for kind, prefix in ((nn.Conv2d, "conv"), (nn.Linear, "linear")):
        found = [module for module in network.modules() if isinstance(module, kind)]
        layers |= {f"{prefix}{i}": module for i, module in enumerate(found, 1)}
    return layers
