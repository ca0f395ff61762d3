"""Compiled kernels are kept where that is possible, found again, and never in the way."""

import os
import platform
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COUNT = """
import numpy as np
from uticket_lite.kernels.bits import slice_counts
from uticket_lite.kernels.cache import KernelCache
assert slice_counts(np.full((1, 2), 7, np.uint64), 128, 1).tolist() == [[6]]
print("compiled" if KernelCache.compiling else "found")
"""


def run(code, home, *, python=sys.executable, path=ROOT, **environment):
    """What a process that calls a kernel prints; `home` is the only place for its cache."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    environment = {**inherited, "HOME": str(home), "PYTHONPATH": str(path), **environment}
    command = [str(python), "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.split()


def left_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_kernel_is_compiled_once_and_then_found(tmp_path):
    assert run(COUNT, tmp_path) == ["compiled"]
    kept = left_in(tmp_path)
    assert {path.suffix for path in kept} == {".kernel"}
    assert run(COUNT, tmp_path) == ["found"]
    assert left_in(tmp_path) == kept


def test_a_damaged_file_is_compiled_again_and_mended(tmp_path):
    run(COUNT, tmp_path)
    for path in left_in(tmp_path):
        path.write_bytes(path.read_bytes()[:100])
    assert run(COUNT, tmp_path) == ["compiled"]
    assert run(COUNT, tmp_path) == ["found"]


UNWRITABLE = {
    "no such home": ("/proc/none", ""),
    "the home is a file": ("{}/file", ""),
    "nobody's home": (
        "",
        """
import os, pwd
def unknown(uid): raise KeyError(uid)
pwd.getpwuid = unknown
del os.environ["HOME"]
""",
    ),
    "a full disk": (
        "{}",
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))",
    ),
}


@pytest.mark.skipif(os.name == "nt", reason="needs rlimits and the user database of Unix")
@pytest.mark.parametrize("case", UNWRITABLE)
def test_where_nothing_can_be_kept_kernels_run_and_leave_nothing(tmp_path, case):
    home, before = UNWRITABLE[case]
    (tmp_path / "file").touch()
    found = run(before + COUNT, home.format(tmp_path), TMPDIR=str(tmp_path))
    assert found == ["compiled"]
    assert [path.name for path in left_in(tmp_path)] == ["file"]
    assert not (tmp_path / ".cache" / "uticket-lite").exists()


def test_the_package_runs_from_a_zip_file(tmp_path):
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for source in (ROOT / "uticket_lite").rglob("*.py"):
            written.write(source, source.relative_to(ROOT))
    code = "import uticket_lite as ut; print(ut.synthetic_ticket('digits').sparsity > 0.9)"
    assert run(COUNT + code, tmp_path, path=archive) == ["compiled", "True"]
    assert run(COUNT, tmp_path, path=archive) == ["found"]


FIRST = """
import time
start = time.perf_counter()
import uticket_lite as ut
from uticket_lite.kernels.cache import KernelCache
ticket, pes = ut.load_ticket("digits-lth", 14), ut.Accelerator(16)
ut.compare(ticket, pes)
import numpy as np
layer = ticket.layers["conv2"]
for order in "CF":  # spikes come as memory holds them: channels last, too
    spikes = np.ones((2, layer.shape[1], 4, 4), np.float32, order)
    ut.simulate_spikes(layer, spikes, pes, padding=1)
assert KernelCache.compiling == 0, "compiled again"
print(f"{time.perf_counter() - start:.2f}")
"""


def test_an_image_is_warm_on_another_cpu_for_users_without_a_home(tmp_path):
    """What `uticket warm --shared` leaves beside the packages is all that they have."""
    venv.create(tmp_path / "image")
    python = tmp_path / "image" / ("Scripts" if os.name == "nt" else "bin") / "python"
    path = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    warm = "from uticket_lite.cli import main; main(['warm', '--shared'])"
    printed = run(warm, "/proc/none", python=python, path=path)
    assert int(printed[0]) > 20
    other = {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": "+sse4.2"}
    other = other if platform.machine() == "x86_64" else {}
    for cpu in ({}, other):
        (seconds,) = run(FIRST, "/proc/none", python=python, path=path, **cpu)
        print(f"first comparison in a new process of a prepared image: {seconds} s")


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal of Unix")
def test_who_waits_in_a_terminal_is_told_why_once(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    code = "from uticket_lite.kernels import cache; cache.PATIENCE = 0" + COUNT
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment["NUMBA_CACHE_DIR"] = str(tmp_path)
    for said in ("once", ""):
        command = [sys.executable, "-c", code]
        subprocess.run(command, env=environment, stderr=theirs, stdout=subprocess.PIPE, check=True)
        os.write(theirs, b"|")
        heard = os.read(ours, 1000).decode()
        assert re.findall(r"compiling kernels \((.*)\)", heard) == ([said] if said else [])
