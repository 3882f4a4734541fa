"""One server with a small library and two people, for all tests of the pages."""

from collections.abc import Iterator

import pytest

from tests.server import BOOKS, Server, running_server


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    names = ("l-frank-baum_the-marvelous-land-of-oz", "childrens-literature", "regime-anticancer-arabic", "minimal-v2")
    with running_server(books=[BOOKS / f"{name}.epub" for name in names]) as server:
        server.add_user("Ida", admin=True)
        server.add_user("Ben")
        yield server
