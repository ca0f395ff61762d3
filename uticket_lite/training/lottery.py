"""The lottery: train → prune → balance → rewind, round after round (Algorithm 1)."""

import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor
from tqdm.auto import tqdm

from uticket_lite.edge.files import write_atomically
from uticket_lite.simulation.run import balance, simulate
from uticket_lite.tickets.architectures import TIES
from uticket_lite.tickets.recorded import history_file, round_file, weights_file
from uticket_lite.tickets.ticket import Ticket
from uticket_lite.training.checkpoint import (
    State,
    checkpoint_file,
    copy_tensors,
    load_checkpoint,
    save_checkpoint,
)
from uticket_lite.training.datasets import load_dataset
from uticket_lite.training.early import early_timesteps
from uticket_lite.training.loop import cosine, evaluate, make_optimizer, train_epoch
from uticket_lite.training.networks import NEURONS, SpikingNetwork, make_network, prunable
from uticket_lite.training.pruning import Masks, apply_masks, prune_smallest
from uticket_lite.training.record import LotteryRun, versions
from uticket_lite.training.settings import LTH, Settings

EARLY_IMAGES = 512
"""Training images on which timesteps are chosen for early-time tickets."""
PROBED = frozenset({0, *(round(2 ** (k / 2)) for k in range(60))})
"""Steps of the first round before which `Settings.probe` looks, two in each doubling."""
PROBE_IMAGES = 500
"""Test images on which a probe measures accuracy."""


def find_tickets(
    settings: Settings, *, out: str | os.PathLike[str] | None = None, progress: bool = True
) -> LotteryRun:
    """Train, prune, balance and rewind for all rounds of `settings`.

    out: a directory for tickets, history, weights, and a checkpoint after every epoch. A run
    that was stopped or killed goes on from its checkpoint when it is called with the same
    settings and directory, and ends as if it had never stopped; a finished one is read.
    progress: show a bar with round, epoch, accuracy and time left. Interrupting it (Ctrl-C, or
    stopping the cell) returns the finished rounds. Runs on a GPU if torch finds one.

    Raises ValueError if `out` holds a run with other settings or a damaged checkpoint, and
    OSError where a checkpoint cannot be written.
    """
    out = None if out is None else Path(out)
    if out is not None and history_file(out).exists() and not checkpoint_file(out).exists():
        run = LotteryRun.read(out)
        if run.settings != settings:
            raise ValueError(
                f"{out} holds a finished run with other settings ({run.settings}); choose "
                "another directory"
            )
        return run
    lottery = _Lottery(settings, out)
    total, done = sum(map(settings.epochs_of, range(settings.rounds))), lottery.finished_epochs
    try:
        with tqdm(total=total, initial=done, unit="epoch", disable=not progress) as bar:
            while lottery.state.round < settings.rounds:
                lottery.step()
                bar.set_postfix(lottery.standing, refresh=False)
                bar.update(lottery.finished_epochs - bar.n)
        lottery.finish()
    except KeyboardInterrupt:
        print(f"interrupted: {len(lottery.run.rows)} of {settings.rounds} rounds are finished")
        lottery.finish()
    except OSError as error:
        raise OSError(
            error.errno,
            f"{out} could not be written ({error.strerror}); the last good checkpoint is kept. "
            "Make room and run the same again: it goes on from there",
        ) from error
    return lottery.run


class _Lottery:
    """A run in progress: its state, and the steps that move it."""

    def __init__(self, settings: Settings, out: Path | None) -> None:
        self.settings, self.out = settings, out
        self.data = load_dataset(settings.dataset)
        images = {"train": len(self.data.train_images), "test": len(self.data.test_images)}
        self.run = LotteryRun(settings, images)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        network = make_network(
            settings.network,
            settings.timesteps,
            shape=self.data.shape,
            classes=self.data.classes,
            norm=settings.norm,
            init=settings.init,
            neuron=NEURONS[settings.neuron],
        )
        self.network: SpikingNetwork = network.to(self.device)
        self.layers: dict[str, Any] = prunable(network)
        self.positions = Ticket.from_model(
            network, self.data.prepare(self.data.test_images[:1]).to(self.device)
        )
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        self.state = (out and load_checkpoint(out, asdict(settings))) or self._first_state()
        self._restore()

    @property
    def finished_epochs(self) -> int:
        """Epochs finished in all rounds."""
        rounds = range(self.state.round)
        return sum(map(self.settings.epochs_of, rounds)) + self.state.epoch

    @property
    def standing(self) -> dict[str, Any]:
        """Round, epoch and the last round's accuracy, for the progress bar."""
        shown = {"round": self.state.round, "epoch": self.state.epoch}
        return {**shown, "accuracy": self.run.rows[-1]["accuracy"] if self.run.rows else "?"}

    def step(self) -> None:
        """Train one epoch, and end the round after its last; then write a checkpoint."""
        began = time.perf_counter()
        epochs = self.settings.epochs_of(self.state.round)
        if self.state.epoch < epochs:
            self._train_epoch()
        self.state.seconds += time.perf_counter() - began
        if self.state.epoch == epochs:
            self._end_round()
            if self.state.round + 1 < self.settings.rounds:
                self._begin_round()
            else:
                self.state = replace(self.state, round=self.settings.rounds, epoch=0)
        self._checkpoint()

    def finish(self) -> None:
        """Write what is finished; the checkpoint of a whole run is no longer needed."""
        self.run.rewound = self.state.rewound
        if self.out is None or not self.run.rows:
            return
        self.run.save(self.out)
        if len(self.run.rows) == self.settings.rounds:
            checkpoint_file(self.out).unlink(missing_ok=True)

    def _first_state(self) -> State:
        masks = {
            n: torch.ones(layer.weight.shape, dtype=torch.bool) for n, layer in self.layers.items()
        }
        state = State(masks=masks, unbalanced=masks, timesteps=self.settings.timesteps)
        state.network = copy_tensors(self.network.state_dict())
        if self.settings.rewind_epoch == 0:
            state.rewound = state.network
        return state

    def _restore(self) -> None:
        """Continue from `self.state`."""
        state = self.state
        self.network.load_state_dict(state.network)
        self.network.set_timesteps(state.timesteps)
        self.optimizer = make_optimizer(self.network)
        for name, parameter in self.network.named_parameters():
            if name in state.momentum:
                momentum = state.momentum[name].to(self.device)
                self.optimizer.state[parameter] = {"momentum_buffer": momentum}
        self.masks = {name: mask.to(self.device) for name, mask in state.masks.items()}
        self.run.rows = state.rows
        if self.out is not None and not self.run.tickets:
            rounds = range(len(state.rows))
            self.run.tickets = [Ticket.load(round_file(self.out, number)) for number in rounds]
            self.run.trained = load_file(weights_file(self.out)) if rounds else {}

    def _train_epoch(self) -> None:
        settings, state = self.settings, self.state
        epochs = settings.epochs_of(state.round)
        seed = (settings.seed * 1000 + state.round) * 1000 + state.epoch
        train_epoch(
            self.network,
            self.optimizer,
            self.data,
            self.masks,
            batch=settings.batch,
            learning_rate=cosine(settings.learning_rate, state.epoch, epochs),
            generator=torch.Generator().manual_seed(seed),
            loss=settings.loss,
            cutout=settings.cutout,
            precision=settings.precision,
            watch=self._probe if settings.probe is not None and state.round == 0 else None,
        )
        state.epoch += 1
        if settings.probe is not None and state.round == 0 and state.epoch == epochs:
            self._probe(0, last=True)
        if state.round == 0 and state.epoch == settings.rewind_epoch:
            state.rewound = copy_tensors(self.network.state_dict())
            if settings.early_kl is not None:
                images = self.data.prepare(self.data.train_images[:EARLY_IMAGES]).to(self.device)
                state.timesteps = early_timesteps(self.network, images, settings.early_kl)
                self.network.set_timesteps(state.timesteps)

    def _probe(self, step: int, last: bool = False) -> None:
        """What pruning at once to `Settings.probe` would leave after so many steps; no weight
        changes."""
        settings = self.settings
        steps = -(-len(self.data.train_images) // settings.batch) * self.state.epoch + step
        if steps not in PROBED and not last:
            return
        weights = {name: layer.weight for name, layer in self.layers.items()}
        assert settings.probe is not None
        masks = prune_smallest(weights, self.state.masks, settings.probe, settings.scope)
        few = replace(
            self.data,
            test_images=self.data.test_images[:PROBE_IMAGES],
            test_labels=self.data.test_labels[:PROBE_IMAGES],
        )
        accuracy, _ = evaluate(self.network, few, settings.precision)
        ticket = self._ticket(masks, {}, {"step": steps, "accuracy": accuracy})
        self.run.probes[steps] = ticket
        if self.out is not None:
            (self.out / "probes").mkdir(exist_ok=True)
            ticket.save(self.out / "probes" / f"step-{steps:06}.safetensors", counts_only=True)

    def _end_round(self) -> None:
        """Measure, and add the round to the run."""
        began = time.perf_counter()
        settings, state = self.settings, self.state
        accuracy, spikes = evaluate(self.network, self.data, settings.precision)
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
        ticket = self._ticket(state.masks, spikes, {**about, **how})
        before = self._ticket(state.unbalanced, {}, {})
        ran, unbalanced = (
            simulate(t, settings.accelerator, cycles="weights") for t in (ticket, before)
        )
        self.run.trained = copy_tensors(self.network.state_dict())
        self.run.tickets.append(ticket)
        seconds = state.seconds + time.perf_counter() - began
        self.run.rows.append(
            {
                **about,
                "spike_sparsity": float(np.mean([spikes[name] for name in ticket.counted])),
                "utilization": ran.utilization,
                "utilization_before_balancing": unbalanced.utilization,
                "latency": ran.latency,
                "latency_before_balancing": unbalanced.latency,
                "seconds": round(seconds, 2),
            }
        )
        if self.out is not None:
            ticket.save(round_file(self.out, state.round))
            write_atomically(weights_file(self.out), save(self.run.trained))

    def _begin_round(self) -> None:
        """Prune, balance, rewind."""
        settings, state = self.settings, self.state
        weights = {name: layer.weight for name, layer in self.layers.items()}
        carried = state.unbalanced if settings.carry == "original" else state.masks
        unbalanced = prune_smallest(weights, carried, settings.prune, settings.scope)
        if settings.carry == "released":
            unbalanced = {name: mask & state.unbalanced[name] for name, mask in unbalanced.items()}
        number = state.round + 1
        masks = self._balanced(unbalanced, weights, number)
        last = number == settings.rounds - 1
        self.state = State(
            round=number,
            network=state.rewound,
            rewound=state.rewound,
            masks=masks,
            unbalanced=unbalanced,
            timesteps=settings.timesteps if last else state.timesteps,
            rows=self.run.rows,
        )
        self._restore()
        apply_masks(self.layers, self.masks)

    def _balanced(self, masks: Masks, weights: dict[str, Tensor], number: int) -> Masks:
        """The masks after the method's strategy, which may look at |w| before masking."""
        settings = self.settings
        if settings.method == LTH:
            return masks
        ticket = self._ticket(masks, {}, {})
        guided = {
            name: replace(
                ticket.layers[name],
                magnitudes=weights[name].detach().abs().cpu().flatten(1).numpy(),
            )
            for name in ticket.counted
        }
        after = balance(
            ticket.with_layers(guided),
            settings.accelerator,
            settings.method,
            seed=1000 * settings.seed + number,
        )
        return {name: torch.from_numpy(mask) for name, mask in after.masks().items()}

    def _ticket(self, masks: Masks, spikes: dict[str, float], about: dict[str, Any]) -> Ticket:
        """A ticket of all prunable layers that counts all convolutions but the first."""
        shapes = {name: self.positions.layers[path] for name, path in self._paths().items()}
        inputs = {name: layer.input_positions or layer.positions for name, layer in shapes.items()}
        return Ticket.from_arrays(
            masks,
            positions={name: layer.positions for name, layer in shapes.items()},
            input_positions=inputs,
            timesteps=self.state.timesteps,
            spike_sparsity=spikes,
            counted=[n for n, layer in self.layers.items() if layer.weight.dim() == 4][1:],
            provenance=about,
            ties=TIES[self.settings.network],
        )

    def _paths(self) -> dict[str, str]:
        """A layer's name in tickets to its path in the network."""
        paths = {id(module): path for path, module in self.network.named_modules()}
        return {name: paths[id(layer)] for name, layer in self.layers.items()}

    def _checkpoint(self) -> None:
        if self.out is None:
            return
        state, parameters = self.state, dict(self.network.named_parameters())
        state.network = copy_tensors(self.network.state_dict())
        state.momentum = {
            name: self.optimizer.state[parameter]["momentum_buffer"]
            for name, parameter in parameters.items()
            if self.optimizer.state.get(parameter)
        }
        save_checkpoint(self.out, asdict(self.settings), state)
