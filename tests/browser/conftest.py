"""A real JupyterLab in a real browser, with every other host out of reach."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
START_TIMEOUT_S = 120
RUN_TIMEOUT_MS = 120_000


@pytest.fixture(scope="session")
def chromium():
    """A headless browser. Missing, it is a reason to skip, but an error where CI is set."""
    if not CHROMIUM.exists():
        reason = f"no browser at {CHROMIUM}; install Debian's: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_url(tmp_path_factory):
    """The URL, with its token, of a JupyterLab over a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    quiet = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')
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
    with log.open("w") as output:
        lab = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield _wait_for_url(lab, log)
    finally:
        lab.terminate()
        lab.wait(30)


def _wait_for_url(lab, log):
    import time

    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and lab.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text()):
            return found.group()
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture
def open_notebook(chromium, lab_url):
    """A function that opens a notebook in a new page and runs all its cells.

    Every request to another host is refused; the test fails if there was one.
    """
    strangers, contexts = [], []

    def route(request_route):
        if urlparse(request_route.request.url).hostname in ("127.0.0.1", None):
            request_route.continue_()
        else:
            strangers.append(request_route.request.url)
            request_route.abort()

    def open_(name, *, run=True, theme="JupyterLab Light"):
        context = chromium.new_context(viewport={"width": 1280, "height": 720})
        contexts.append(context)
        context.route("**/*", route)
        page = context.new_page()
        page.goto(
            lab_url.replace("/lab?", f"/lab/workspaces/auto-{len(contexts)}/tree/notebooks/{name}?")
        )
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=RUN_TIMEOUT_MS)
        page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        if run:
            run_all(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not strangers, f"pages asked for other hosts: {strangers}"


def run_all(page):
    """Run all cells and wait until the kernel is idle again."""
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=RUN_TIMEOUT_MS)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
            return prompts.length && prompts.every(p => /\\[\\d+\\]/.test(p.textContent));
        }""",
        timeout=RUN_TIMEOUT_MS,
    )
