"""Setting up: locks that hold for every promised Python, and a .venv that is whole or made anew."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("requirements.txt", "requirements-dev.txt")


def entries(lock):
    """Requirement and hashes of each entry of a lock."""
    joined = (ROOT / lock).read_text().replace("\\\n", " ")
    for line in joined.splitlines():
        requirement, *hashes = line.split("--hash=")
        yield Requirement(requirement), hashes


def needed(*extras):
    """What the extras ask for, the extras that they name included."""
    wanted = list(PROJECT["dependencies"])
    for extra in extras:
        for line in PROJECT["optional-dependencies"][extra]:
            requirement = Requirement(line)
            if requirement.name == PROJECT["name"]:
                wanted += needed(*requirement.extras)
            else:
                wanted.append(line)
    return wanted


@pytest.mark.parametrize(("lock", "extra"), list(zip(LOCKS, ("course", "dev"), strict=True)))
def test_locks_hold_what_is_asked_for_once_with_hashes(lock, extra):
    pinned = {}
    for requirement, hashes in entries(lock):
        name = canonicalize_name(requirement.name)
        assert name not in pinned, f"{name}: two versions for different systems"
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64} *", word) for word in hashes), requirement
        pinned[name] = str(requirement.specifier).removeprefix("==")
    for line in needed(extra):
        requirement = Requirement(line)
        if requirement.name != "torch":
            version = pinned[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), "run make lock"


def test_locked_packages_run_on_the_oldest_python_that_is_promised():
    """By what they say of themselves, of those that are installed here as locked."""
    oldest = SpecifierSet(PROJECT["requires-python"])
    assert oldest.contains("3.11.0")
    seen = 0
    for requirement, _ in entries("requirements-dev.txt"):
        with suppress(PackageNotFoundError):
            about = metadata(requirement.name)
            if requirement.specifier.contains(about["Version"]):
                seen += 1
                assert SpecifierSet(about.get("Requires-Python", "")).contains("3.11.0"), (
                    requirement
                )
    assert seen > 100


def test_binders_lock_holds_the_rest_of_what_its_image_brings():
    pinned = {canonicalize_name(r.name): str(r.specifier) for r, _ in entries("binder/lock.txt")}
    provided = (ROOT / "binder" / "provided.txt").read_text().splitlines()[1:]
    brought = {Requirement(line).name for line in provided}
    assert not brought & pinned.keys()
    needs = {canonicalize_name(Requirement(line).name) for line in needed("course")}
    assert needs - brought - {"torch"} <= pinned.keys(), "run make lock"
    users = {canonicalize_name(r.name): str(r.specifier) for r, _ in entries(LOCKS[0])}
    assert pinned.items() <= users.items(), "run make lock"


def test_locks_agree_and_leave_torch_to_its_own_index():
    users, developers = ({r.name: r.specifier for r, _ in entries(lock)} for lock in LOCKS)
    assert users.items() <= developers.items()
    assert "torch" not in developers
    assert not [name for name in developers if name.startswith(("nvidia", "triton", "cuda"))]
    (pin,) = re.findall(r"^torch==(\S+)$", (ROOT / "requirements-torch.txt").read_text(), re.M)
    (asked,) = (Requirement(line) for line in needed("training") if line.startswith("torch"))
    assert asked.specifier.contains(pin)


@pytest.fixture
def project(tmp_path):
    """`install.py` in a folder where nothing needs to be installed, and what it did."""
    for name in (*LOCKS, "requirements-torch.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / "install.py").write_text((ROOT / "install.py").read_text())
    spec = importlib.util.spec_from_file_location("install", tmp_path / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(project, monkeypatch, *arguments, fails="", meanwhile=lambda: None):
    """What it did, word by word; making .venv is done by its smallest part."""
    done, real = [], subprocess.run

    def step(doing, *command):
        done.append(doing)
        if "Installing" in doing:
            meanwhile()
        if doing == "Making .venv":
            project.PYTHON.parent.mkdir(parents=True)
            project.PYTHON.symlink_to(sys.executable)
        if fails and fails in doing:
            raise SystemExit(doing)

    monkeypatch.setattr(project, "step", step)
    warm = ("-m", "uticket_lite.cli", "warm")
    monkeypatch.setattr(
        project.subprocess, "run", lambda c, **k: None if c[1:] == [*warm] else real(c, **k)
    )
    monkeypatch.setattr(sys, "argv", ["install.py", *arguments])
    try:
        project.main()
    except SystemExit:
        assert fails
    return done


def test_a_finished_set_up_is_left_alone_until_a_lock_changes(project, monkeypatch):
    assert run(project, monkeypatch)[0] == "Making .venv"
    assert run(project, monkeypatch) == []
    assert "Installing requirements-dev.txt" in run(project, monkeypatch, "--dev")
    assert run(project, monkeypatch) == []
    (project.ROOT / "requirements.txt").write_text("# newer")
    assert run(project, monkeypatch)[0] == "Installing requirements.txt"


def test_a_lock_that_changes_meanwhile_is_installed_the_next_time(project, monkeypatch):
    run(project, monkeypatch, meanwhile=lambda: (project.ROOT / "requirements.txt").write_text("#"))
    assert run(project, monkeypatch)[0] == "Installing requirements.txt"


@pytest.mark.parametrize(
    "fails",
    ["Making", "requirements.txt", "Installing PyTorch", "Starting PyTorch", "uticket-lite"],
)
def test_a_failed_set_up_is_never_taken_for_a_finished_one(project, monkeypatch, fails, capsys):
    run(project, monkeypatch, fails=fails)
    assert not project.READY.exists()
    (project.VENV / "left over").touch()
    assert run(project, monkeypatch)[0] == "Making .venv"
    assert "Removing .venv" in capsys.readouterr().out
    assert not (project.VENV / "left over").exists()


def test_another_python_makes_it_anew(project, monkeypatch):
    run(project, monkeypatch)
    project.PYTHON.unlink()
    project.PYTHON.write_text("#!/bin/sh\necho 3.10.0 of another\n")
    project.PYTHON.chmod(0o755)
    assert run(project, monkeypatch)[0] == "Making .venv"
    project.PYTHON.unlink()  # the Python that it was made with is no longer there
    assert run(project, monkeypatch)[0] == "Making .venv"
    assert json.loads(project.READY.read_text())["dev"] is False


def test_a_step_that_fails_says_what_to_do(project):
    with pytest.raises(SystemExit, match=r"'Trying' failed.*run this again"):
        project.step("Trying", sys.executable, "-c", "raise SystemExit(1)")


def test_an_editable_install_copies_neither_data_nor_notebooks():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for version, folders in (("editable", set()), ("standard", {"data", "notebooks"})):
        build = {"force_include": {}}
        module.Files.initialize(None, version, build)
        assert build["force_include"].keys() == folders


def test_kernels_that_nobody_uses_give_their_memory_back_on_binder():
    from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

    (kind,) = json.loads((ROOT / "binder" / "jupyter_server_config.json").read_text()).items()
    assert kind[0] in {parent.__name__ for parent in AsyncMappingKernelManager.mro()}
    manager = AsyncMappingKernelManager(**kind[1])
    assert (manager.cull_idle_timeout, manager.cull_connected) == (1800, False)


def test_workflows_call_targets_that_exist_on_every_python_that_is_promised():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    workflows = ROOT / ".github" / "workflows"
    called = [re.findall(r"run: make (.*)", file.read_text()) for file in workflows.glob("*.yml")]
    assert {name for lines in called for line in lines for name in line.split()} <= {*targets}
    assert any(called)
    (matrix,) = re.findall(r"python: \[(.*)\]", (workflows / "tests.yml").read_text())
    promised = re.findall(r":: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.M)
    assert re.findall(r"[\d.]+", matrix) == promised
