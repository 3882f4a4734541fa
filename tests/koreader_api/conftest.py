"""A book, and a person of its own for each test."""

import pytest

from tests.koreader_api.plugin.standin import Words
from tests.server import BOOKS, Server

BOOK = BOOKS / "calibre-docx_alice.epub"


@pytest.fixture(scope="session")
def words() -> Words:
    return Words(BOOK)


@pytest.fixture
def ida(server: Server) -> str:
    """A person who has read nothing yet."""
    name = f"Ida {len(server.json('user', 'list'))}"  # type: ignore[arg-type]
    server.add_user(name)
    return name
