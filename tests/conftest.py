"""Where things are."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

import uticket_lite as ut
from uticket_lite.strategies import registry

# Kernels compile in their first example; where CI is set, examples are the same every time.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")

# Where a shell runs the tests in the background it has Ctrl-C ignored, in all that they start too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module", autouse=True)
def environment():
    """What a file's tests leave in the environment ends with it: Dask's workers leave the number
    of threads that they are to use, say."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def shared():
    """The folder of reference outputs beside the checkout, where there is one."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside this checkout: the reference outputs are not here")
    return folder


@pytest.fixture
def register():
    """`ut.register`; what it registered is forgotten after the test."""
    before = dict(registry._registered)
    yield ut.register
    registry._registered.clear()
    registry._registered.update(before)
