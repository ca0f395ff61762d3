"""Compiled kernels are kept where that is possible, found again, and never in the way."""

import contextlib
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
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


def run(code, home, *, python=sys.executable, path=ROOT, cwd=None, user=None, **environment):
    """What a process that calls a kernel prints; `home` is the only place for its cache.

    user: the number of the one that runs it, whom nobody needs to know.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    environment = {**inherited, "HOME": str(home), "PYTHONPATH": str(path), **environment}
    command = [str(python), "-c", code]
    whose = {"user": user, "group": user, "extra_groups": []} if user else {}
    options = {"env": environment, "cwd": cwd, "capture_output": True, "text": True, **whose}
    done = subprocess.run(command, check=False, **options)
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
    "a home that could be made": ("{}/none", ""),
    "a relative home": ("none", ""),
    "the folder as home": (".", ""),
    "an empty home": ("", ""),
    "the root as home": ("/", ""),
    "a home with an endless name": ("/" + 5000 * "x", ""),
    "a relative cache": ("{}/none", "import os; os.environ['XDG_CACHE_HOME'] = 'cache'"),
    "no such cache": ("{}", "import os; os.environ['NUMBA_CACHE_DIR'] = '/proc/self/none'"),
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
    "a disk without a byte": (
        "{}",
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",
    ),
}


@pytest.mark.skipif(os.name == "nt", reason="needs rlimits and the user database of Unix")
@pytest.mark.parametrize("case", UNWRITABLE)
def test_where_nothing_can_be_kept_kernels_run_and_leave_nothing(tmp_path, case):
    home, before = UNWRITABLE[case]
    (tmp_path / "file").touch()
    found = run(before + COUNT, home.format(tmp_path), cwd=tmp_path, TMPDIR=str(tmp_path))
    assert found == ["compiled"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert not Path("/.cache", "uticket-lite").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("where", [{}, {"HOME": "{}"}, {"XDG_CACHE_HOME": "{}", "TMPDIR": "{}"}])
def test_a_user_whom_nobody_knows_and_who_may_write_nothing_runs_kernels(where):
    """As on clusters and in containers: neither packages nor home nor temporary folder."""
    unknown, path = 54_321, os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    for python in (sys.executable, "/usr/bin/python3"):  # root's own may be closed to others
        with contextlib.suppress(OSError):
            asked = [python, "-c", "import sys; print(sys.version_info[:2])"]
            said = subprocess.run(asked, user=unknown, capture_output=True, text=True, check=False)
            if said.stdout.strip() == str(sys.version_info[:2]):
                break
    else:
        pytest.skip("no Python that others may run")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as closed:
        os.chmod(closed, 0o555)
        places = {name: value.format(closed) for name, value in where.items()}
        home = places.pop("HOME", "")
        nobody = "" if home else "import os; del os.environ['HOME']\n"
        options = {"python": python, "path": path, "cwd": "/", "user": unknown}
        assert run(nobody + COUNT, home, **options, **places) == ["compiled"]
        assert not os.listdir(closed)


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
