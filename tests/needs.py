"""What a test needs beyond Python: skips with the reason where it is missing.

`.ci/run` installs all of it, so in CI (`CI=true`) a skip is a failure; `tests/conftest.py` sees to that.
"""

import os
import shutil
from pathlib import Path

import pytest


def program(name: str, package: str) -> Path:
    """The path of a program that Debian carries in `package`."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package: {package})")
    return Path(found)


def chromium() -> Path:
    """The browser that Playwright drives."""
    return program("chromium", "chromium")


def kepubify() -> Path:
    """The reference converter: the file that BOOKWAKE_KEPUBIFY names, or `kepubify` on the path."""
    named = os.environ.get("BOOKWAKE_KEPUBIFY")
    if named:
        return Path(named)
    found = shutil.which("kepubify")
    if found is None:
        pytest.skip("kepubify is not installed: put it on the path or name it in BOOKWAKE_KEPUBIFY")
    return Path(found)


def postgresql() -> str:
    """The URL of a database that tests may empty and fill."""
    url = os.environ.get("BOOKWAKE_TEST_POSTGRESQL")
    if not url:
        pytest.skip("no PostgreSQL to test with: give the URL of an empty database in BOOKWAKE_TEST_POSTGRESQL")
    return url
