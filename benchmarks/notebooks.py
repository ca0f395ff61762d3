"""Memory of each notebook, run in a fresh kernel, and of all open at once; time of each alone.

Needs Linux. Kernels are compiled before, as on a prepared machine.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from benchmarks import lab
from benchmarks.__main__ import RESULTS, machine, record
from benchmarks.measure import Figure
from benchmarks.memory import peak, together, worked
from uticket_lite.cli.warm import warm

SECONDS = 120
"""Of one processor that a notebook may take: what a learner waits for at most."""
EXPLORERS, TRAINING, ALL = 450, 1000, 1600
"""Megabytes that a kernel without and with torch may take, and all of them with their server."""
SUITE = "notebooks, each alone"
PAGE = Path(__file__).parents[1] / "docs" / "lecturers.md"
BEGIN, END = "% notebooks: begin", "% notebooks: end"
"""Comments of MyST, between which the page has the table."""
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


def alone(path: Path) -> tuple[Figure, Figure]:
    """Most memory of a notebook's kernel, and the time that it works, which neighbours hardly
    change; nothing else of ours runs."""
    with executed(path) as kernel:
        limit = TRAINING if uses_torch(path) else EXPLORERS
        return (
            Figure(f"{path.name}, alone", peak(kernel), unit="MB", limit=limit),
            Figure(f"{path.name}, time", worked(kernel), unit="s", limit=SECONDS),
        )


def table(figures: Iterable[dict[str, Any]]) -> str:
    """What `alone` measured, as the lecturer's page shows it, in Markdown."""
    measured = {figure["name"]: figure["ours"] for figure in figures}
    names = sorted(name.removesuffix(", time") for name in measured if name.endswith(", time"))
    rows = ["| notebook | most memory, MB | processor, s |", "|---|---|---|"]
    for name in names:
        megabytes, seconds = (measured[f"{name}, {what}"] for what in ("alone", "time"))
        link = f"[{name.removesuffix('.ipynb')}](notebooks/{name})"
        rows.append(f"| {link} | {megabytes:.0f} | {seconds:.0f} |")
    return "\n".join(rows)


def main(names: Sequence[str]) -> None:
    """Measure these notebooks, or all, each alone; into `results.json` and the lecturer's page."""
    warm()
    os.environ["UTICKET_ANSWERS"] = "auto"
    notebooks = PAGE.parents[1] / "notebooks"
    paths = [notebooks / name for name in names] or sorted(notebooks.glob("*.ipynb"))
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copy(path, folder))
            found = [record(figure) for figure in alone(copy)]
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        suite = results.setdefault(SUITE, {"machine": machine(), "figures": []})
        kept = {figure["name"]: figure for figure in suite["figures"]}
        suite["figures"] = list((kept | {figure["name"]: figure for figure in found}).values())
        text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
        RESULTS.write_text(text, encoding="utf-8", newline="\n")
        print(path.name, [figure["ours"] for figure in found], flush=True)
        head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        page = f"{head}{BEGIN}\n\n{table(suite['figures'])}\n\n{END}{rest.partition(END)[2]}"
        PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":  # python -m benchmarks.notebooks [NAME.ipynb …]
    main(sys.argv[1:])
