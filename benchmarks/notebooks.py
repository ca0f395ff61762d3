"""Memory of each notebook, run from top to bottom in a fresh kernel, and of all open at once.

Needs Linux. Kernels are compiled before, as on a prepared machine.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from benchmarks import lab
from benchmarks.measure import Figure
from benchmarks.memory import peak, together
from uticket_lite.cli.warm import warm

EXPLORERS, TRAINING, ALL = 450, 1000, 1600
"""Megabytes that a kernel without and with torch may take, and all of them with their server."""
TORCH = "import torch", "uticket_lite.training", "uticket_lite.teach import LiveRounds"


def figures() -> Iterable[Figure]:
    """Megabytes; takes some minutes."""
    warm()
    os.environ["UTICKET_ANSWERS"] = "auto"  # questions answer themselves
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        _, server = opened.enter_context(lab.server(Path(folder)))
        kernels = []
        for path in sorted(Path(folder, "notebooks").glob("*.ipynb")):
            kernels.append(opened.enter_context(executed(path)))
            limit = TRAINING if uses_torch(path) else EXPLORERS
            yield Figure(path.name, peak(kernels[-1]), unit="MB", limit=limit)
        yield Figure("server", together([server]), unit="MB")
        yield Figure(
            "all open, with the server", together([server, *kernels]), unit="MB", limit=ALL
        )


def uses_torch(path: Path) -> bool:
    """Whether a notebook trains, or runs a network."""
    cells = nbformat.read(path, 4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return any(word in code for word in TORCH)


@contextmanager
def executed(path: Path) -> Iterator[int]:
    """The process of a kernel that has run the notebook and goes on."""
    client = NotebookClient(
        nbformat.read(path, 4), timeout=600, resources={"metadata": {"path": str(path.parent)}}
    )
    with client.setup_kernel():
        client.kc.allow_stdin = True  # as where somebody looks: explorers are alive, not pictures
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)
        yield client.km.provisioner.pid
