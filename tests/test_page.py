"""The page's program without a browser: Node runs what needs no page."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from uticket_lite.explore.page import STATIC, script

TESTS = Path(__file__).parent / "page"


def node(*arguments):
    """Run Node. Missing, it is a reason to skip, but an error where CI is set."""
    if not shutil.which("node"):
        reason = "no Node; install Debian's: apt-get install nodejs"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return subprocess.run(["node", *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("file", sorted(TESTS.glob("*.test.mjs")), ids=lambda file: file.stem)
def test_node_finds_the_page_right(file):
    done = node("--test", file)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("entry", ["widget", "standalone"])
def test_joined_modules_are_one_that_loads(tmp_path, entry):
    """No two declare the same name, and none is left out."""
    joined = script(entry)
    assert "import {" not in joined
    file = tmp_path / f"{entry}.mjs"
    file.write_text(joined, encoding="utf-8")
    done = node("--check", file)
    assert done.returncode == 0, done.stderr
    modules = {path.stem for path in (STATIC / "page").glob("*.mjs")}
    assert modules >= {"feed", "chart", "controls", "render", entry}


def test_what_anywidget_loads_makes_a_feed_for_each_model(tmp_path):
    file = tmp_path / "widget.mjs"
    file.write_text(script("widget"), encoding="utf-8")
    done = node(
        "--input-type=module",
        "--eval",
        f"""import make from "{file.as_uri()}";
const [one, other] = [await make(), await make()];
if (one === other || !one.initialize || !one.render) throw new Error("not made for each model");
const model = {{ on() {{}}, off() {{}}, send() {{}} }};
one.initialize({{ model }})();""",
    )
    assert done.returncode == 0, done.stderr
