"""`history.json`: how a run was trained, and what was measured in each round."""

import json
from pathlib import Path
from typing import Any

SHARES = ("sparsity", "accuracy", "spike_sparsity", "utilization", "utilization_before_balancing")
COUNTS = ("latency", "latency_before_balancing", "seconds")


def read_history(file: Path) -> dict[str, Any]:
    """The content of the file: `settings`, `images` (how many of which part), and `rounds`, a
    table for each from 0 up; what else there is stays as it is.

    Raises FileNotFoundError, or ValueError for a file that is damaged, cut off, or of another kind.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        _check(content)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"no finished run in {file.parent}: it has no {file.name}"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(file, error) from error
    return dict(content)


def damaged(file: Path, error: Exception) -> ValueError:
    """What is said of a file of a run that cannot be read."""
    said = f"no {error}" if isinstance(error, KeyError) else str(error)
    return ValueError(
        f"{file} is damaged: {said}. Put back a copy of it; or delete {file.parent} to train that "
        "run again from its start"
    )


def _check(content: Any) -> None:
    for name, kind in (("settings", dict), ("images", dict), ("rounds", list)):
        if not isinstance(content, dict) or not isinstance(content.get(name), kind):
            raise ValueError(f"it has no {name}, {'a table' if kind is dict else 'a list'}")
    if not _whole(content["settings"].get("seed")):
        raise ValueError("its settings have no seed, a whole number")
    for part in ("train", "test"):
        if not _whole(content["images"].get(part), 1):
            raise ValueError(f"its images have no {part}, a number of them")
    if not content["rounds"]:
        raise ValueError("it has no round")
    for number, row in enumerate(content["rounds"]):
        if not isinstance(row, dict) or row.get("round") != number:
            raise ValueError("its rounds are not tables numbered from 0")
        for name in ("sparsity", "accuracy", "utilization", "latency"):
            if name not in row:
                raise ValueError(f"round {number} has no {name}")
        for name, most in (
            *dict.fromkeys(SHARES, 1).items(),
            *dict.fromkeys(COUNTS, 2**63).items(),
        ):
            value = row.get(name)
            if value is not None and not (_number(value) and 0 <= value <= most):
                raise ValueError(f"round {number}: {name} cannot be {value!r:.50}")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
