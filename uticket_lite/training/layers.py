"""Layers of spiking networks: norms, neurons, initializations, and blocks of them.

Time is folded into the batch, (T·B, C, H, W), for everything but the neurons. Folded batch
norm takes its statistics over all timesteps together; a loop that steps through time
normalizes each timestep by its own statistics, so that a timestep with few spikes is scaled
up. Both are offered (`NORMS`); in evaluation mode, where statistics are fixed, they compute
the same function of their parameters.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

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
