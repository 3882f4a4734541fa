"""Somebody new for each test, and their ways in: a real browser, a client of the API, other readers. A module that uses
them has a fixture `server`.

One browser for the tests of a file, because starting one takes seconds. No longer than for a file: as long as
Playwright runs, nothing else in the process can run an event loop.
"""

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page

from appliance.house import House
from tests import server as appliance
from tests.chromium import chromium, signed_in
from tests.server import Server
from tests.webreader.other_reader import house_of

_numbers = count(1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def person(server: Server) -> str:
    """Somebody new, who has read nothing yet."""
    name = f"Reader {next(_numbers)}"
    server.add_user(name)
    return name


@pytest.fixture
def page(browser: Browser, server: Server, person: str) -> Iterator[Page]:
    """A page of the person's browser; no script of it may fail."""
    page = signed_in(browser, server, person)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert errors == []


@pytest.fixture
def client(server: Server, person: str) -> Iterator[appliance.Browser]:
    """What calls the API as the person's browser does."""
    with server.browser(person) as client:
        client.headers["accept"] = "application/json"
        yield client


@pytest.fixture(scope="module")
def house(server: Server) -> Iterator[House]:
    """The house of the server, for other readers to speak to."""
    with house_of(server) as house:
        yield house
