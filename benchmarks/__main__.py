"""`python -m benchmarks [suite …]`: measure, print a table and write results.json."""

import datetime
import importlib
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np

import benchmarks
from benchmarks.measure import Figure

RESULTS = Path(__file__).with_name("results.json")
COLUMNS = ("figure", "ours", "reference", "ratio", "limit", "verdict")
WIDTHS = (40, 9, 29, 7, 7, 7)
UNITS = {
    "s": ((1e-6, "µs"), (1e-3, "ms"), (1, "s")),
    "1/s": ((1, "/s"),),
    "×": ((1, "×"),),
    "MB": ((1, "MB"),),
}

Suite = Callable[[], Iterable[Figure]]


def main(names: Sequence[str]) -> None:
    """Run the suites `names`, or all; results of suites that are not run stay."""
    suites = find_suites()
    if unknown := sorted(set(names) - set(suites)):
        sys.exit(f"no suite {', '.join(unknown)}; choose from: {', '.join(suites)}")
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    print(line(COLUMNS))
    for name in names or suites:
        print(f"-- {name}")
        measured, others = [], beside()
        for figure in suites[name]():
            print(line(cells(figure)), flush=True)
            measured.append(record(figure))
        day = datetime.date.today().isoformat()
        about = {"date": day, "machine": machine(), "beside": others}
        results[name] = {**about, "figures": measured}
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def find_suites() -> dict[str, Suite]:
    """Name to `figures` of every module of this package that has it."""
    found: dict[str, Suite] = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name != "__main__":
            loaded = importlib.import_module(f"{benchmarks.__name__}.{module.name}")
            if hasattr(loaded, "figures"):
                found[module.name] = loaded.figures
    return found


def cells(figure: Figure) -> tuple[str, ...]:
    """A row of the table."""
    sign = "≥" if figure.at_least else "≤"
    return (
        figure.name,
        quantity(figure.ours, figure.unit),
        f"{quantity(figure.reference, figure.unit)} {figure.against}" if figure.reference else "",
        f"{figure.ratio:.3g}" if figure.ratio else "",
        f"{sign} {figure.limit:g}" if figure.limit else "",
        figure.verdict,
    )


def line(texts: Sequence[str]) -> str:
    """The cells of a row, each as wide as its column."""
    return " ".join(f"{text:{width}}" for text, width in zip(texts, WIDTHS, strict=True)).rstrip()


def quantity(value: float, unit: str) -> str:
    """Three or more digits and the largest unit in which the value is 1 or more."""
    fitting = [(size, name) for size, name in UNITS[unit] if value >= size]
    size, name = fitting[-1] if fitting else UNITS[unit][0]
    digits = value / size
    return f"{digits:.0f} {name}" if digits >= 100 else f"{digits:.3g} {name}"


def record(figure: Figure) -> dict[str, Any]:
    """The figure for results.json, numbers to four digits."""
    values = {**asdict(figure), "ratio": figure.ratio, "verdict": figure.verdict}
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in values.items()}


def machine() -> dict[str, Any]:
    """What the numbers depend on, without what would tell whose machine it is."""
    return {
        "cpu": f"{cpu_model()} ({llvmlite.binding.get_host_cpu_name()})",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def beside() -> str:
    """What else the machine does, before a suite begins."""
    load, cores = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0, os.cpu_count() or 1
    return f"a busy machine: load {load:.0f} on {cores} cores" if load > cores / 2 else "little"


def cpu_model() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for entry in information.read_text(encoding="utf-8").splitlines():
            if entry.startswith("model name"):
                return entry.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main(sys.argv[1:])
