"""Binder: what repo2docker makes of the repository, done as far as it goes without Docker."""

import json
import re
import sys

import pytest

from tests.launch.conftest import run

DETECT = """
import json, re
from pathlib import Path
import repo2docker
from repo2docker.app import Repo2Docker
app = Repo2Docker()
for kind in app.buildpacks:
    pack = kind(app.base_image)
    if pack.detect():
        break
pack.platform = "linux/amd64"
dockerfile = pack.render({})
lock = next(name for name in pack.get_build_script_files() if name.endswith("lock"))
text = Path(repo2docker.__file__).with_name("buildpacks").joinpath(lock).read_text()
print("ANSWER", json.dumps({
    "pack": type(pack).__name__,
    "python": pack.python_version,
    "scripts": [script for _, script in pack.get_assemble_scripts()],
    "after": pack.get_post_build_scripts(),
    "runs": "RUN ./binder/postBuild" in dockerfile,
    "brings": dict(re.findall(r"/([a-z_-]+)-([0-9.]+)-[^/]*conda", text)),
}))
"""
JUPYTER = ("ipykernel", "ipython", "ipywidgets", "jupyter_server", "jupyterlab", "notebook")


@pytest.fixture(scope="module")
def plan(checkout, tmp_path_factory):
    """What repo2docker would do."""
    home = tmp_path_factory.mktemp("repo2docker")
    run(sys.executable, "-m", "venv", home, cwd=home)
    python = home / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "jupyter-repo2docker", cwd=home)
    return json.loads(run(python, "-c", DETECT, cwd=checkout).split("ANSWER")[-1])


@pytest.fixture(scope="module")
def image(plan, checkout, tmp_path_factory):
    """An environment with the Jupyter that the image brings, after postBuild, and its home."""
    prefix = tmp_path_factory.mktemp("image")
    run(sys.executable, "-m", "venv", prefix, cwd=prefix)
    brought = [f"{name}=={plan['brings'][name]}" for name in JUPYTER]
    run(prefix / "bin" / "pip", "install", "--quiet", *brought, cwd=prefix)
    home = tmp_path_factory.mktemp("home")
    path = f"{prefix / 'bin'}:/usr/bin:/bin"
    run("bash", "binder/postBuild", cwd=checkout, PATH=path, HOME=str(home))
    return prefix, home


def test_repo2docker_runs_postbuild_and_installs_nothing_else(plan):
    assert plan["pack"] == "PythonBuildPack"
    assert plan["python"] == "3.11"
    assert plan["scripts"] == []
    assert plan["after"] == ["binder/postBuild"]
    assert plan["runs"]


def test_the_image_keeps_its_own_jupyter_and_no_development_tools(plan, image, tmp_path):
    pip = (image[0] / "bin" / "python", "-m", "pip")
    listed = dict(re.findall(r"^(\S+) +(\S+)", run(*pip, "list", cwd=tmp_path), re.M))
    assert listed["jupyterlab"] == plan["brings"]["jupyterlab"]
    assert listed["notebook"] == plan["brings"]["notebook"]
    assert not {"pytest", "mypy", "ruff", "playwright", "hypothesis", "sphinx"} & listed.keys()
    assert not [name for name in listed if name.startswith("nvidia")]
    run(*pip, "check", cwd=tmp_path)


def test_kernels_that_nobody_uses_give_their_memory_back(image, tmp_path):
    jupyter = image[0] / "bin" / "jupyter"
    shown = run(jupyter, "server", "--show-config-json", cwd=tmp_path, HOME=str(tmp_path))
    assert '"cull_idle_timeout": 1800' in shown


FIRST = """
import time
start = time.perf_counter()
import uticket_lite as ut
from uticket_lite.kernels.cache import KernelCache
ticket, pes = ut.synthetic_ticket("vgg16", sparsity=0.98), ut.Accelerator(16)
ut.simulate(ticket, pes)
ut.compare(ticket, pes)
print(KernelCache.compiling, time.perf_counter() - start)
"""


def test_no_kernel_compiles_afterwards_on_any_cpu(image, tmp_path):
    """Not in a new process, for a user with a home of their own, and not in any notebook."""
    prefix, home = image
    for cpu in ({}, {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""}):
        answer = run(
            prefix / "bin" / "python", "-c", FIRST, cwd=tmp_path, HOME=str(tmp_path), **cpu
        )
        compiling, seconds = map(float, answer.split())
        assert compiling == 0
        print(f"import, first simulate and compare: {seconds:.2f} s")
    assert list(prefix.glob("share/uticket-lite/kernels/**/*.kernel"))
    kept = [path for folder in (tmp_path, home) for path in folder.rglob("*.kernel")]
    assert not kept, "postBuild has run every notebook, and a kernel was not there"
