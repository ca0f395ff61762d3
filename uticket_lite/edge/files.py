"""Files: safetensors opened with errors that help, and files replaced whole or not at all."""

import os
import re
import socket
import struct
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from uticket_lite.edge.checks import printable

DAMAGE = (
    SafetensorError,
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What reading a damaged file may raise, wherever it is noticed."""
ABANDONED = 24 * 3600
"""Seconds after which a part of a file is left over, whoever writes it."""


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
    except DAMAGE as error:
        raise ValueError(
            f"{path} cannot be read as a {kind}: {printable(_said(error))}. It may be truncated "
            f"or of another kind; {hint}"
        ) from error


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that readers find the old or the new content, never a part of it.

    A link is written through, to the file it leads to; a file that exists keeps its mode, a new
    one gets what the umask says. What killed writes of this file left behind is removed.
    """
    path = Path(os.path.realpath(path))
    _sweep(path)
    part = path.with_name(f".{path.name}.{_me()}.{uuid.uuid4().hex[:8]}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o666), "wb") as file:
            with suppress(FileNotFoundError):
                os.chmod(part, path.stat().st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _me() -> str:
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:32]
    return f"{host}.{os.getpid()}"


def _sweep(path: Path) -> None:
    """Remove parts of a file whose writer on this machine is no more, or that are a day old."""
    host = _me().partition(".")[0]
    known = re.compile(rf"\.{re.escape(path.name)}\.(?:([^.]+)\.(\d+)\.\w{{8}}\.part|\w{{8}})")
    with suppress(OSError):
        for other in os.listdir(path.parent):
            if found := known.fullmatch(other):
                part = path.with_name(other)
                with suppress(OSError):
                    gone = found[1] == host and not _alive(int(found[2]))
                    if gone or time.time() - part.stat().st_mtime > ABANDONED:
                        part.unlink()


def _alive(process: int) -> bool:
    """Whether it runs; where that cannot be asked, yes."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True
