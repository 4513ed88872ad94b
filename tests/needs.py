"""Programs that some tests need: a machine without them says so, and fails where every test must run."""

import os
import shutil
from typing import NoReturn

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "Chromium is not installed (on Debian and Ubuntu: apt install chromium)"


def lacking(what: str) -> NoReturn:
    """Skip the test; with ZOETROPE_ALL_TESTS=1, as `.ci/run` sets it, fail it."""
    if os.environ.get("ZOETROPE_ALL_TESTS") == "1":
        pytest.fail(what)
    pytest.skip(what)
