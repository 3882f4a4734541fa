"""One server for all tests that need one and no other, and a person of its own for each."""

from collections.abc import Iterator

import pytest

from tests.server import BOOKS, Server, running_server

ALICE = BOOKS / "calibre-docx_alice.epub"
OTHER = BOOKS / "minimal-v2.epub"


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with running_server(books=[ALICE, OTHER]) as server:
        yield server


@pytest.fixture
def ida(server: Server) -> str:
    """A person who has read nothing yet."""
    name = f"Ida {len(server.json('user', 'list'))}"  # type: ignore[arg-type]
    server.add_user(name)
    return name
