"""What a training run leaves: tickets, history, weights."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.numpy import save as save_arrays
from safetensors.torch import load, save
from torch import Tensor

from uticket_lite.edge.checks import whole_number
from uticket_lite.edge.files import write_atomically
from uticket_lite.tickets.history import damaged, read_history
from uticket_lite.tickets.recorded import (
    DATA,
    history_file,
    recorded_tickets,
    round_file,
    run_folder,
    spikes_file,
    weights_file,
)
from uticket_lite.tickets.ticket import Ticket
from uticket_lite.training.datasets import load_dataset
from uticket_lite.training.loop import record_spikes
from uticket_lite.training.networks import SpikingNetwork, make_network
from uticket_lite.training.settings import Settings


@dataclass
class LotteryRun:
    """The rounds finished so far.

    images: how many there are to `train` and to `test`. tickets: one per round, the masks that
    were trained in it. rows: one per round, see `history`. rewound: the weights that every
    round starts from, trained: those at the end of the last finished round; name to tensor,
    batch norm included. probes: what `Settings.probe` saw, steps to ticket. strategy: the name of
    a strategy given to `find_tickets` in the place of the settings' method.
    """

    settings: Settings
    images: dict[str, int]
    tickets: list[Ticket] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rewound: dict[str, Tensor] = field(default_factory=dict)
    trained: dict[str, Tensor] = field(default_factory=dict)
    probes: dict[int, Ticket] = field(default_factory=dict)
    strategy: str | None = None

    @property
    def history(self) -> pd.DataFrame:
        """One row per round.

        round, timesteps, sparsity (of all prunable weights), accuracy (test set),
        spike_sparsity (mean over the counted layers), utilization and latency (weight cycles) of
        the trained ticket and before balancing, seconds, threads (of torch).
        """
        return pd.DataFrame(self.rows)

    def save(
        self, directory: str | os.PathLike[str], *, masks_from: int = 0, weights: bool = True
    ) -> None:
        """Write each round's ticket, the probes, `history.json` and the trained weights into a
        directory, made if missing.

        masks_from: of rounds before this one, only counts are kept (see `Ticket.save`).
        weights: whether to write them; those of large networks take as much space as all tickets.
        """
        directory, masks_from = Path(directory), whole_number("masks_from", masks_from, 0)
        directory.mkdir(parents=True, exist_ok=True)
        for number, ticket in enumerate(self.tickets):
            counts_only = ticket.counts_only or number < masks_from
            ticket.save(round_file(directory, number), counts_only=counts_only)
        write_probes(directory, self.probes)
        content = {
            "settings": asdict(self.settings),
            "images": self.images,
            "versions": versions(),
            "rounds": self.rows,
        }
        if self.strategy is not None:
            content["strategy"] = self.strategy
        if weights and self.trained:
            packed = save(self.trained)
            content["sha256"] = {weights_file(directory).name: sha256(packed).hexdigest()}
            write_atomically(weights_file(directory), packed)
        write_atomically(history_file(directory), (json.dumps(content, indent=1) + "\n").encode())

    @classmethod
    def read(cls, directory: str | os.PathLike[str]) -> "LotteryRun":
        """A run that `save` wrote, with probes and, if they are there, weights.

        Raises FileNotFoundError if there is none, ValueError for a damaged file.
        """
        directory = Path(directory)
        file = history_file(directory)
        about = read_history(file)
        try:
            settings = Settings(**about["settings"])
            rows = [dict(row) for row in about["rounds"]]
            images = {part: int(about["images"][part]) for part in ("train", "test")}
            digest = about.get("sha256", {}).get(weights_file(directory).name)
            strategy = about.get("strategy")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise damaged(file, error) from error
        tickets = [Ticket.load(round_file(directory, number)) for number in range(len(rows))]
        weights = weights_file(directory)
        trained = read_weights(weights, digest) if weights.exists() else {}
        probes = read_probes(directory)
        return cls(settings, images, tickets, rows, {}, trained, probes, strategy)


def read_weights(file: Path, digest: str | None = None) -> dict[str, Tensor]:
    """The tensors of a run's weights; ValueError if damaged, or not those with the SHA-256."""
    try:
        packed = file.read_bytes()
        if digest is not None and sha256(packed).hexdigest() != digest:
            raise ValueError("its content does not fit its checksum in history.json")
        return load(packed)
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(file, error) from error


def probe_file(directory: Path, steps: int) -> Path:
    """The file of the ticket that a probe saw after so many steps."""
    return directory / "probes" / f"step-{steps:06}.safetensors"


def write_probes(directory: Path, probes: Mapping[int, Ticket]) -> None:
    """Write probes, the counts of each filter, into a run's directory."""
    for steps, ticket in sorted(probes.items()):
        probe_file(directory, steps).parent.mkdir(exist_ok=True)
        ticket.save(probe_file(directory, steps), counts_only=True)


def read_probes(directory: Path) -> dict[int, Ticket]:
    """The probes in a run's directory, steps to ticket."""
    files = sorted((directory / "probes").glob("step-*.safetensors"))
    return {int(file.stem.removeprefix("step-")): Ticket.load(file) for file in files}


def strategy_name(strategy: object) -> str | None:
    """How a run calls what balances it in the place of its method: a strategy or a function."""
    if strategy is None:
        return None
    name = getattr(strategy, "name", None) or getattr(strategy, "__qualname__", None)
    return str(name or type(strategy).__name__)


def settings_of(name: str) -> Settings:
    """The settings of a recorded run; ValueError for an unknown name."""
    file = history_file(run_folder(name))
    try:
        return Settings(**read_history(file)["settings"])
    except TypeError as error:
        raise damaged(file, error) from error


def load_network(name: str) -> SpikingNetwork:
    """The network of a recorded run with the weights it had after its last round, for inference.

    Raises ValueError for an unknown name, or a run recorded without weights.
    """
    directory = run_folder(name)
    if not weights_file(directory).exists():
        having = [n for n in recorded_tickets() if weights_file(DATA / n).exists()]
        raise ValueError(
            f"the weights of {name} are too large to be recorded; those of {', '.join(having)} "
            "are; `uticket train` makes them again"
        )
    return _network(settings_of(name), read_weights(weights_file(directory)))


def write_spikes(run: LotteryRun, directory: Path, images: int) -> None:
    """Write the spikes that a run's trained network makes of its first test images, for
    `load_spikes`. Raises ValueError for a run without weights."""
    if not run.trained:
        raise ValueError("this run was kept without weights, and so it makes no spikes")
    network = _network(run.settings, run.trained)
    data = load_dataset(run.settings.dataset)
    made = [record_spikes(network, image) for image in data.prepare(data.test_images[:images])]
    stacked = {  # files hold what lies in memory, whatever the order of its axes
        layer: np.ascontiguousarray([spikes[layer] for spikes in made]) for layer in made[0]
    }
    write_atomically(spikes_file(directory), save_arrays(stacked))


def _network(settings: Settings, weights: dict[str, Tensor]) -> SpikingNetwork:
    network = make_network(settings.network, settings.timesteps)
    network.load_state_dict(weights)
    network.eval()
    return network


def versions() -> dict[str, str]:
    """Versions of what a run's numbers depend on."""
    packages = ("uticket-lite", "snntorch", "numpy", "numba", "scikit-learn")
    own = {"python": platform.python_version(), "torch": torch.__version__}  # +cpu, +cu130, …
    return own | {name: version(name) for name in packages}
