"""The lottery: train → prune → balance → rewind, round after round (Algorithm 1)."""

import json
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from tqdm.auto import tqdm

from uticket_lite.accelerator import Accelerator
from uticket_lite.errors import fraction, one_of, whole_number
from uticket_lite.recorded import DATA, recorded_tickets, round_file, weights_file
from uticket_lite.shapes import CONV_SHAPES
from uticket_lite.simulation import balance, simulate
from uticket_lite.strategies import STRATEGIES
from uticket_lite.ticket import Ticket, write_atomically
from uticket_lite.training.datasets import DATASETS, load_dataset
from uticket_lite.training.loop import evaluate, train
from uticket_lite.training.networks import NETWORKS, make_network, prunable
from uticket_lite.training.pruning import Masks, apply_masks, prune_smallest

METHODS = {
    "lth": "none",
    **{name: name for name, strategy in STRATEGIES.items() if strategy.changes == "mask"},
}
"""Method name to the strategy that balances each round's ticket."""


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on; the same settings give the same tickets.

    dataset, network: names in `DATASETS` and `NETWORKS`. method: `lth` (prune only), `uticket`
    (prune and balance) or another strategy that changes masks. rounds: training rounds, the
    first one dense. prune: fraction of the alive weights pruned between rounds, over all
    layers together. epochs: in every round. rewind_epoch: weights are rewound to those after
    this epoch of the first round. n_pe, mapping: the accelerator to balance for.
    Defaults are the paper's, but for epochs, batch and learning_rate, chosen for the digits.
    """

    dataset: str = "digits"
    network: str = "digits"
    method: str = "lth"
    rounds: int = 15
    prune: float = 0.25
    epochs: int = 16
    rewind_epoch: int = 2
    batch: int = 64
    learning_rate: float = 0.2
    timesteps: int = 4
    n_pe: int = 16
    mapping: str = "output-channel"
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("dataset", self.dataset, DATASETS)
        one_of("network", self.network, NETWORKS)
        one_of("method", self.method, METHODS)
        for name in ("rounds", "epochs", "batch", "timesteps"):
            whole_number(name, getattr(self, name))
        whole_number("seed", self.seed, minimum=0)
        whole_number("rewind_epoch", self.rewind_epoch, minimum=0)
        if self.rewind_epoch > self.epochs:
            raise ValueError(f"rewind_epoch={self.rewind_epoch} is after the {self.epochs} epochs")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate!r}")
        fraction("prune", self.prune, below_one=True)

    @property
    def accelerator(self) -> Accelerator:
        """The PE array to balance for."""
        return Accelerator(self.n_pe, self.mapping)


@dataclass
class LotteryRun:
    """The rounds finished so far.

    tickets: one per round, the masks that were trained in it. history: one row per round.
    rewound: the weights that every round starts from, trained: those at the end of the last
    finished round; name to tensor, batch norm included.
    """

    settings: Settings
    tickets: list[Ticket] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rewound: dict[str, Tensor] = field(default_factory=dict)
    trained: dict[str, Tensor] = field(default_factory=dict)

    @property
    def history(self) -> pd.DataFrame:
        """Columns: round, sparsity (all prunable weights), accuracy (test set), utilization and
        latency (weight cycles) of the trained ticket and of the same before balancing, seconds."""
        return pd.DataFrame(self.rows)

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write each round's ticket, `history.json` and the trained weights into a directory,
        made if missing."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for number, ticket in enumerate(self.tickets):
            ticket.save(round_file(directory, number))
        write_atomically(weights_file(directory), save(self.trained))
        content = {"settings": asdict(self.settings), "versions": versions(), "rounds": self.rows}
        write_atomically(
            directory / "history.json", (json.dumps(content, indent=1) + "\n").encode()
        )


def find_tickets(settings: Settings, *, progress: bool = True) -> LotteryRun:
    """Train, prune, balance and rewind for all rounds of `settings`.

    Interrupting it (Ctrl-C, or stopping the cell) returns the rounds finished so far.
    progress: show a bar with round, epoch, accuracy and time left.
    """
    run = LotteryRun(settings)
    data = load_dataset(settings.dataset)
    torch.manual_seed(settings.seed)
    network = make_network(settings.network, settings.timesteps)
    layers = prunable(network)
    masks = {
        name: torch.ones_like(weight, dtype=torch.bool) for name, weight in _weights(layers).items()
    }
    unbalanced = masks
    bar = tqdm(total=settings.rounds * settings.epochs, unit="epoch", disable=not progress)
    try:
        with bar:
            for number in range(settings.rounds):
                began = time.perf_counter()
                if number > 0:
                    unbalanced = prune_smallest(_weights(layers), masks, settings.prune)
                    masks = _balanced(unbalanced, settings, number)
                    network.load_state_dict(run.rewound)
                    apply_masks(layers, masks)
                _train_round(run, network, data, masks, number, bar)
                accuracy, spikes = evaluate(network, data)
                _record(run, network, number, masks, unbalanced, accuracy, spikes, began)
                bar.set_postfix(round=number, accuracy=f"{accuracy:.3f}")
    except KeyboardInterrupt:
        print(f"interrupted: {len(run.rows)} of {settings.rounds} rounds are finished")
    return run


def _train_round(
    run: LotteryRun, network: nn.Module, data: Any, masks: Masks, number: int, bar: Any
) -> None:
    def after_epoch(epoch: int) -> None:
        bar.update()
        if number == 0 and epoch == run.settings.rewind_epoch:
            run.rewound = _copy(network)

    if number == 0 and run.settings.rewind_epoch == 0:
        run.rewound = _copy(network)
    train(
        network,
        data,
        masks,
        epochs=run.settings.epochs,
        batch=run.settings.batch,
        learning_rate=run.settings.learning_rate,
        generator=torch.Generator().manual_seed(1000 * run.settings.seed + number),
        after_epoch=after_epoch,
    )


def _balanced(masks: Masks, settings: Settings, number: int) -> Masks:
    """The masks that Algorithm 1 carries into the next round."""
    ticket = make_ticket(masks, settings)
    seed = 1000 * settings.seed + number
    after = balance(ticket, settings.accelerator, METHODS[settings.method], seed)
    return {name: torch.from_numpy(mask) for name, mask in after.masks().items()}


def make_ticket(masks: Masks, settings: Settings, **details: Any) -> Ticket:
    """A ticket of all prunable layers that counts all convolutions but the first."""
    convs = CONV_SHAPES[settings.network]
    return Ticket.from_arrays(
        masks,
        positions={conv.name: conv.positions for conv in convs},
        timesteps=settings.timesteps,
        counted=[conv.name for conv in convs[1:]],
        **details,
    )


def _record(
    run: LotteryRun,
    network: nn.Module,
    number: int,
    masks: Masks,
    unbalanced: Masks,
    accuracy: float,
    spikes: dict[str, float],
    began: float,
) -> None:
    """Add a finished round to the run."""
    settings = run.settings
    alive, total = (sum(int(f(m)) for m in masks.values()) for f in (torch.sum, torch.numel))
    sparsity = 1 - alive / total
    about = {"round": number, "sparsity": sparsity, "accuracy": accuracy}
    ticket = make_ticket(
        masks,
        settings,
        spike_sparsity=spikes,
        provenance={**about, "settings": asdict(settings), "versions": versions()},
    )
    before = make_ticket(unbalanced, settings)
    after, prior = (simulate(t, settings.accelerator, cycles="weights") for t in (ticket, before))
    run.trained = _copy(network)
    run.tickets.append(ticket)
    run.rows.append(
        {
            **about,
            "spike_sparsity": float(np.mean([spikes[name] for name in ticket.counted])),
            "utilization": after.utilization,
            "utilization_before_balancing": prior.utilization,
            "latency": after.latency,
            "latency_before_balancing": prior.latency,
            "seconds": round(time.perf_counter() - began, 2),
        }
    )


def load_network(name: str) -> nn.Module:
    """The network of a recorded run with the weights it had after its last round, for inference.

    Raises ValueError for an unknown name.
    """
    directory = DATA / one_of("recorded ticket", name, recorded_tickets())
    settings = json.loads((directory / "history.json").read_text())["settings"]
    network = make_network(settings["network"], settings["timesteps"])
    network.load_state_dict(load_file(weights_file(directory)))
    return network.eval()


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _weights(layers: dict[str, nn.Module]) -> dict[str, Tensor]:
    return {name: layer.weight for name, layer in layers.items()}  # type: ignore[misc]


def versions() -> dict[str, str]:
    """Versions of what a run's numbers depend on."""
    packages = ("uticket-lite", "torch", "snntorch", "numpy", "numba", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
