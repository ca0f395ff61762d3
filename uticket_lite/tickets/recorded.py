"""Tickets of real training runs that ship with the package, under `data/`."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from uticket_lite.edge.checks import one_of, whole_number
from uticket_lite.edge.files import open_safetensors
from uticket_lite.tickets.history import read_history
from uticket_lite.tickets.ticket import Ticket

_PACKAGE = Path(__file__).parents[1]
DATA = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent / "data"
"""Inside an installed package, or beside it in a checkout."""
METHODS = {"lth": "LTH", "uticket": "u-Ticket"}
"""What a recorded run's name ends with, to how the method is written."""


def round_file(run: Path, number: int) -> Path:
    """The file of one pruning round's ticket."""
    return run / f"round-{number:02d}.safetensors"


def history_file(run: Path) -> Path:
    """The file of a run's settings and of what was measured in each round."""
    return run / "history.json"


def weights_file(run: Path) -> Path:
    """The file of a run's weights after its last round."""
    return run / "weights.safetensors"


def spikes_file(run: Path) -> Path:
    """The file of the spikes that a run's trained network makes of its first test images."""
    return run / "spikes.safetensors"


def recorded_tickets() -> tuple[str, ...]:
    """Names of the recorded runs, for `load_ticket` and `load_history`."""
    return tuple(sorted(path.parent.name for path in DATA.glob("*/history.json")))


def run_folder(name: str) -> Path:
    """The folder of a recorded run; ValueError for an unknown name."""
    return DATA / one_of("recorded ticket", name, recorded_tickets())


def load_history(name: str) -> pd.DataFrame:
    """One row per round of a recorded run: round, sparsity, accuracy, utilization, …

    Raises ValueError for an unknown name.
    """
    return _read_history(history_file(run_folder(name)))


def load_seeds(name: str) -> pd.DataFrame:
    """The histories of a recorded run and of its repetitions with other seeds, column `seed`.

    Raises ValueError for an unknown name.
    """
    run = run_folder(name)
    files = [history_file(run), *sorted(run.glob("history-seed-*.json"))]
    return pd.concat([_read_history(file) for file in files], ignore_index=True)


def tested_on(name: str) -> int:
    """On how many images the accuracies of a recorded run were measured."""
    return int(read_history(history_file(run_folder(name)))["images"]["test"])


def _read_history(file: Path) -> pd.DataFrame:
    content = read_history(file)
    return pd.DataFrame(content["rounds"]).assign(seed=content["settings"]["seed"])


def load_spikes(name: str) -> dict[str, np.ndarray]:
    """What a recorded run's trained network sends to each of its layers but the first, for its
    first test images: layer to uint8 (images, T, C, H, W), or (images, T, C) for a linear layer.

    `training.record_spikes` makes the same of any network and image; these are kept, so that
    nobody needs torch to look at them. Raises ValueError for a run without them.
    """
    run = DATA / one_of("run with recorded spikes", name, runs_with_spikes())
    hint = "reinstall uticket-lite"
    with open_safetensors(spikes_file(run), "recorded spikes", hint) as file:
        return {layer: file.get_tensor(layer) for layer in file.keys()}  # noqa: SIM118


def runs_with_spikes() -> list[str]:
    """Names for `load_spikes`."""
    return [name for name in recorded_tickets() if spikes_file(DATA / name).exists()]


def load_ticket(name_or_path: str | os.PathLike[str], round: int | None = None) -> Ticket:
    """A recorded ticket by name, or any ticket file by path.

    round: pruning round of a recorded run, 0 (dense) to the last; default the last.
    Raises ValueError for an unknown name or round, FileNotFoundError for a missing file.
    """
    path = Path(name_or_path)
    if path.suffix == ".safetensors":
        if round is not None:
            raise ValueError(f"round={round} goes with a recorded ticket's name, not with {path}")
        return Ticket.load(path)
    run = run_folder(str(name_or_path))
    rounds = sorted(
        int(file.stem.removeprefix("round-")) for file in run.glob("round-*.safetensors")
    )
    chosen = rounds[-1] if round is None else whole_number("round", round, minimum=0)
    if chosen not in rounds:
        raise ValueError(f"{path} has rounds {rounds[0]} to {rounds[-1]}, not {chosen}")
    return Ticket.load(round_file(run, chosen))
