"""Where a run stands, on disk after every epoch: a killed run goes on as if nothing happened.

Tensors as safetensors, the rest as JSON in its metadata; nothing is pickled. A file is
replaced whole or not at all, so that the last good checkpoint survives a full disk or a kill
in the middle of writing.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from uticket_lite.edge.files import write_atomically

FORMAT = "uticket-lite checkpoint 1"
GROUPS = ("network", "momentum", "rewound", "masks", "unbalanced")


@dataclass
class State:
    """Everything that the rest of a run depends on, besides its settings.

    round, epoch: epochs finished in the present round. network: weights and batch norm.
    momentum: the optimizer's, by parameter; empty before the first step of a round.
    rewound: the weights that rounds start from; empty before the rewind epoch. masks: trained
    in this round. unbalanced: the same before balancing. timesteps: T of this round.
    rows: the history of the finished rounds. seconds: spent in this round so far.
    """

    round: int = 0
    epoch: int = 0
    network: dict[str, Tensor] = field(default_factory=dict)
    momentum: dict[str, Tensor] = field(default_factory=dict)
    rewound: dict[str, Tensor] = field(default_factory=dict)
    masks: dict[str, Tensor] = field(default_factory=dict)
    unbalanced: dict[str, Tensor] = field(default_factory=dict)
    timesteps: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def checkpoint_file(directory: Path) -> Path:
    """The file in a run's directory that holds its state."""
    return directory / "checkpoint.safetensors"


def save_checkpoint(directory: Path, settings: dict[str, Any], state: State) -> None:
    """Write the state of a run with these settings.

    Raises OSError where it cannot be written, on a full disk say; the one before is kept.
    """
    tensors = {
        f"{group}/{name}": tensor
        for group in GROUPS
        for name, tensor in copy_tensors(getattr(state, group)).items()
    }
    about = {
        "settings": settings,
        **{key: getattr(state, key) for key in ("round", "epoch", "timesteps", "rows", "seconds")},
    }
    write_atomically(checkpoint_file(directory), save(tensors, {FORMAT: json.dumps(about)}))


def load_checkpoint(directory: Path, settings: dict[str, Any]) -> State | None:
    """The state of the run in a directory, or None if it has none.

    Raises ValueError for a damaged file, or if the run there has other settings.
    """
    path = checkpoint_file(directory)
    if not path.exists():
        return None
    groups: dict[str, Any] = {group: {} for group in GROUPS}
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()[FORMAT])
            for key in file.keys():  # noqa: SIM118
                group, name = key.split("/", 1)
                groups[group][name] = file.get_tensor(key)
        found = about.pop("settings")
        state = State(**about, **groups)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged: {error}. Delete it to start the run anew, or put back a copy"
        ) from error
    if found != settings:
        other = {key: (found.get(key), value) for key, value in settings.items()}
        differing = ", ".join(
            f"{key} {was!r} there, {now!r} here" for key, (was, now) in other.items() if was != now
        )
        raise ValueError(
            f"{directory} holds a run with other settings ({differing}); choose another directory"
        )
    return state


def copy_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, detached and copied to the CPU, in the plain layout that files have."""
    return {
        name: torch.clone(tensor.detach().cpu(), memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
