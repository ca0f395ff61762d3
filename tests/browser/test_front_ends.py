"""Explorers in front ends other than JupyterLab, every other host out of reach."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from benchmarks import lab

CELLS = ["from uticket_lite import explore", "explore.workload('digits-lth')"]
MARIMO = """import marimo
app = marimo.App()

@app.cell
def _():
    from uticket_lite import explore
    explore.workload("digits-lth")

if __name__ == "__main__":
    app.run()
"""
START_S = 120


@contextmanager
def serving(home, url, module, *arguments):
    """Run a server until it says where it is; the address that matches `url`."""
    folders = ("CONFIG", "DATA", "RUNTIME")
    environment = {**os.environ, **{f"JUPYTER_{f}_DIR": str(home / f.lower()) for f in folders}}
    log = home / f"{module}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=environment,
            stdout=output,
            stderr=output,
            cwd=home,
        )
    try:
        end = time.monotonic() + START_S
        while time.monotonic() < end and process.poll() is None:
            if found := re.search(url, log.read_text()):
                yield found.group()
                return
            time.sleep(0.2)
        raise RuntimeError(f"{module} did not start:\n{log.read_text()}")
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def opened(chromium):
    """A function that opens an address in a window to which other hosts are out of reach."""
    contexts = []

    def open_(url):
        contexts.append(lab.new_context(chromium, []))
        page = contexts[-1].new_page()
        page.goto(url, timeout=START_S * 1000, wait_until="commit")  # Voilà runs cells before more
        return page

    yield open_
    for context in contexts:
        context.close()


def moves(page):
    """The explorer is drawn, and its slider moves it by keyboard."""
    page.wait_for_selector(".uticket-view[data-frame]", timeout=START_S * 1000)
    view = page.locator(".uticket-view").first
    assert view.locator("canvas").first.evaluate("canvas => canvas.width") > 300
    before = view.locator(".uticket-summary").text_content()
    view.locator("[data-control=n_pe]").press("ArrowRight")
    page.wait_for_function(
        "view => JSON.parse(view.dataset.state).n_pe === 17",
        arg=view.element_handle(),  # it may lie in a shadow tree
        timeout=30_000,
    )
    assert view.locator(".uticket-summary").text_content() != before
    return view


def test_notebook_7_leaves_keys_to_the_controls(opened, tmp_path):
    """In command mode `a` and `b` insert cells, and arrows move between them."""
    lab.write_notebook(tmp_path / "cells.ipynb", *CELLS, "print('after')")
    arguments = ("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0")
    exposed = "--JupyterNotebookApp.expose_app_in_browser=True"
    tree = r"http://127\.0\.0\.1:\d+/tree\?token=\w+"
    with serving(tmp_path, tree, "notebook", *arguments, exposed) as url:
        page = opened(url.replace("/tree?", "/notebooks/cells.ipynb?"))
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=START_S * 1000)
        page.wait_for_selector(".jp-NotebookKernelStatus, .jp-Notebook-ExecutionIndicator")
        page.wait_for_timeout(3000)
        page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
        view = moves(page)
        # A click on the picture puts the notebook into command mode.
        view.locator(".uticket-figures").click()
        cells = "() => document.querySelectorAll('.jp-Notebook .jp-Cell').length"
        active = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')]
            .findIndex(cell => cell.classList.contains('jp-mod-active'))"""
        inputs = "input[type=range]:enabled, select:enabled, button:enabled, input:not([type])"
        count = view.locator(inputs).count()
        assert count > 6
        here = None
        for which in range(count):
            view.locator(inputs).nth(which).focus()
            here = page.evaluate(active) if here is None else here
            for key in ("a", "b", "ArrowDown", "ArrowUp", "j", "m", "x"):
                page.keyboard.press(key)
            assert page.evaluate(cells) == 3
            assert page.evaluate(active) == here
            assert not page.locator(".jp-Notebook .jp-MarkdownCell").count()


def test_marimo(opened, tmp_path):
    (tmp_path / "app.py").write_text(MARIMO)
    arguments = ("run", "app.py", "--headless", "--host=127.0.0.1", "--token-password=secret")
    with serving(tmp_path, r"http://localhost:\d+", "marimo", *arguments) as url:
        moves(opened(f"{url.replace('localhost', '127.0.0.1')}?access_token=secret"))


def test_voila(opened, tmp_path):
    """It asks a stranger for icons, which explorers do without."""
    lab.write_notebook(tmp_path / "cells.ipynb", *CELLS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("cells.ipynb", "--no-browser", "--token", "--Voila.ip=127.0.0.1")
    at = rf"http://127\.0\.0\.1:{port}/\S*"
    with serving(tmp_path, at, "voila", *arguments, f"--port={port}") as url:
        moves(opened(url))
