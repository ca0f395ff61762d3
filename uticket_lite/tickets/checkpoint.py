"""State dicts in checkpoints that torch wrote: `.pth`, `.pt`, `.pth.tar`.

Such files are pickles, which can run code when read; only tensors and plain containers are let
through (`torch.load(weights_only=True)`), never objects.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from uticket_lite.edge.checks import printable
from uticket_lite.edge.tensors import InMemory
from uticket_lite.tickets.state_dict import from_tensors

SUFFIXES = (".pth", ".pt", ".tar", ".ckpt")
PLACES = ("state_dict", "model_state_dict", "model", "net", "network", "params", "weights")
"""Where training scripts keep weights beside epoch, accuracy and optimizer."""
RESAVE = (
    "in the program that made it, write the weights alone: "
    'safetensors.torch.save_file(model.state_dict(), "net.safetensors")'
)


def read_checkpoint(
    path: str | os.PathLike[str], counted: Iterable[str] | None = None
) -> dict[str, Any]:
    """What `Ticket` needs of a checkpoint: as `state_dict.read_state_dict`, from the state dict it
    is, or the one under "state_dict", "model" or the like. Masks beside it ("mask", "masks")
    are taken too; `module.` before every name, which parallel training puts there, is not.

    Raises FileNotFoundError, ImportError without torch, or ValueError for a damaged file, one
    without weights of layers, and one that holds objects: a whole pickled network, say.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    found = _find(_load(path))
    if found is None:
        raise ValueError(
            f"{path} holds no state dict, neither itself nor as one of: {', '.join(PLACES)}"
        )
    tensors = {
        name: InMemory(tensor, f"tensor {name!r}: ") for name, tensor in _unwrapped(found).items()
    }
    try:
        return from_tensors(tensors, path.name, counted)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} cannot be read as a state dict: {error}") from error


def _load(path: Path) -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError(
            f"reading {path.name} needs torch; install uticket-lite[training], or {RESAVE}"
        ) from None
    import pickle

    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except (RuntimeError, ValueError):  # files of old cannot be mapped
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        said = printable(" ".join(str(error).split()))[:200]
        raise ValueError(
            f"{path} holds objects beside tensors (a whole pickled network?), and reading them "
            f"could run code: {said}. Instead, {RESAVE}"
        ) from None
    except Exception as error:  # torch.load raises whatever a damaged pickle leads to
        said = printable(" ".join(str(error).split()))[:200] or type(error).__name__
        raise ValueError(
            f"{path} cannot be read as a checkpoint of torch: {said}. It may be truncated; "
            f"copy it again, or {RESAVE}"
        ) from None


def _find(content: Any) -> dict[str, Any] | None:
    """The tensors of a checkpoint, those of masks under `masks.NAME`."""
    if not isinstance(content, Mapping):
        return None
    tensors = _tensors(content)
    for place in PLACES:
        if isinstance(content.get(place), Mapping) and _tensors(content[place]):
            tensors = _unwrapped(_tensors(content[place]))
            break
    for place in ("mask", "masks", "mask_dict"):
        masks = content.get(place)
        if isinstance(masks, list | tuple):
            masks = {str(i): mask for i, mask in enumerate(masks)}
        if isinstance(masks, Mapping):
            beside = _unwrapped(_tensors(masks))
            tensors |= {f"masks.{name}": mask for name, mask in beside.items()}
    return tensors or None


def _tensors(table: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in table.items() if hasattr(value, "detach")}


def _unwrapped(tensors: dict[str, Any]) -> dict[str, Any]:
    wrapped = all(name.startswith("module.") for name in tensors)
    return {name.removeprefix("module.") if wrapped else name: t for name, t in tensors.items()}
