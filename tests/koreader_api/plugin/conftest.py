"""One server for all tests of the protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.koreader_api.conftest import BOOK
from tests.koreader_api.plugin.standin import Device, paired
from tests.server import BOOKS, Server, running_server

OTHER = BOOKS / "minimal-v2.epub"


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with running_server(books=[BOOK, OTHER]) as server:
        yield server


@pytest.fixture
def device(server: Server, ida: str) -> Device:
    return paired(server, ida)


@pytest.fixture
def book() -> Path:
    return BOOK
