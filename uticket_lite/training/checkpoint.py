"""Where a run stands, and the file that says so: a killed run goes on as if nothing happened.

Tensors as safetensors, the rest as JSON in its metadata, with a checksum over both; nothing is
pickled.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from uticket_lite.edge.files import write_atomically
from uticket_lite.tickets.history import damaged
from uticket_lite.tickets.ticket import Ticket

FORMAT = "uticket-lite checkpoint 1"
GROUPS = ("network", "momentum", "rewound", "masks", "unbalanced", "trained")
FACTS = ("epoch", "step", "timesteps", "rows", "seconds")


@dataclass(frozen=True)
class State:
    """Everything that the rest of a run depends on, besides its settings; on the CPU.

    epoch: epochs finished in the present round. step: steps done in the next one. network: weights
    and batch norm. momentum: the optimizer's, by parameter; empty before the first step of a round.
    rewound: the weights that rounds start from; empty before the rewind epoch. masks: trained in
    this round. unbalanced: the same before balancing. trained: the network after the last
    finished round. timesteps: T of this round. seconds: spent in it so far. rows: the history of
    the finished rounds. tickets: theirs. probes: see `Settings.probe`, steps to ticket. Both are
    files of their own, not in the checkpoint.
    """

    epoch: int = 0
    step: int = 0
    network: dict[str, Tensor] = field(default_factory=dict)
    momentum: dict[str, Tensor] = field(default_factory=dict)
    rewound: dict[str, Tensor] = field(default_factory=dict)
    masks: dict[str, Tensor] = field(default_factory=dict)
    unbalanced: dict[str, Tensor] = field(default_factory=dict)
    trained: dict[str, Tensor] = field(default_factory=dict)
    timesteps: int = 0
    seconds: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    probes: dict[int, Ticket] = field(default_factory=dict)

    @property
    def round(self) -> int:
        """The present round, counted from 0: as many are finished."""
        return len(self.rows)


def save_checkpoint(path: Path, identity: Mapping[str, Any], state: State) -> None:
    """Write the state of the run that `identity` describes (its settings, JSON-like).

    Raises OSError where it cannot be written, on a full disk say; the one before is kept.
    """
    tensors = {
        f"{group}/{name}": tensor
        for group in GROUPS
        for name, tensor in copy_tensors(getattr(state, group)).items()  # files share no memory
    }
    about = json.dumps(
        {"settings": identity, "round": state.round, **{key: getattr(state, key) for key in FACTS}}
    )
    metadata = {FORMAT: about, "sha256": _digest(about, tensors)}
    write_atomically(path, save(tensors, metadata))


def load_checkpoint(path: Path) -> tuple[dict[str, Any], State]:
    """Identity and state, without tickets and probes; ValueError for a damaged file."""
    groups: dict[str, Any] = {group: {} for group in GROUPS}
    tensors: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            for key in file.keys():  # noqa: SIM118
                group, name = key.split("/", 1)
                groups[group][name] = tensors[key] = file.get_tensor(key)
        text = metadata.pop(FORMAT)
        # Early files have no checksum.
        if metadata and metadata != {"sha256": _digest(text, tensors)}:
            raise ValueError("its content does not fit its checksum")
        about = {"step": 0} | json.loads(text)  # early ones were written between epochs only
        identity = dict(about["settings"])
        facts = {key: about[key] for key in FACTS}
        if [row["round"] for row in facts["rows"]] != list(range(about["round"])):
            raise ValueError("its rounds are not those of its history")
        return identity, State(**facts, **groups)
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error


def _digest(about: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(about.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def copy_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, detached and copied to the CPU, in the plain layout that files have."""
    return {
        name: torch.clone(tensor.detach().cpu(), memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
