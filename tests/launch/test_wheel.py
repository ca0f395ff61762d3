"""The wheel and the sdist, installed without the checkout, on the oldest and the newest Python."""

import re
import sys
import zipfile

import pytest

from tests.launch.conftest import pythons, run

AT = "https://example.org/uticket-lite"


@pytest.fixture(scope="session")
def built(checkout, tmp_path_factory):
    """The sdist, and the wheel that is made of it."""
    home = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "venv", home / "venv", cwd=home)
    python = home / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "hatchling", cwd=home)
    run(python, "-m", "hatchling", "build", "-t", "sdist", "-d", home, cwd=checkout, REPOSITORY=AT)
    (sdist,) = home.glob("*.tar.gz")
    wheel = (python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", home, sdist)
    run(*wheel, cwd=home)
    return next(home.glob("*.whl"))


def test_the_wheel_holds_everything_and_shows_its_picture_elsewhere(built):
    with zipfile.ZipFile(built) as wheel:
        names = wheel.namelist()
        (about,) = (wheel.read(n).decode() for n in names if n.endswith("/METADATA"))
    for part in (
        "data/paper.csv",
        "data/digits-lth/round-14.safetensors",
        "notebooks/00_start_here.ipynb",
        "explore/static/LICENSES-vega.txt",
        "py.typed",
    ):
        assert f"uticket_lite/{part}" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", about)
    assert pictures == [f"{AT}/raw/main/docs/rounds.svg"]
    assert not re.findall(r"\]\((?!https://)[^)]*\)", about), "links work on other pages"
    assert f"Project-URL: Repository, {AT}" in about


@pytest.mark.parametrize("python", pythons())
def test_the_core_works_from_the_wheel_alone(built, tmp_path, python):
    run(python, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    bin_ = tmp_path / "venv" / "bin"
    run(bin_ / "python", "-m", "pip", "install", "--quiet", built, cwd=tmp_path)
    assert "No broken requirements" in run(bin_ / "python", "-m", "pip", "check", cwd=tmp_path)
    run(bin_ / "python", "-W", "error", "-c", "import uticket_lite", cwd=tmp_path)
    assert "lpt" in run(bin_ / "uticket", "compare", "digits-lth", cwd=tmp_path)
    assert "Table II" in run(bin_ / "uticket", "paper", "Table II", cwd=tmp_path)
    listed = run(bin_ / "python", "-m", "pip", "list", cwd=tmp_path)
    assert not re.search(r"^(torch|jupyterlab|altair|ipywidgets) ", listed, re.M)
    with pytest.raises(AssertionError, match=r"needs ipywidgets.*uticket-lite\[course\]"):
        run(bin_ / "uticket", "predictions", "predictions.json", cwd=tmp_path)
    run(bin_ / "uticket", "course", "course", cwd=tmp_path)
    assert len(list((tmp_path / "course").glob("*.ipynb"))) >= 5
