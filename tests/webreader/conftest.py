"""One browser for the tests of a file, because starting one takes seconds.

No longer than for a file: as long as Playwright runs, nothing else in the process can run an event loop.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
