"""The package imports light and ships its Vega."""

import ast
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import uticket_lite
from uticket_lite.explore.bundle import specs, vega_bundle
from uticket_lite.explore.page import SPECS, VEGA_JS

ROOT = Path(__file__).parent.parent
PROGRAMS = [
    *(ROOT / name for name in ("install.py", "hatch_build.py")),
    *(
        path
        for room in ("uticket_lite", "course", "benchmarks")
        for path in (ROOT / room).rglob("*.py")
    ),
]


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_import_loads_the_core_alone():
    done = run_python("import sys, uticket_lite; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"uticket_lite.simulation.run", "numba"} < loaded
    heavy = {"torch", "snntorch", "altair", "ipywidgets", "anywidget", "sklearn", "dask", "IPython"}
    assert not heavy & loaded
    rooms = {name.split(".")[1] for name in loaded if name.startswith("uticket_lite.")}
    assert rooms == {"edge", "kernels", "tickets", "hardware", "strategies", "simulation"}


def test_no_function_stands_in_the_place_of_its_module():
    """`import uticket_lite.explore.energy as m` once gave a function."""
    for found in pkgutil.walk_packages(uticket_lite.__path__, "uticket_lite."):
        if not found.name.endswith("__main__"):
            module, (parent, _, name) = import_module(found.name), found.name.rpartition(".")
            assert getattr(sys.modules[parent], name) is module, found.name


def test_shipped_vega_is_the_one_that_altair_writes_for():
    assert VEGA_JS.read_text() == vega_bundle(), "run python -m uticket_lite.explore.bundle"


def test_shipped_specifications_are_those_of_the_charts():
    assert SPECS.read_text() == specs(), "run python -m uticket_lite.explore.bundle"


def test_explorers_need_no_altair():
    done = run_python(
        "import sys; from uticket_lite import explore; explore.workload(); print(*sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    assert not {"torch", "altair"} & set(done.stdout.split())


def test_explorers_and_what_the_course_measures_of_spikes_need_no_torch():
    done = run_python(
        "import sys; sys.modules['torch'] = None\n"
        "import uticket_lite as ut; from uticket_lite import explore, teach\n"
        "for make in explore.EXPLORERS.values(): make().frame\n"
        "teach.spike_totals(['digits-lth'], ut.Accelerator(4), images=1)"
    )
    assert done.returncode == 0, done.stderr


def test_shipped_vega_loads_nothing_from_elsewhere():
    hosts = set(re.findall(r"https?://([\w.]+)", VEGA_JS.read_text()))
    names_only = {"www.w3.org", "github.com", "vega.github.io"}  # namespaces and links to help
    assert hosts <= names_only


def unspoken(source):
    """Lines that read or write text in whatever encoding the system prefers."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        opens = isinstance(call.func, ast.Name) and name == "open"
        binary = any(getattr(each, "value", "") in ("rb", "wb") for each in call.args)
        text = name == "write_text" or (name == "read_text" and not call.args)
        if (text or (opens and not binary)) and all(k.arg != "encoding" for k in call.keywords):
            yield call.lineno


def test_text_files_are_read_alike_on_every_system():
    assert list(unspoken("a.read_text()\nb.write_text('')\nopen('x')\nopen('x', 'rb')")) == [
        1,
        2,
        3,
    ]
    found = {str(path): [*unspoken(path.read_text(encoding="utf-8"))] for path in PROGRAMS}
    assert {name: lines for name, lines in found.items() if lines} == {}
