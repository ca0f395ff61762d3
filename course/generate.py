"""From the sources to notebooks: for learners (stubs), and with solutions."""

import inspect
import operator
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions, ComputeChecksums, LockCells
from traitlets.config import Config

import uticket_lite as ut
from course.glossary import GLOSSARY, IN_CODE
from uticket_lite import reference  # noqa: F401

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
SOURCES = sorted(HERE.glob("[0-9]*.py"))
GLOSSARY_NOTEBOOK = "glossary.ipynb"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
STUB = Config({"ClearSolutions": {"enforce_metadata": False, "code_stub": {"python": "..."}}})
TERM = re.compile(r"\[\[([^\]|]+)(?:\|([^\]]+))?\]\]")


def notebook(source: Path, solutions: bool = False) -> NotebookNode:
    """One notebook, for learners or with solutions; the markers of solutions stay in those."""
    made = jupytext.read(source)
    made.metadata = NotebookNode(kernelspec=KERNEL, language_info={"name": "python"})
    for number, cell in enumerate(made.cells):
        cell["id"] = f"{source.stem[:2]}-{number:02}"
        if cell.cell_type == "markdown":
            cell.source = link_terms(cell.source)
        else:
            cell.source = cell.source.strip("\n")
            if folded(cell):
                cell.metadata["jupyter"] = {"source_hidden": True}
    made.cells[0].source = framed(source, made)
    made.cells[-1].source += "\n\n" + navigation(source)
    if not solutions:
        for kind in (LockCells, ClearSolutions, ComputeChecksums, ClearHiddenTests):
            made, _ = kind(config=STUB).preprocess(made, {})
    nbformat.validate(made)
    return made


def folded(cell: NotebookNode) -> bool:
    """Whether a code cell is there to be run, not read: it asks, reveals, or checks the text."""
    if "claims" in cell.metadata.get("tags", ()):
        cell.source = f"# What the text says, checked\n{cell.source}"
        return True
    return re.search(r"^(predict|reveal|look_back)\(", cell.source, re.M) is not None


def title(source: Path) -> str:
    """The first heading of a source."""
    found = re.search(r"^# # (.*)$", source.read_text(encoding="utf-8"), re.M)
    assert found is not None, f"{source} has no title"
    return found[1]


def framed(source: Path, made: NotebookNode) -> str:
    """The first cell, with links to the neighbours and to its sections."""
    head, _, rest = made.cells[0].source.partition("\n")
    text = "\n".join(c.source for c in made.cells if c.cell_type == "markdown")
    sections = [
        f"[{name}](#{name.replace(' ', '-')})" for name in re.findall(r"^## (.+)$", text, re.M)
    ]
    return f"{head}\n\n{navigation(source)}\n{rest}\n\n**Here** {' · '.join(sections)}"


def navigation(source: Path) -> str:
    """Links to the notebook before, the one after, and the glossary."""
    place = SOURCES.index(source)
    links = [f"[Glossary]({GLOSSARY_NOTEBOOK})"]
    if place > 0:
        before = SOURCES[place - 1]
        links.insert(0, f"[← {title(before)}]({before.stem}.ipynb)")
    if place + 1 < len(SOURCES):
        after = SOURCES[place + 1]
        links.append(f"[{title(after)} →]({after.stem}.ipynb)")
    return " · ".join(links)


def link_terms(text: str) -> str:
    """`[[wave]]`, or `[[wave|waves]]` with other words, linked to the glossary."""

    def link(found: re.Match[str]) -> str:
        term = found[1]
        if term not in GLOSSARY:
            raise ValueError(f"{term!r} is not in the glossary")
        return f"[{found[2] or term}]({GLOSSARY_NOTEBOOK}#{term.replace(' ', '-')})"

    return TERM.sub(link, text)


def glossary() -> NotebookNode:
    """Every term under a heading that links can point to, with what the library says of it."""
    terms = sorted(GLOSSARY.items(), key=lambda item: item[0].lower())
    entries = [f"### {term}\n\n{meaning}{_more(term)}" for term, meaning in terms]
    text = "# Glossary\n\n" + "\n\n".join(entries)
    made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    made.cells = [nbformat.v4.new_markdown_cell(text, id="glossary")]
    return made


def _more(term: str) -> str:
    """Where a term first stands in the course, and the first paragraph of its docstring."""
    first = next(source for source in SOURCES if f"[[{term}" in source.read_text(encoding="utf-8"))
    told = f"\n\nFirst in [{title(first)}]({first.stem}.ipynb)."
    if term in IN_CODE:
        of = operator.attrgetter(IN_CODE[term])(ut)
        summary = (inspect.getdoc(of) or "").partition("\n\n")[0].replace("\n", " ")
        told += f" In code, `{IN_CODE[term]}`: {summary}"
    return told


def written(solutions: bool = False) -> dict[str, str]:
    """File name to the text of every notebook."""
    made: dict[str, Any] = {f"{s.stem}.ipynb": notebook(s, solutions) for s in SOURCES}
    made[GLOSSARY_NOTEBOOK] = glossary()
    return {name: nbformat.writes(node) + "\n" for name, node in made.items()}
