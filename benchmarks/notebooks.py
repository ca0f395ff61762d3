"""Memory and time of each notebook, run in a fresh kernel, and memory of all open at once.

Needs Linux. Kernels are compiled before, as on a prepared machine.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from benchmarks import lab
from benchmarks.measure import Figure
from benchmarks.memory import peak, together, worked
from uticket_lite.cli.warm import warm

SECONDS = 120
"""Of one processor that a notebook may take: what a learner waits for at most."""
EXPLORERS, TRAINING, ALL = 450, 1000, 1600
"""Megabytes that a kernel without and with torch may take, and all of them with their server."""
RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs" / "lecturers.md"
BEGIN, END = "% notebooks: begin", "% notebooks: end"
"""Comments of MyST, between which the page has the table."""
TORCH = "import torch", "uticket_lite.training", "uticket_lite.teach import LiveRounds"


def figures() -> Iterable[Figure]:
    """Megabytes and processor seconds, which neighbours hardly change; takes some minutes."""
    warm()
    os.environ["UTICKET_ANSWERS"] = "auto"  # questions answer themselves
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        _, server = opened.enter_context(lab.server(Path(folder)))
        kernels = []
        for path in sorted(Path(folder, "notebooks").glob("*.ipynb")):
            kernels.append(opened.enter_context(executed(path)))
            limit = TRAINING if uses_torch(path) else EXPLORERS
            yield Figure(path.name, peak(kernels[-1]), unit="MB", limit=limit)
            yield Figure(f"{path.name}, time", worked(kernels[-1]), unit="s", limit=SECONDS)
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


def table(figures: Iterable[dict[str, Any]]) -> str:
    """The notebooks' rows of `results.json` as the lecturer's page shows them, in Markdown."""
    measured = {figure["name"]: figure["ours"] for figure in figures}
    rows = ["| notebook | most memory, MB | processor, s |", "|---|---|---|"]
    for name, megabytes in measured.items():
        if f"{name}, time" in measured:
            stem, seconds = name.removesuffix(".ipynb"), measured[f"{name}, time"]
            rows.append(f"| [{stem}](notebooks/{name}) | {megabytes:.0f} | {seconds:.0f} |")
    return "\n".join(rows)


def write_table() -> None:
    """Put the table of `results.json` into the lecturer's page, between its marks."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))["notebooks"]["figures"]
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    foot = rest.partition(END)[2]
    text = f"{head}{BEGIN}\n{table(results)}\n{END}{foot}"
    PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":  # python -m benchmarks.notebooks, after python -m benchmarks notebooks
    write_table()
