"""One server for all tests of the protocol, and a person of its own for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.koreader_api.plugin.standin import Device, Words, paired
from tests.server import BOOKS, Server, running_server

BOOK = BOOKS / "calibre-docx_alice.epub"
OTHER = BOOKS / "minimal-v2.epub"


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with running_server(books=[BOOK, OTHER]) as server:
        yield server


@pytest.fixture(scope="package")
def words() -> Words:
    return Words(BOOK)


@pytest.fixture
def ida(server: Server) -> str:
    """A person who has read nothing yet."""
    name = f"Ida {len(server.json('user', 'list'))}"  # type: ignore[arg-type]
    server.add_user(name)
    return name


@pytest.fixture
def device(server: Server, ida: str) -> Device:
    return paired(server, ida)


@pytest.fixture
def book() -> Path:
    return BOOK
