"""The course: one source; stubs run; solutions pass; what the learner reads is framed."""

import ast
import itertools
import re

import nbformat
import pytest
from nbclient import NotebookClient

from course.generate import GLOSSARY_NOTEBOOK, NOTEBOOKS, SOURCES, notebook, written
from course.glossary import GLOSSARY
from uticket_lite.explore import EXPLORERS
from uticket_lite.teach import EXERCISES
from uticket_lite.teach.keeping import AUTO

by_name = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
TEXTS = {source: source.read_text() for source in SOURCES}


def code(made):
    return [cell.source for cell in made.cells if cell.cell_type == "code"]


def run(made, folder, monkeypatch):
    """The words of all verdicts, in order; raises what a cell raises."""
    monkeypatch.setenv(AUTO, "auto")
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # a busy neighbour slows spinning threads
    NotebookClient(made, timeout=300, resources={"metadata": {"path": folder}}).execute()
    shown = [
        output.get("data", {}).get("text/plain", "")
        for cell in made.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    return [words for words in shown if words[:1] in ("✓", "✗")]


def test_the_learners_notebooks_are_those_of_the_sources():
    for name, text in written().items():
        assert (NOTEBOOKS / name).read_text() == text, "run python -m course"


@by_name
@pytest.mark.filterwarnings("default")
def test_stubs_run_from_top_to_bottom_and_no_check_passes(source, tmp_path, monkeypatch):
    verdicts = run(notebook(source), tmp_path, monkeypatch)
    assert len(verdicts) == TEXTS[source].count("check(")
    assert all(words.startswith("✗") for words in verdicts), verdicts


@by_name
@pytest.mark.filterwarnings("default")
def test_solutions_run_and_every_check_passes(source, tmp_path, monkeypatch):
    verdicts = run(notebook(source, solutions=True), tmp_path, monkeypatch)
    assert len(verdicts) == TEXTS[source].count("check(")
    assert all(words.startswith("✓") for words in verdicts), verdicts


@by_name
def test_learners_get_no_solution_and_no_outputs(source):
    made = notebook(source)
    assert "SOLUTION" not in nbformat.writes(made)
    cells = [cell for cell in made.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@by_name
def test_a_cell_that_asks_does_nothing_else(source):
    for cell in code(notebook(source)):
        if re.search(r"^predict\(", cell, re.M):
            (statement,) = ast.parse(cell).body
            assert isinstance(statement, ast.Expr)
            assert statement.value.func.id == "predict"
            for keyword in statement.value.keywords:
                ast.literal_eval(keyword.value)


@by_name
def test_every_question_is_revealed_after_it_is_asked_and_looked_back_at(source):
    text = TEXTS[source]
    asked, revealed = (
        {found[1]: found.start() for found in re.finditer(rf'{call}\(\s*"([\w-]+)"', text)}
        for call in ("predict", "reveal")
    )
    assert asked.keys() == revealed.keys()
    for name in asked:
        assert asked[name] < revealed[name]
        last = text[text.rindex("look_back(") :]
        assert f'"{name}"' in last or last.startswith("look_back()")


@by_name
def test_a_number_that_is_far_off_gets_a_reason(source):
    """On the side on which one can be; choices and drawings name their wrong answers anyway."""
    calls = {"predict": {}, "reveal": {}}
    for node in ast.walk(ast.parse(TEXTS[source])):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in calls:
            calls[node.func.id][node.args[0].value] = node
    for name, asked in calls["predict"].items():
        if {"choices", "pes"} & {keyword.arg for keyword in asked.keywords}:
            continue
        shown = calls["reveal"][name]
        (ideas,) = [
            node
            for node in [*shown.args, *(k.value for k in shown.keywords)]
            if isinstance(node, ast.Dict)
        ]
        sides = {getattr(key, "value", None) for key in ideas.keys} & {"below", "above"}
        assert sides, name


def test_no_question_is_asked_twice():
    asked = re.findall(r'predict\(\s*"([\w-]+)"', "".join(TEXTS.values()))
    assert len(asked) == len(set(asked))


def test_every_exercise_is_somewhere_in_the_course():
    every = "".join(TEXTS.values())
    assert all(f"def {name}(" in every or f'"{name}")' in every for name in EXERCISES)


@by_name
def test_frame_goals_needs_minutes_and_an_open_question(source):
    first = notebook(source).cells[0].source
    last = notebook(source).cells[-1].source
    for part in ("**Afterwards you can**", "**You need**", "**Time**", "**Here**", "minutes"):
        assert part in first
    assert "## What to remember" in last
    assert "**An open question.**" in last


@by_name
def test_claims_are_folded_and_nothing_else_asserts(source):
    for cell in notebook(source).cells:
        if cell.cell_type == "code" and "assert " in cell.source:
            assert cell.metadata["jupyter"] == {"source_hidden": True}


def test_links_point_to_notebooks_and_terms_that_exist():
    made = written()
    for name, text in made.items():
        for target, anchor in re.findall(r"\]\(([\w-]+\.ipynb)(?:#([^)]+))?\)", text):
            assert target in made, f"{name} links {target}"
            if target == GLOSSARY_NOTEBOOK and anchor:
                assert anchor in {term.replace(" ", "-") for term in GLOSSARY}


def test_every_term_of_the_glossary_is_used():
    every = "".join(TEXTS.values())
    unused = [term for term in GLOSSARY if f"[[{term}" not in every]
    assert not unused


@pytest.mark.parametrize("term", GLOSSARY)
def test_a_term_is_linked_in_the_first_notebook_that_uses_it(term):
    """Not before it in the same notebook, where goals and headings name what is to come."""
    word = re.compile(rf"(?<![\w`-])\[?\[?{re.escape(term)}s?(?![\w`])", re.IGNORECASE)
    for source, text in TEXTS.items():
        prose = "\n".join(line for line in text.split("\n") if re.match(r"# (?!%%)", line))
        if word.search(prose):
            assert f"[[{term}" in prose, f"{source.stem} uses {term} without a link"
            break


def test_latencies_of_a_history_say_their_unit():
    """They are of one position and timestep; those of `simulate` are of the network."""
    shown = re.compile(r'(?:history|load_seeds\([^\n]*)\[\[[^\]]*"latency"')
    found = [source for source, text in TEXTS.items() if shown.search(text)]
    assert found
    assert all("per position and timestep" in TEXTS[source] for source in found)


@pytest.mark.parametrize("number", [2, 3])
def test_an_equation_is_written_out_where_it_is_first_named(number):
    first = next(text for text in TEXTS.values() if f"Eq. {number}" in text)
    assert rf"\text{{({number})}}" in first


def test_every_explorer_is_opened_in_the_course_and_the_clock_early():
    every = "".join(TEXTS.values())
    assert all(f"explore.{kind}(" in every for kind in EXPLORERS)
    assert "explore.timeline(" in TEXTS[SOURCES[1]]


def test_neighbours_are_linked_at_the_top_and_at_the_end():
    for one, other in itertools.pairwise(SOURCES):
        for source, beside in ((one, other), (other, one)):
            cells = notebook(source).cells
            assert all(f"]({beside.stem}.ipynb)" in cells[i].source for i in (0, -1))
