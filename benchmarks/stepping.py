"""The reference for training: a network stepped through time, as tutorials do it."""

import snntorch
import torch
from torch import Tensor, nn

from uticket_lite.training.layers import SpikingConv
from uticket_lite.training.networks import SpikingVGG


class Stepped(nn.Module):
    """The layers of a `SpikingVGG`, one timestep after the other, with `snntorch.Leaky`.

    It shares the network's modules. The first convolution runs once, as in the network.
    """

    def __init__(self, network: SpikingVGG) -> None:
        super().__init__()
        self.network = network
        layers = len(network.convs) + len(network.hidden)
        self.neurons = nn.ModuleList(
            snntorch.Leaky(beta=0.25, reset_mechanism="zero") for _ in range(layers)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Class scores (B, classes)."""
        network = self.network
        membranes = [neuron.reset_mem() for neuron in self.neurons]
        first = network.convs[0]
        encoded = first.norm(first.conv(images))
        scores = []
        for _ in range(network.timesteps):
            at, x = 0, encoded
            for block in (*network.blocks, nn.Flatten(), *network.hidden):
                if isinstance(block, nn.MaxPool2d | nn.Flatten):
                    x = block(x)
                    continue
                if block is not first:
                    x = self._current(block, x)
                x, membranes[at] = self.neurons[at](x, membranes[at])
                at += 1
            scores.append(network.classifier(x))
        return torch.stack(scores).mean(0)

    @staticmethod
    def _current(block: nn.Module, x: Tensor) -> Tensor:
        if isinstance(block, SpikingConv):
            return block.norm(block.conv(x))
        return block.norm(block.linear(x)[..., None, None])[..., 0, 0]
