"""Where things are."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Kernels compile in their first example; where CI is set, examples are the same every time.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared():
    """The folder of reference outputs beside the checkout, where there is one."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside this checkout: the reference outputs are not here")
    return folder
