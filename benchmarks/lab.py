"""A real JupyterLab in a real browser, with every other host out of reach."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
"""Debian's (`apt-get install chromium`), unless CHROMIUM names another."""
ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 120
RUN_TIMEOUT_MS = 120_000


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless browser that asks nobody for updates."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        yield started
        started.close()


@contextmanager
def lab(home: Path) -> Iterator[str]:
    """The URL, with its token, of a JupyterLab that serves `home`, with the notebooks in it."""
    with server(home) as (url, _):
        yield url


@contextmanager
def server(home: Path) -> Iterator[tuple[str, int]]:
    """The same, and the number of its process."""
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    quiet = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--LabApp.expose_app_in_browser=True"),
        f"--ServerApp.root_dir={home}",
    ]
    log = home / "lab.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield _wait_for_url(process, log), process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(
            r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text(encoding="utf-8")
        ):
            return found.group()
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text('utf-8')}")


def new_context(started: Browser, strangers: list[str]) -> BrowserContext:
    """A browser window of 1280×720 that refuses requests to other hosts and lists them."""

    def route(asked: Route) -> None:
        if urlparse(asked.request.url).hostname in ("127.0.0.1", None):
            asked.continue_()
        else:
            strangers.append(asked.request.url)
            asked.abort()

    context = started.new_context(viewport={"width": 1280, "height": 720})
    context.route("**/*", route)
    return context


def open_notebook(context: BrowserContext, url: str, name: str, theme: str) -> Page:
    """A new page with a notebook of the folder `notebooks`, not run."""
    page = context.new_page()
    workspace = f"auto-{id(page)}"
    page.goto(url.replace("/lab?", f"/lab/workspaces/{workspace}/tree/notebooks/{name}?"))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=RUN_TIMEOUT_MS)
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    return page


def run_all(page: Page) -> None:
    """Run all cells and wait until every one has run; folded ones show no number."""
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=RUN_TIMEOUT_MS)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
            const texts = prompts.map(p => p.textContent).filter(text => text);
            return texts.length && texts.every(text => /\\[\\d+\\]/.test(text));
        }""",
        timeout=RUN_TIMEOUT_MS,
    )
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=RUN_TIMEOUT_MS)


def write_notebook(file: Path, *cells: str) -> None:
    """A notebook of code cells."""
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, file)
