"""Benchmarks: calls by turns, verdicts and figures that say what they should."""

import itertools
import json

import pytest

from benchmarks import __main__ as bench
from benchmarks.measure import WARM_UP, Figure, Timed, medians


def test_functions_are_called_by_turns_and_warmed_up():
    calls = []
    turn = itertools.count()
    timed = {name: Timed(lambda i, name=name: calls.append((name, i)), turn) for name in "ab"}
    assert medians(timed, repeats=5).keys() == set("ab")
    assert calls == list(zip("ab" * (WARM_UP + 5), range(2 * (WARM_UP + 5)), strict=True))


@pytest.mark.parametrize(
    ("figure", "ratio", "verdict"),
    [
        (Figure("time", 3.0, 2.0, limit=1.5), 1.5, "ok"),
        (Figure("time", 3.2, 2.0, limit=1.5), 1.6, "over"),
        (Figure("speed-up", 2.0, 800.0, limit=300, at_least=True), 400, "ok"),
        (Figure("speed-up", 4.0, 800.0, limit=300, at_least=True), 200, "over"),
        (Figure("rate", 3000.0, unit="1/s", limit=2000, at_least=True), None, "ok"),
        (Figure("rate", 1000.0, unit="1/s", limit=2000, at_least=True), None, "over"),
        (Figure("only reported", 3.0, 2.0), 1.5, ""),
    ],
)
def test_verdicts_follow_the_direction_of_the_limit(figure, ratio, verdict):
    assert figure.ratio == (None if ratio is None else pytest.approx(ratio))
    assert figure.verdict == verdict
    assert json.loads(json.dumps(bench.record(figure)))["verdict"] == verdict


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00000012, "s", "0.12 µs"),
        (0.000634, "s", "634 µs"),
        (0.0123, "s", "12.3 ms"),
        (31.25, "s", "31.2 s"),
        (7497.2, "1/s", "7497 /s"),
    ],
)
def test_quantities_have_units_that_fit(value, unit, text):
    assert bench.quantity(value, unit) == text


def test_suites_are_found_run_and_recorded(tmp_path, monkeypatch, capsys):
    assert {"simulator", "first_call"} <= bench.find_suites().keys()
    figure = Figure("thing", 0.001, 0.002, "other", limit=1.0)
    monkeypatch.setattr(bench, "find_suites", lambda: {"a": lambda: [figure], "b": lambda: []})
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results.json")
    bench.main([])
    bench.main(["b"])
    row = " ".join(capsys.readouterr().out.splitlines()[2].split())
    assert row == "thing 1 ms 2 ms other 0.5 ≤ 1 ok"
    results = json.loads(bench.RESULTS.read_text())
    assert results["a"]["figures"][0]["ratio"] == 0.5, "kept, when only b runs again"
    assert results["a"]["machine"].keys() == {"cpu", "cores", "python", "numpy", "numba"}
    with pytest.raises(SystemExit, match="no suite c; choose from: a, b"):
        bench.main(["c"])


def test_the_lecturers_page_has_the_notebooks_as_measured():
    from benchmarks.notebooks import BEGIN, END, PAGE, RESULTS, SUITE, table

    figures = json.loads(RESULTS.read_text(encoding="utf-8"))[SUITE]["figures"]
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == table(figures)
    rows = table(figures).splitlines()[2:]
    names = {path.stem for path in (PAGE.parents[1] / "notebooks").glob("*.ipynb")}
    assert {row.split("[")[1].split("]")[0] for row in rows} == names
    over = [figure["name"] for figure in figures if figure["verdict"] == "over"]
    assert over == ["10_the_paper.ipynb, alone"], "as the page says; when it is mended, say so"
