"""State dicts in checkpoints that torch wrote: `.pth`, `.pt`, `.pth.tar`.

Such files are pickles, which can run code when read; only tensors, arrays and plain containers are
let through (`torch.load(weights_only=True)`), never objects.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct, scalar

from uticket_lite.edge.arrays import to_array
from uticket_lite.edge.checks import printable, told
from uticket_lite.edge.tensors import InMemory
from uticket_lite.tickets.conventions import MASK, is_plural, layer_of
from uticket_lite.tickets.state_dict import from_tensors

SUFFIXES = (".pth", ".pt", ".tar", ".ckpt")
PLACES = ("state_dict", "model_state_dict", "model", "net", "network", "params", "weights")
"""Where training scripts keep weights beside epoch, accuracy and optimizer."""
BESIDE = "masks"
"""What names of masks begin with that are kept beside a state dict."""
NUMBERS_PER_BYTE = 1000
"""Of a file; a sparse tensor with a thousandth of its numbers has up to 50."""
DEEPEST = 64
"""Lists in lists that can be an array."""
RESAVE = (
    "in the program that made it, write the weights alone (and masks beside them as NAME.mask): "
    'safetensors.torch.save_file(model.state_dict(), "net.safetensors")'
)


def read_checkpoint(
    path: str | os.PathLike[str], counted: Iterable[str] | None = None
) -> dict[str, Any]:
    """What `Ticket` needs of a checkpoint: as `state_dict.read_state_dict`, from the state dict it
    is, or one in it, under "state_dict", "model" or the like. Masks beside it ("mask", "masks")
    are taken too; `module.` before every name, which parallel training puts there, is not.

    Raises FileNotFoundError, ImportError without torch, or ValueError for a damaged file, one
    without weights of layers, and one that holds objects: a whole pickled network, say.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    content = _load(path)
    try:
        found = _find(content)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} cannot be read as a state dict: {error}") from error
    except RecursionError:
        raise ValueError(f"{path} holds tables or lists that hold themselves; {RESAVE}") from None
    if found is None:
        raise ValueError(
            f"{path} holds no state dict: neither itself nor any table in it (as "
            f"{', '.join(PLACES)}) has a tensor called NAME.weight"
        )
    size = path.stat().st_size
    for name, tensor in found.items():  # expanded and sparse ones hold less than they say
        if (numbers := math.prod(tensor.shape)) > NUMBERS_PER_BYTE * size:
            raise ValueError(
                f"{path}: {size:,} bytes cannot hold the {numbers:,} numbers of {printable(name)}"
            )
    tensors = {name: InMemory(tensor, f"tensor {name!r}: ") for name, tensor in found.items()}
    try:
        return from_tensors(tensors, path.name, counted, beside=BESIDE)
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
        with torch.serialization.safe_globals(_numpy()):
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


def _numpy() -> list[Any]:
    """What arrays and numbers of NumPy are made of in a pickle, under old names too: they run
    nothing."""
    made = {"_reconstruct": _reconstruct, "scalar": scalar}
    names = [
        (function, f"numpy.{core}.multiarray.{name}")
        for name, function in made.items()
        for core in ("core", "_core")
    ]
    return [np.ndarray, np.dtype, *(type(np.dtype(kind)) for kind in "?bhilqBHILQefd"), *names]


def _find(content: Any) -> dict[str, Any] | None:
    """The tensors of a checkpoint's weights, and masks beside them under `masks.NAME`."""
    tables = dict(_tables(content, ()))

    def likely(path: tuple[str, ...]) -> int:
        return PLACES.index(path[-1]) if path and path[-1] in PLACES else len(PLACES)

    weights = {
        path: any(layer_of(name) and not MASK.search(name) for name in table)
        for path, table in tables.items()
    }
    having = [
        path
        for path in tables
        if weights[path] and not any(MASK.search(key) or "optim" in key for key in path)
    ]
    if not having:
        return None
    own = () if () in having else min(having, key=likely)
    tensors = _unwrapped(tables[own])
    for path, table in tables.items():
        named = next((at for at, key in enumerate(path) if MASK.search(key)), None)
        for name, mask in _unwrapped(table).items():
            if named is not None:
                tensors[".".join((BESIDE, *path[named + 1 :], name))] = mask
            elif MASK.search(name) and not weights[path]:
                tensors.setdefault(name, mask)
    return tensors


def _tables(
    content: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every dictionary or list in a checkpoint, and itself, that holds tensors, by where it is.

    ValueError for what is called a mask and neither is nor holds tensors or numbers.
    """
    if isinstance(content, list | tuple):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        if isinstance(content, set | frozenset | bytes) and MASK.search(" ".join(path)):
            raise ValueError(
                f"{printable('.'.join(path))} must hold a number for each weight, not "
                f"{told(content)}; {RESAVE}"
            )
        return
    named = {_name(key): _array(value, (*path, _name(key))) for key, value in content.items()}
    if tensors := {key: value for key, value in named.items() if _is_array(value)}:
        yield path, tensors
    for key, value in named.items():
        yield from _tables(value, (*path, key))


def _array(value: Any, path: tuple[str, ...]) -> Any:
    """The value; where it is nested lists of numbers and called a mask or a weight, an array.

    What is called "masks" alone is a list of them.
    """
    first = value
    for _ in range(DEEPEST):
        first = first[0] if isinstance(first, list | tuple) and first else first
    called = MASK.search(" ".join(path)) or layer_of(path[-1])
    if first is value or not isinstance(first, int | float) or not called or is_plural(path[-1]):
        return value
    return to_array(value, f"{printable('.'.join(path))}: ")


def _is_array(value: Any) -> bool:
    return hasattr(value, "detach") or isinstance(value, np.ndarray)


def _name(key: Any) -> str:
    return ".".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _unwrapped(tensors: dict[str, Any]) -> dict[str, Any]:
    wrapped = all(name.startswith("module.") for name in tensors)
    return {name.removeprefix("module.") if wrapped else name: t for name, t in tensors.items()}
