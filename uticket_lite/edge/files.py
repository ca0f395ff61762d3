"""Files: safetensors opened with errors that help, and files replaced whole or not at all."""

import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open


@contextmanager
def open_safetensors(path: str | os.PathLike[str], kind: str, hint: str) -> Iterator[Any]:
    """A safetensors file, open for reading; `kind` and `hint` are for error messages.

    Raises FileNotFoundError, or ValueError for whatever goes wrong while it is open.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no {kind} file at {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        struct.error,
    ) as error:
        raise ValueError(
            f"{path} cannot be read as a {kind}: {error}. It may be truncated or of another "
            f"kind; {hint}"
        ) from error


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that readers find the old or the new content, never a part of it."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
