"""The README's example prints what it says, and its picture is drawn from today's data."""

import re
import subprocess
import sys
from pathlib import Path

from shell import run_cli

from uticket_lite import explore
from uticket_lite.explore.pictures import README_PICTURE, readme_picture

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_example_prints_what_it_says():
    code, printed = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", README, re.S).groups()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == printed


def test_picture_is_current_and_shown():
    assert str(README_PICTURE) in README
    wanted = readme_picture()
    assert (ROOT / README_PICTURE).read_text() == wanted, (
        "run python -m uticket_lite.explore.pictures"
    )


def test_every_explorer_is_named_here_and_in_the_command_lines_help():
    said = run_cli("export", "--help")
    for name in explore.EXPLORERS:
        assert f"`{name}`" in README or f"`explore.{name}(" in README, name
        assert re.search(rf"Explorers: [\w, ]*\b{name}\b", said), name


def test_it_says_where_every_room_is():
    for room in (ROOT / "uticket_lite").glob("*/__init__.py"):
        assert f"(uticket_lite/{room.parent.name})" in README, room.parent.name


def test_files_and_targets_it_names_exist():
    for path in re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / path).exists(), path
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", README):
        assert f"\n{target}:" in makefile, target
