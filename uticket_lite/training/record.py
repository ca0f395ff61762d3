"""What a training run leaves: tickets, history, weights."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from uticket_lite.edge.checks import one_of
from uticket_lite.edge.files import write_atomically
from uticket_lite.tickets.recorded import (
    DATA,
    history_file,
    recorded_tickets,
    round_file,
    weights_file,
)
from uticket_lite.tickets.ticket import Ticket
from uticket_lite.training.networks import SpikingNetwork, make_network
from uticket_lite.training.settings import Settings


@dataclass
class LotteryRun:
    """The rounds finished so far.

    images: how many there are to `train` and to `test`. tickets: one per round, the masks that
    were trained in it. rows: one per round, see `history`. rewound: the weights that every
    round starts from, trained: those at the end of the last finished round; name to tensor,
    batch norm included. probes: what `Settings.probe` saw, steps to ticket.
    """

    settings: Settings
    images: dict[str, int]
    tickets: list[Ticket] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rewound: dict[str, Tensor] = field(default_factory=dict)
    trained: dict[str, Tensor] = field(default_factory=dict)
    probes: dict[int, Ticket] = field(default_factory=dict)

    @property
    def history(self) -> pd.DataFrame:
        """One row per round.

        round, timesteps, sparsity (of all prunable weights), accuracy (test set),
        spike_sparsity (mean over the counted layers), utilization and latency (weight cycles) of
        the trained ticket and before balancing, seconds.
        """
        return pd.DataFrame(self.rows)

    def save(
        self, directory: str | os.PathLike[str], *, masks_from: int = 0, weights: bool = True
    ) -> None:
        """Write each round's ticket, `history.json` and the trained weights into a directory,
        made if missing.

        masks_from: of rounds before this one, only counts are kept (see `Ticket.save`).
        weights: whether to write them; those of large networks take as much space as all tickets.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for number, ticket in enumerate(self.tickets):
            ticket.save(round_file(directory, number), counts_only=number < masks_from)
        if weights:
            write_atomically(weights_file(directory), save(self.trained))
        content = {
            "settings": asdict(self.settings),
            "images": self.images,
            "versions": versions(),
            "rounds": self.rows,
        }
        write_atomically(history_file(directory), (json.dumps(content, indent=1) + "\n").encode())

    @classmethod
    def read(cls, directory: str | os.PathLike[str]) -> "LotteryRun":
        """A finished run that `save` wrote, with weights if they are there.

        Raises FileNotFoundError if there is none.
        """
        directory = Path(directory)
        if not history_file(directory).exists():
            raise FileNotFoundError(f"no finished run in {directory}: it has no history.json")
        about = json.loads(history_file(directory).read_text())
        tickets = [Ticket.load(round_file(directory, row["round"])) for row in about["rounds"]]
        file = weights_file(directory)
        trained = load_file(file) if file.exists() else {}
        settings = Settings(**about["settings"])
        return cls(settings, about["images"], tickets, about["rounds"], trained=trained)


def settings_of(name: str) -> Settings:
    """The settings of a recorded run; ValueError for an unknown name."""
    directory = DATA / one_of("recorded ticket", name, recorded_tickets())
    return Settings(**json.loads(history_file(directory).read_text())["settings"])


def load_network(name: str) -> SpikingNetwork:
    """The network of a recorded run with the weights it had after its last round, for inference.

    Raises ValueError for an unknown name, or a run recorded without weights.
    """
    directory = DATA / one_of("recorded ticket", name, recorded_tickets())
    if not weights_file(directory).exists():
        having = [n for n in recorded_tickets() if weights_file(DATA / n).exists()]
        raise ValueError(
            f"the weights of {name} are too large to be recorded; those of {', '.join(having)} "
            "are; `uticket train` makes them again"
        )
    settings = settings_of(name)
    network = make_network(settings.network, settings.timesteps)
    network.load_state_dict(load_file(weights_file(directory)))
    network.eval()
    return network


def versions() -> dict[str, str]:
    """Versions of what a run's numbers depend on."""
    packages = ("uticket-lite", "snntorch", "numpy", "numba", "scikit-learn")
    own = {"python": platform.python_version(), "torch": torch.__version__}  # +cpu, +cu130, …
    return own | {name: version(name) for name in packages}
