"""Compiled kernels on disk: found on every later start, never in the way.

Numba's own cache refuses to work where nothing can be written, stops the program when the disk
is full, misses when the CPU is another one, and does not notice that a kernel in *another* file,
which was inlined into a cached one, has changed. Here one file holds one compiled kernel, in a
folder named after a digest of all kernel sources; whatever goes wrong with it, the kernel is
compiled again, in memory.

Two folders are looked into: the user's, and one beside the installed packages, which
`uticket warm --shared` fills for any CPU (an image, a hub's shared environment).
"""

import hashlib
import os
import pickle
import sys
import time
import uuid
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

# Where an image keeps kernels that were compiled for any CPU of its kind.
SHARED = Path(sys.prefix, "share", "uticket-lite", "kernels")
PATIENCE = 1.0  # seconds of compiling before a word about it


def _digest() -> str:
    """Names what compiled code depends on: kernel sources, Numba, Python."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.implementation.cache_tag}".encode())
    for source in sorted(files(__package__).iterdir(), key=lambda source: source.name):
        if source.name.endswith(".py"):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def user_folder() -> Path | None:
    """`NUMBA_CACHE_DIR` if set, else the user's cache directory; None for a user without one.

    A home that is relative, missing or / is none: kernels would lie about wherever one works.
    """
    asked, cache = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME", "")
    if asked or os.path.isabs(cache):
        return Path(asked or cache, "uticket-lite", _LEAF)
    with suppress(RuntimeError, OSError):  # no HOME, and a user id without a name
        home = Path.home()
        if home.is_absolute() and home != Path(home.anchor) and home.is_dir():
            return home / ".cache" / "uticket-lite" / _LEAF
    return None


_LEAF = _digest()


class KernelCache(NullCache):
    """What Numba asks before it compiles one kernel, and tells afterwards."""

    compiling = 0.0  # seconds so far, of all kernels of this process
    told = False

    def __init__(self, function: Any) -> None:
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self.asked = 0.0

    def _file(self, folder: Path, signature: Any, target: tuple[str, ...]) -> Path:
        key = hashlib.sha256(f"{signature} {target}".encode()).hexdigest()[:16]
        return folder / f"{self.name}-{key}.kernel"

    def load_overload(self, signature: Any, target_context: Any) -> CompileResult | None:
        """The kernel compiled earlier for these types, if there is one."""
        target_context.refresh()
        target = target_context.codegen().magic_tuple()
        places = [(SHARED / "uticket-lite" / _LEAF, (target[0], "generic", ""))]
        if own := user_folder():
            places.insert(0, (own, target))
        for folder, compiled_for in places:
            # Whatever is wrong with the file, the kernel can be compiled.
            with suppress(Exception):
                data = self._file(folder, signature, compiled_for).read_bytes()
                return CompileResult._rebuild(target_context, *pickle.loads(data))
        self.asked = time.perf_counter()
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep a kernel that was just compiled, if that is possible."""
        KernelCache.compiling += time.perf_counter() - self.asked
        folder = user_folder()
        kept = folder is not None and self._keep(
            self._file(folder, signature, result.codegen.magic_tuple()), dumps(result._reduce())
        )
        if KernelCache.compiling > PATIENCE and not KernelCache.told:
            KernelCache.told = True
            if sys.stderr and (sys.stderr.isatty() or "ipykernel" in sys.modules):
                why = f"{folder} cannot be written" if folder else "this user has no home"
                often = "once" if kept else f"at every start, since {why}"
                print(f"uticket-lite: compiling kernels ({often}) …", file=sys.stderr, flush=True)

    def _keep(self, file: Path, data: bytes) -> bool:
        """Write all of it or nothing."""
        part = file.with_suffix(f".{uuid.uuid4().hex}")
        new: list[Path] = []
        try:
            new += [folder for folder in file.parents if not folder.is_dir()]
            file.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(file)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            for folder in new:
                with suppress(OSError):
                    folder.rmdir()
            return False
        return True
