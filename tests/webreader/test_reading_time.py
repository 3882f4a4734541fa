"""What the reader takes for reading, in a real browser: input, while the page shows. Its clock is turned by hand."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route

from tests.server import BOOKS, Server, eventually, running_server
from tests.webreader.open_reader import OpenReader, books, query

# Each test is the visit of a person, with its pauses.
pytestmark = pytest.mark.slow

NOVEL = "l-frank-baum_the-marvelous-land-of-oz.epub"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / NOVEL]) as server:
        yield server


@pytest.fixture
def page(page: Page) -> Page:
    page.clock.install()
    return page


@pytest.fixture
def reader(page: Page, server: Server) -> OpenReader:
    return OpenReader(page, server, books(server)[NOVEL]).open()


def seconds(server: Server) -> list[int]:
    """Of what the newest person's browser has sent, each."""
    return [
        row[0]
        for row in query(
            server,
            "SELECT seconds FROM readingevent JOIN readdocument ON readdocument.id = document_id"
            " WHERE user_id = (SELECT max(id) FROM user) ORDER BY readingevent.id",
        )
    ]


def fractions(server: Server) -> list[tuple[float, float]]:
    """Where in the book each report of the newest person's browser begins and ends, in the book's order."""
    return query(
        server,
        "SELECT start_fraction, end_fraction FROM readingevent JOIN readdocument ON readdocument.id = document_id"
        " WHERE user_id = (SELECT max(id) FROM user) ORDER BY start_fraction, end_fraction",
    )


def hide(reader: OpenReader, hidden: bool = True) -> None:
    """As when another tab comes to the front."""
    state = "hidden" if hidden else "visible"
    reader.page.evaluate(
        f"""Object.defineProperty(document, 'visibilityState', {{ value: '{state}', configurable: true }})
        document.dispatchEvent(new Event('visibilitychange'))"""
    )


def test_nobody_there_nothing_sent(server: Server, reader: OpenReader) -> None:
    reader.page.clock.run_for(30 * 60_000)
    hide(reader)
    reader.open()
    reader.page.wait_for_timeout(500)
    assert seconds(server) == []


def test_reading_is_sent_every_minute_and_ends_two_minutes_after_the_last_input(
    server: Server, reader: OpenReader
) -> None:
    reader.turn()
    reader.page.clock.run_for(61_000)
    eventually(lambda: len(seconds(server)) == 1)
    before = reader.cfi
    reader.turn(2)
    eventually(lambda: reader.cfi != before)  # a busy machine may take longer than the turning waits
    reader.page.clock.run_for(60_000)
    eventually(lambda: len(seconds(server)) == 2)
    reader.page.clock.run_for(60 * 60_000)
    eventually(lambda: sum(seconds(server)) >= 180)
    reader.page.wait_for_timeout(500)
    assert 180 <= sum(seconds(server)) <= 195 and len(seconds(server)) <= 5
    # The browser keeps to the server's clock, for which hardly any time has passed, so the hours mean nothing here.
    (begun, turned), (again, end), *rest = fractions(server)
    assert 0 <= begun < turned == again < end < 0.1
    assert rest and all(each == (end, end) for each in rest)


def test_what_was_read_is_sent_when_the_page_is_left(server: Server, reader: OpenReader) -> None:
    reader.page.clock.run_for(20_000)  # somebody reads the first page
    reader.turn()
    reader.page.clock.run_for(10_000)
    reader.page.goto(f"{server.url}/")
    eventually(lambda: seconds(server))
    assert 30 <= sum(seconds(server)) <= 45


def test_a_page_that_nobody_sees_is_not_read(server: Server, reader: OpenReader) -> None:
    reader.turn()
    reader.page.clock.run_for(10_000)
    hide(reader)
    eventually(lambda: seconds(server))
    before = seconds(server)
    reader.page.clock.run_for(10 * 60_000)
    reader.page.wait_for_timeout(300)
    assert seconds(server) == before
    hide(reader, False)
    reader.page.clock.run_for(5_000)
    reader.turn()
    hide(reader)
    eventually(lambda: len(seconds(server)) == len(before) + 1)
    assert 5 <= seconds(server)[-1] <= 15


def test_what_could_not_be_sent_is_sent_at_the_next_visit(server: Server, reader: OpenReader) -> None:
    def fail(route: Route) -> None:
        route.abort()

    reader.page.route("**/api/**", fail)  # nothing gets through
    for _ in range(3):
        reader.turn()
        reader.page.clock.run_for(60_000)
        reader.page.wait_for_timeout(200)
    assert seconds(server) == []
    hide(reader)
    reader.page.unroute("**/api/**")
    reader.open()
    eventually(lambda: seconds(server))
    assert len(seconds(server)) == 1 and 180 <= sum(seconds(server)) <= 200
    stored = "Object.keys(localStorage).some(key => key.startsWith('bookwake-time'))"
    eventually(lambda: not reader.page.evaluate(stored))
