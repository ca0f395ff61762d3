"""Make .venv and install what the lock files name: `python install.py`.

With `--dev`, the tools of the tests and the site too; with `--gpu`, PyTorch as PyPI has it (on
Linux with CUDA, about 3 GB) instead of its CPU build. Python's standard library is all it needs,
on any system. A finished set-up is left alone until a lock changes; one that did not finish, or
that another Python made, is made anew.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
READY = VENV / "ready"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-torch.txt", "pyproject.toml")


def digest() -> str:
    """One word for the contents of all files that say what is installed."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in LOCKS)).hexdigest()


def made_by_this_python() -> bool:
    """Whether .venv is whole, and this version of Python runs in it."""
    if not READY.exists():
        return False
    command = [str(PYTHON), "-c", "import sys; print(sys.version)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == sys.version.strip()


def finished(dev: bool) -> bool:
    """Whether what is asked for is there already."""
    try:
        found = json.loads(READY.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return found["digest"] == digest() and (found["dev"] or not dev)


def step(doing: str, *command: str | Path) -> None:
    """Run one command; without its success there is no set-up."""
    print(doing, "…", flush=True)
    if subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode:
        sys.exit(
            f"The set-up did not finish: {doing!r} failed, for the reason above. "
            "Mend it and run this again; it will start afresh."
        )


def install(dev: bool, gpu: bool) -> None:
    """Install into .venv, which counts as finished only after the last step."""
    READY.unlink(missing_ok=True)
    installed = digest()  # what changes while this runs is not
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    lock = "requirements-dev.txt" if dev else "requirements.txt"
    locked = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    step(f"Installing {lock}", *pip, *locked, "--requirement", lock)
    if gpu:
        pinned = (ROOT / "requirements-torch.txt").read_text(encoding="utf-8").split()[-1]
        step("Installing PyTorch with CUDA", *pip, "--force-reinstall", pinned)
    else:
        step("Installing PyTorch", *pip, "--no-deps", "--requirement", "requirements-torch.txt")
    # Its index may be out of reach, and PyPI's build needs much that was not installed.
    step("Starting PyTorch", PYTHON, "-c", "import torch")
    step("Installing uticket-lite", *pip, "--no-deps", "--editable", ".")
    # So that nobody waits for it in the first cell; where nothing can be kept, they will.
    print("Compiling kernels …", flush=True)
    subprocess.run([str(PYTHON), "-m", "uticket_lite.cli", "warm"], cwd=ROOT, check=False)
    READY.write_text(json.dumps({"digest": installed, "dev": dev}), encoding="utf-8")


def main() -> None:
    """Set up whatever is missing."""
    if sys.version_info < (3, 11):  # noqa: UP036 (whoever starts it may have an older one)
        sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0])
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--dev", action="store_true", help="tools of the tests and the site too")
    parser.add_argument("--gpu", action="store_true", help="PyTorch with CUDA")
    asked = parser.parse_args()
    if not made_by_this_python():
        if VENV.exists():
            print("Removing .venv: unfinished, or made by another Python", flush=True)
            shutil.rmtree(VENV)
        # On Debian and Ubuntu, venv says itself when its package (python3-venv) is missing.
        step("Making .venv", sys.executable, "-m", "venv", VENV)
    elif finished(asked.dev) and not asked.gpu:
        return
    install(asked.dev, asked.gpu)


if __name__ == "__main__":
    main()
