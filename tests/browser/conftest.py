"""Notebooks in a real JupyterLab, in a real browser."""

import os

import pytest

from benchmarks import lab


@pytest.fixture(scope="session")
def chromium():
    """A headless browser. Missing, it is a reason to skip, but an error where CI is set."""
    if not lab.CHROMIUM.exists():
        reason = f"no browser at {lab.CHROMIUM}; install Debian's: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with lab.browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab_home(tmp_path_factory):
    """The directory that JupyterLab serves."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab_url(chromium, lab_home):
    with lab.lab(lab_home) as url:
        yield url


@pytest.fixture
def open_notebook(chromium, lab_url):
    """A function that opens a notebook in a new window and runs all its cells.

    Every request to another host is refused; the test fails if there was one.
    """
    strangers, contexts = [], []

    def open_(name, *, run=True, theme="JupyterLab Light"):
        contexts.append(lab.new_context(chromium, strangers))
        page = lab.open_notebook(contexts[-1], lab_url, name, theme)
        if run:
            lab.run_all(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not strangers, f"pages asked for other hosts: {strangers}"


@pytest.fixture
def open_cells(open_notebook, lab_home):
    """A function that opens and runs a new notebook of these code cells."""

    def open_(*cells, name="cells.ipynb", **options):
        lab.write_notebook(lab_home / "notebooks" / name, *cells)
        return open_notebook(name, **options)

    return open_


@pytest.fixture
def open_file(chromium):
    """A function that opens a file in a window without a network; the test fails if it asks."""
    contexts, strangers, errors = [], [], []

    def open_(file, **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda asked: strangers.append(asked.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(file.as_uri())
        page.wait_for_selector(".uticket-view[data-frame]", timeout=60_000)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not [url for url in strangers if not url.startswith(("file:", "blob:", "data:"))]
    assert not errors
