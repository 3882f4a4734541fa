"""The annotation service while nothing is kept: no note may be lost to it (kobo-protocol.md 7)."""

import json

import pytest

from kobo_api.call import Answer
from kobo_api.reading_services import content, notebooks, user_storage
from tests.kobo_api.conftest import Desk, Home
from tests.kobo_api.shapes import offered

BOOK = "minimal-v2.epub"


class Notes:
    """The annotation calls of one Kobo about one book."""

    def __init__(self, home: Home, kobo: Desk) -> None:
        home.import_books(BOOK)
        [self.id] = offered(kobo.sync()).values()
        self.home, self.kobo = home, kobo
        token = kobo.json("POST", "/v1/auth/device", {})["AccessToken"]
        self.headers = {"authorization": f"Bearer {token}"}

    def call(self, method: str, headers: dict[str, str] | None = None, id: str | None = None) -> Answer:
        given = self.headers if headers is None else headers
        return content(self.home.house, method, f"/{id or self.id}/annotations/", given)


@pytest.fixture
def notes(home: Home, kobo: Desk) -> Notes:
    return Notes(home, kobo)


def test_no_change_is_ever_acknowledged(notes: Notes) -> None:
    """What was acknowledged is never sent again (7.5)."""
    for headers in (notes.headers, {}, {"authorization": "Bearer x"}):
        assert notes.call("PATCH", headers).status == 503
        assert notes.call("PATCH", headers, id="unknown").status == 503


def test_nothing_is_named(notes: Notes) -> None:
    """So no device asks for a set of its own accord (7.2)."""
    for method in ("POST", "GET"):
        assert json.loads(content(notes.home.house, method, "/checkforchanges/", {}).body) == []


def test_the_set_is_empty_right_after_a_download_alone(notes: Notes) -> None:
    """Whatever else is answered replaces the notes on the device; 304 was seen to leave them (7.3)."""
    assert notes.call("GET").status == 304, "not downloaded yet"
    notes.kobo.take(notes.id)
    fresh = notes.call("GET")
    assert fresh.status == 200 and json.loads(fresh.body) == {"annotations": [], "nextPageOffsetToken": None}
    assert notes.call("GET", {}).status == 304, "nobody we know"
    assert notes.call("GET", id="unknown").status == 304
    notes.home.clock.forward(minutes=11)
    assert notes.call("GET").status == 304, "by now there may be notes"


def test_a_device_that_has_notes_is_not_told_that_there_are_none(notes: Notes) -> None:
    notes.kobo.take(notes.id)
    notes.call("PATCH")
    assert notes.call("GET").status == 304
    notes.kobo.take(notes.id)
    assert notes.call("GET").status == 200, "a new file begins without notes"


def test_storage_and_notebooks_never_fail(home: Home) -> None:
    """An error there cancels the sync of pen devices (7.12)."""
    for method in ("GET", "POST", "PUT", "DELETE"):
        for path in ("/Metadata/", "/Metadata/x/", "/Object/x/"):
            assert user_storage(home.house, method, path, {}).status in (200, 204)
        assert json.loads(notebooks(home.house, method, "/", {}).body) == {"data": [], "totalResults": 0}
    assert json.loads(user_storage(home.house, "GET", "/Metadata/", {}).body)["metadata"] == []
