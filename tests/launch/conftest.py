"""Set-ups from nothing, outside the checkout, as others will do them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("launch")


def run(*command, cwd, **environment):
    """What a command prints; whatever it needs comes from the environment given to it."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON", "VIRTUAL"))
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
    return done.stdout


def version(python):
    """(3, minor, micro) of an interpreter that starts, else None."""
    code = "import sys; print(*sys.version_info[:3])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None


def pythons():
    """The oldest and the newest Python that is promised and at hand."""
    names = ["/usr/bin/python3", *(f"python3.{minor}" for minor in range(11, 15)), sys.executable]
    names += map(str, Path.home().glob(".pyenv/versions/3.1*/bin/python3"))
    found = {version(path): path for name in names if (path := shutil.which(name))}
    promised = sorted(v for v in found if v and (3, 11) <= v < (3, 15))
    return [found[v] for v in dict.fromkeys((promised[0], promised[-1]))]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy of what git knows or will know, without what lies about."""
    copy = tmp_path_factory.mktemp("checkout")
    listed = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT)
    for name in filter(lambda name: (ROOT / name).is_file(), listed.splitlines()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    return copy
