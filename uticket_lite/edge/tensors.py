"""Tensors in safetensors files, read a piece at a time: a file may be larger than memory.

Every type of number that such files have is read without torch; those that NumPy lacks become
float32, which holds them exactly.
"""

import json
import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uticket_lite.edge.arrays import to_array
from uticket_lite.edge.files import open_safetensors

TYPES = {
    "BOOL": "?",
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    "BF16": "<u2",
    **{name: "u1" for name in ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ")},
}
BLOCK = 1 << 20
"""Numbers read at a time: a few megabytes."""

INDEX = ".safetensors.index.json"


@dataclass(frozen=True)
class InFile:
    """A tensor in a file, as a table of its filters: row k holds the weights of filter k.

    dtype: as safetensors names it. shape: 1 dimension or more. start: byte of its first number.
    stamp: the file's size and time when it was opened.
    """

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    stamp: tuple[int, int]

    def block(self, rows: slice, columns: slice) -> np.ndarray:
        """Some rows (K, C·kh·kw), or some columns of one row, as numbers.

        Raises ValueError if the file is no longer what it was.
        """
        width = math.prod(self.shape[1:])
        stored = np.dtype(TYPES[self.dtype])
        first = rows.start * width + columns.start
        shape = rows.stop - rows.start, columns.stop - columns.start
        if stamp_of(self.path) != self.stamp:
            raise ValueError(f"{self.path} has changed since it was opened; open it again")
        offset = self.start + first * stored.itemsize
        found = np.fromfile(self.path, stored, math.prod(shape), offset=offset)
        return _decoded(found, self.dtype).reshape(shape)


class InMemory:
    """The same of anybody's tensor in memory."""

    def __init__(self, tensor: Any, what: str) -> None:
        self.tensor, self.what = tensor, what
        self.shape = tuple(tensor.shape)

    def block(self, rows: slice, columns: slice) -> np.ndarray:
        """See `InFile`."""
        strided = "strided" in str(getattr(self.tensor, "layout", "strided"))
        if strided and not getattr(self.tensor, "is_quantized", False):
            part = to_array(self.tensor[rows], self.what)
        else:
            part = to_array(self.tensor, self.what)[rows]
        return part.reshape(len(part), -1)[:, columns]


Stored = InFile | InMemory


def blocks(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Pieces of a table in the order in which they lie: whole rows, or words of one."""
    if columns <= BLOCK:
        step = max(1, BLOCK // max(1, columns))
        for row in range(0, rows, step):
            yield slice(row, min(row + step, rows)), slice(0, columns)
        return
    for row in range(rows):
        for column in range(0, columns, BLOCK):
            yield slice(row, row + 1), slice(column, min(column + BLOCK, columns))


def whole(tensor: Stored) -> np.ndarray:
    """A small tensor, all of it."""
    rows = tensor.shape[0] if tensor.shape else 1
    columns = slice(0, math.prod(tensor.shape[1:]))
    return tensor.block(slice(0, rows), columns).reshape(tensor.shape)


def open_tensors(path: str | os.PathLike[str], kind: str, hint: str) -> dict[str, InFile]:
    """The tensors of a safetensors file, or of all those that a sharded one's index names.

    Raises FileNotFoundError, or ValueError for damaged files; see `open_safetensors`.
    """
    path = Path(path)
    if not path.name.endswith(INDEX):
        return _open(path, kind, hint)
    if not path.is_file():
        raise FileNotFoundError(f"no {kind} file at {path}")
    try:
        where = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        names = dict.fromkeys(where.values())
        if any(Path(name).name != name or "\\" in name for name in names):
            raise ValueError("its shards must be file names beside it, without folders")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} cannot be read as the index of a sharded state dict: {error}; it must be "
            'JSON with a table "weight_map", tensor to file'
        ) from None
    shards = {name: _open(path.with_name(name), kind, hint) for name in names}
    for tensor, name in where.items():
        if tensor not in shards[name]:
            raise ValueError(f"{path} says that {tensor!r} is in {name}, but it is not")
    return {tensor: shards[name][tensor] for tensor, name in where.items()}


def metadata_of(path: str | os.PathLike[str], kind: str, hint: str) -> Mapping[str, str]:
    """What a safetensors file says of itself."""
    with open_safetensors(path, kind, hint) as file:
        return file.metadata() or {}


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of a file: if they are the same, so is what it holds."""
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def _open(path: Path, kind: str, hint: str) -> dict[str, InFile]:
    with open_safetensors(path, kind, hint) as file:
        known = set(file.keys())  # the header agrees with itself and with the file's size
        stamp = stamp_of(path)
        with open(path, "rb") as raw:
            (length,) = struct.unpack("<Q", raw.read(8))
            header = json.loads(raw.read(length))
    return {
        name: InFile(
            path, at["dtype"], tuple(at["shape"]), 8 + length + at["data_offsets"][0], stamp
        )
        for name, at in header.items()
        if name in known
    }


def readable(name: str, tensor: Stored) -> None:
    """ValueError if a tensor's numbers are of a type that nobody here can read."""
    if isinstance(tensor, InFile) and tensor.dtype not in TYPES:
        raise ValueError(
            f"tensor {name!r} is of type {tensor.dtype}, which holds no plain real numbers; "
            f"convert it to one of {', '.join(TYPES)}"
        )


def _decoded(stored: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "BF16":
        return (stored.astype("<u4") << 16).view("<f4")
    if dtype.startswith("F8"):
        return _TABLES[dtype][stored]
    return stored


def _table(mantissa: int, bias: int) -> np.ndarray:
    """What each of 256 bytes means as a float of sign, exponent and that many mantissa bits."""
    code = np.arange(256)
    exponent, fraction = (code & 127) >> mantissa, (code & (1 << mantissa) - 1) / 2**mantissa
    size = np.where(
        exponent, (1 + fraction) * 2.0 ** (exponent - bias), fraction * 2.0 ** (1 - bias)
    )
    return np.where(code < 128, size, -size)


def _tables() -> dict[str, np.ndarray]:
    tables = {
        "F8_E4M3": _table(3, 7),
        "F8_E5M2": _table(2, 15),
        "F8_E4M3FNUZ": _table(3, 8),
        "F8_E5M2FNUZ": _table(2, 16),
        "F8_E8M0": 2.0 ** (np.arange(256) - 127),
    }
    for name, nans in {
        "F8_E4M3": [127, 255],
        "F8_E5M2": [124, 125, 126, 127, 252, 253, 254, 255],  # infinities are as bad
        "F8_E4M3FNUZ": [128],
        "F8_E5M2FNUZ": [128],
        "F8_E8M0": [255],
    }.items():
        tables[name][nans] = np.nan
    return {name: table.astype(np.float32) for name, table in tables.items()}


_TABLES = _tables()
