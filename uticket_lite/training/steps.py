"""The steps of Algorithm 1: from one state of a run to the next; no step changes a state."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

from uticket_lite.simulation.run import simulate
from uticket_lite.tickets.ticket import Ticket
from uticket_lite.training.checkpoint import State, copy_tensors
from uticket_lite.training.early import early_timesteps
from uticket_lite.training.loop import cosine, evaluate, train_epoch
from uticket_lite.training.probing import probe
from uticket_lite.training.pruning import Masks, prune_smallest
from uticket_lite.training.record import versions
from uticket_lite.training.settings import Settings
from uticket_lite.training.setup import Setup

PART_SECONDS = 300.0
"""An epoch that takes longer is trained in parts, with a checkpoint after each."""
EARLY_IMAGES = 512
"""Training images on which timesteps are chosen for early-time tickets."""


def train(setup: Setup, state: State) -> State:
    """One epoch later, or a part of one that takes long."""
    began = time.perf_counter()
    settings, epochs = setup.settings, setup.settings.epochs_of(state.round)
    optimizer = setup.load(state)
    masks = {name: mask.to(setup.device) for name, mask in state.masks.items()}
    probes = dict(state.probes)
    looks = settings.probe is not None and state.round == 0
    step = train_epoch(
        setup.network,
        optimizer,
        setup.data,
        masks,
        batch=settings.batch,
        learning_rate=_learning_rate(settings, state.epoch, epochs),
        generator=torch.Generator().manual_seed(_epoch_seed(setup, state)),
        loss=settings.loss,
        cutout=settings.cutout,
        precision=settings.precision,
        watch=_watch(setup, state, probes) if looks else None,
        first=state.step,
        seconds=PART_SECONDS,
    )
    ended = step == 0
    if looks and ended and state.epoch + 1 == epochs:
        probe(setup, state, probes, epoch=epochs, step=0, last=True)
    later = replace(
        state,
        epoch=state.epoch + ended,
        step=step,
        network=copy_tensors(setup.network.state_dict()),
        momentum=copy_tensors(
            {
                name: optimizer.state[parameter]["momentum_buffer"]
                for name, parameter in setup.network.named_parameters()
                if optimizer.state.get(parameter)
            }
        ),
        probes=probes,
    )
    if later.round == 0 and ended and later.epoch == settings.rewind_epoch:
        later = replace(later, rewound=later.network, timesteps=_search_timesteps(setup))
    return replace(later, seconds=state.seconds + time.perf_counter() - began)


def record(setup: Setup, state: State) -> State:
    """The trained round measured, and added to history and tickets."""
    began = time.perf_counter()
    settings = setup.settings
    setup.load(state)
    accuracy, spikes = evaluate(setup.network, setup.data, settings.precision)
    alive, total = (
        sum(int(f(mask)) for mask in state.masks.values()) for f in (torch.sum, torch.numel)
    )
    about = {
        "round": state.round,
        "timesteps": state.timesteps,
        "sparsity": 1 - alive / total,
        "accuracy": accuracy,
    }
    how = {"settings": asdict(settings), "versions": versions()}
    ticket = setup.ticket(state.masks, state.timesteps, spikes, {**about, **how})
    before = setup.ticket(state.unbalanced, state.timesteps)
    ran, unbalanced = (
        simulate(t, settings.accelerator, cycles="weights") for t in (ticket, before)
    )
    seconds = state.seconds + time.perf_counter() - began
    row = {
        **about,
        "spike_sparsity": float(np.mean([spikes[name] for name in ticket.counted])),
        "utilization": ran.utilization,
        "utilization_before_balancing": unbalanced.utilization,
        "latency": ran.latency,
        "latency_before_balancing": unbalanced.latency,
        "seconds": round(seconds, 2),
        "threads": torch.get_num_threads(),
    }
    tickets, rows = [*state.tickets, ticket], [*state.rows, row]
    return replace(state, rows=rows, tickets=tickets, trained=state.network)


def prune(setup: Setup, state: State) -> Masks:
    """The masks of the next round before balancing."""
    settings = setup.settings
    carried = state.unbalanced if settings.carry == "original" else state.masks
    weights = setup.weights(state.network)
    pruned = prune_smallest(weights, carried, settings.prune, settings.scope)
    if settings.carry == "released":
        return {name: mask & state.unbalanced[name] for name, mask in pruned.items()}
    return pruned


def balance(setup: Setup, state: State, masks: Masks) -> Masks:
    """The masks after the method's strategy, which may look at |w| before masking."""
    if setup.balance is None:
        return masks
    ticket, weights = setup.ticket(masks, state.timesteps), setup.weights(state.network)
    guided = {
        name: replace(
            ticket.layers[name], magnitudes=weights[name].detach().abs().flatten(1).numpy()
        )
        for name in ticket.counted
    }
    settings = setup.settings
    seed = 1000 * settings.seed + state.round
    after = setup.balance(ticket.with_layers(guided), settings.accelerator, seed)
    return _same_shapes(masks, after)


def rewind(setup: Setup, state: State, unbalanced: Masks, masks: Masks) -> State:
    """The begin of the next round: early weights, pruned by the masks."""
    network = dict(state.rewound)
    for name, weight in setup.weights(state.rewound).items():
        network[f"{setup.paths[name]}.weight"] = weight * masks[name]
    last = state.round == setup.settings.rounds - 1
    return replace(
        state,
        epoch=0,
        network=network,
        momentum={},
        masks=masks,
        unbalanced=unbalanced,
        timesteps=setup.settings.timesteps if last else state.timesteps,
        seconds=0.0,
    )


def _learning_rate(settings: Settings, epoch: int, epochs: int) -> Callable[[float], float]:
    """From the share of an epoch that is done to its learning rate."""
    by_step = settings.anneal == "step"
    return lambda share: cosine(settings.learning_rate, epoch + by_step * share, epochs)


def _epoch_seed(setup: Setup, state: State) -> int:
    return (setup.settings.seed * 1000 + state.round) * 1000 + state.epoch


def _watch(setup: Setup, state: State, probes: dict[int, Ticket]) -> Callable[[int], None]:
    return lambda step: probe(setup, state, probes, epoch=state.epoch, step=step)


def _search_timesteps(setup: Setup) -> int:
    """T from the rewind epoch on."""
    settings = setup.settings
    if settings.early_kl is None:
        return settings.timesteps
    images = setup.data.prepare(setup.data.train_images[:EARLY_IMAGES]).to(setup.device)
    return early_timesteps(setup.network, images, settings.early_kl)


def _same_shapes(masks: Masks, after: Any) -> Masks:
    """A balanced ticket's masks; ValueError if they are not those of the network."""
    if not isinstance(after, Ticket):
        raise TypeError(f"balancing must give a Ticket, not {after!r}")
    balanced = {name: torch.from_numpy(mask) for name, mask in after.masks().items()}
    shapes, expected = (
        {name: tuple(mask.shape) for name, mask in some.items()} for some in (balanced, masks)
    )
    if shapes != expected:
        raise ValueError(f"balancing gave masks of shapes {shapes}; the network's are {expected}")
    return balanced
