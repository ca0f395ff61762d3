"""What the steps of a run work with: its network, data, PEs, and the names of its layers."""

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from uticket_lite.hardware.accelerator import Accelerator
from uticket_lite.simulation.run import balance
from uticket_lite.strategies import Strategy
from uticket_lite.tickets.ticket import Ticket
from uticket_lite.training.checkpoint import State, copy_tensors
from uticket_lite.training.datasets import Dataset, load_dataset
from uticket_lite.training.layers import NEURONS
from uticket_lite.training.loop import batch_sizes, make_optimizer
from uticket_lite.training.networks import SpikingNetwork, make_network, prunable
from uticket_lite.training.record import strategy_name
from uticket_lite.training.settings import LTH, Settings

_DRAWING = threading.Lock()
"""Held while weights are drawn: torch's generator is shared by all threads, a Dask worker's say."""

Balance = Callable[[Ticket, Accelerator, int], Ticket]
"""From a ticket whose counted layers know their |w|, the PEs and a seed to the balanced ticket."""


@dataclass(frozen=True)
class Setup:
    """Everything that stays the same during a run.

    network: whatever weights it has; `load` gives it those of a state. layers: the prunable
    ones, by the names that tickets use. paths: from these names to those in the network.
    blank: a ticket of them that counts all convolutions but the first. balance: None to leave
    masks as they are. strategy: the name of a strategy that was given in the place of the
    settings' method.
    """

    settings: Settings
    data: Dataset
    network: SpikingNetwork
    layers: dict[str, Any]
    paths: dict[str, str]
    blank: Ticket
    balance: Balance | None
    strategy: str | None

    @property
    def device(self) -> torch.device:
        """A GPU if torch finds one, else the CPU; states are on the CPU."""
        return next(self.network.parameters()).device

    def first_state(self) -> State:
        """Where a run begins: the network as it was drawn, all weights alive."""
        settings = self.settings
        masks = {
            n: torch.ones(layer.weight.shape, dtype=torch.bool) for n, layer in self.layers.items()
        }
        network = copy_tensors(self.network.state_dict())
        rewound = network if settings.rewind_epoch == 0 else {}
        return State(
            network=network,
            rewound=rewound,
            masks=masks,
            unbalanced=masks,
            timesteps=settings.timesteps,
        )

    def load(self, state: State) -> torch.optim.SGD:
        """Give the network and a new optimizer what the state says; returns the optimizer."""
        self.network.load_state_dict(state.network)
        self.network.set_timesteps(state.timesteps)
        optimizer = make_optimizer(self.network)
        for name, parameter in self.network.named_parameters():
            if name in state.momentum:
                momentum = torch.empty_like(parameter.detach()).copy_(state.momentum[name])
                optimizer.state[parameter] = {"momentum_buffer": momentum}
        return optimizer

    def weights(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The prunable weights among a network's tensors, by layer."""
        return {name: tensors[f"{path}.weight"] for name, path in self.paths.items()}

    def ticket(
        self,
        masks: Mapping[str, Tensor],
        timesteps: int,
        spike_sparsity: Mapping[str, float] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Ticket:
        """A ticket of masks by layer."""
        shapes = self.blank.layers
        return Ticket.from_arrays(
            dict(masks),
            positions={name: layer.positions for name, layer in shapes.items()},
            input_positions={n: la.input_positions or la.positions for n, la in shapes.items()},
            timesteps=timesteps,
            spike_sparsity=dict(spike_sparsity or {}),
            counted=self.blank.counted,
            ties=self.blank.ties,
            provenance=dict(about or {}),
        )


def set_up(settings: Settings, strategy: Strategy | Balance | None = None) -> Setup:
    """Load the data, draw the network, trace it once.

    strategy: what balances in the place of the method's. Raises ValueError for images that the
    network cannot take, or batches of one image where it needs two.
    """
    data = load_dataset(settings.dataset)
    try:
        with _DRAWING:
            torch.manual_seed(settings.seed)
            network = make_network(
                settings.network,
                settings.timesteps,
                shape=data.shape,
                classes=data.classes,
                norm=settings.norm,
                init=settings.init,
                neuron=NEURONS[settings.neuron],
            )
        network = network.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        traced = _traced(network, data)
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"network {settings.network!r} cannot take images of {data.shape} (C, H, W): {error}"
        ) from error
    if min(batch_sizes(len(data.train_images), settings.batch)) == 1:
        _try_one_image(network, data, settings.batch)
    layers = prunable(network)
    modules = {id(module): path for path, module in network.named_modules()}
    paths = {name: modules[id(layer)] for name, layer in layers.items()}
    counted = [n for n, layer in layers.items() if isinstance(layer, nn.Conv2d)][1:]
    shapes = {name: traced.layers[path] for name, path in paths.items()}
    names = {path: name for name, path in paths.items()}
    ties = tuple(tuple(names[path] for path in group) for group in traced.ties)
    blank = Ticket(shapes, counted=tuple(counted), ties=ties)
    own, name = _balance(settings, strategy), strategy_name(strategy)
    return Setup(settings, data, network, layers, paths, blank, own, name)


def _balance(settings: Settings, strategy: Strategy | Balance | None) -> Balance | None:
    if strategy is None:
        return None if settings.method == LTH else partial(_by_strategy, settings.method)
    if settings.method != LTH:
        raise ValueError(
            f"the settings' method {settings.method!r} and a strategy of your own cannot both "
            f"balance; leave method at {LTH!r}"
        )
    if isinstance(strategy, Strategy) and strategy.changes != "mask":
        raise ValueError(
            f"strategy {strategy.name!r} changes no mask, so there is nothing to train"
        )
    return partial(_by_strategy, strategy) if isinstance(strategy, Strategy) else strategy


def _by_strategy(
    strategy: str | Strategy, ticket: Ticket, accelerator: Accelerator, seed: int
) -> Ticket:
    return balance(ticket, accelerator, strategy, seed=seed)


def _traced(network: SpikingNetwork, data: Dataset) -> Ticket:
    device = next(network.parameters()).device
    return Ticket.from_model(network, data.prepare(data.test_images[:1]).to(device))


def _try_one_image(network: SpikingNetwork, data: Dataset, batch: int) -> None:
    """ValueError if the network cannot be trained on one image: batch norm may need two."""
    trial = copy.deepcopy(network).train()
    image = data.prepare(data.train_images[:1]).to(next(network.parameters()).device)
    try:
        trial(image)
    except ValueError as error:
        raise ValueError(
            f"batches of {batch} of {len(data.train_images)} training images leave one image "
            f"alone, and the network's batch norm cannot learn from one ({error}); use batch=2 or "
            "more, and at least two images"
        ) from error
