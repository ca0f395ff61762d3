"""The lecturer's guide says what was measured: its figures are those of benchmarks/results.json."""

import json
from pathlib import Path

import pytest

from benchmarks import seats

ROOT = Path(__file__).parent.parent
WITH_TORCH = ("03", "04", "05", "06", "11")
SEATS = 100


def measured():
    """Suite to name to number, in seconds or megabytes."""
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    return {
        suite: {figure["name"]: figure["ours"] for figure in about["figures"]}
        for suite, about in results.items()
    }


def gigabytes(seat):
    """Of all seats."""
    return f"{SEATS * seat / 1000:.0f} GB"


def rows():
    """What the guide's tables hold, line by line."""
    found = measured()
    kernels = {
        name[:2]: megabytes
        for name, megabytes in found["notebooks"].items()
        if name[:2].isdigit() and name.endswith(".ipynb")
    }
    paper = kernels.pop("10")
    torch = [kernels.pop(name) for name in WITH_TORCH]
    plain = kernels.values()
    server = found["notebooks"]["server"]
    everything = found["notebooks"]["all open, with the server"]
    for what, said in {
        "a kernel, notebooks without torch": f"{min(plain):.0f}–{max(plain):.0f} MB",
        "the paper's notebook (10), which draws a dozen pictures": f"{paper:.0f} MB",
        "a kernel, notebooks with torch (03–06, 11)": f"{min(torch):.0f}–{max(torch):.0f} MB",
        "the JupyterLab server of one learner": f"{server:.0f} MB",
        "all notebooks open at once, with their server": f"{everything:,.0f} MB",
        f"{SEATS} seats, one notebook without torch each": gigabytes(server + max(plain)),
        f"{SEATS} seats, one notebook with torch each": gigabytes(server + max(torch)),
    }.items():
        yield f"| {what} | {said} |"
    for name, seconds in found["first_call"].items():
        if name.startswith("first simulate"):
            kept = "kept from before" if name.endswith("compiled") else "to be compiled first"
            yield f"| first `simulate` and `compare`, kernels {kept} | {seconds:.1f} s |"
    for name, value in found.get("seats", {}).items():
        value = f"{1000 * value:.0f} ms" if "a move" in name else value
        unit = " s" if "last" in name else " MB"
        yield f"| {name} | {value if isinstance(value, str) else f'{value:.0f}{unit}'} |"
    for name, value in found["installed"].items():
        yield f"| {name} | {value:,.0f} MB |"


@pytest.mark.parametrize("row", list(rows()))
def test_the_guide_says_what_was_measured(row):
    assert row in (ROOT / "docs" / "lecturers.md").read_text(encoding="utf-8")


def test_the_guide_says_how_many_start_at_once():
    plain, torch = seats.SEATS.values()
    page = (ROOT / "docs" / "lecturers.md").read_text(encoding="utf-8")
    assert f"lets {plain} learners ({torch} with torch) start at once" in page
