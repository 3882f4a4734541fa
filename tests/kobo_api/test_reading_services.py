"""The annotation service at the root of the site: who may what, and what is answered to everybody else
(kobo-protocol.md 7.1, 7.12)."""

import json
import logging
from threading import Event
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlmodel import select

from appliance.accounts import devices
from appliance.app import create_app
from appliance.models import Annotation, JournalEntry
from kobo_api import entrance
from kobo_api.annotations import incoming
from kobo_api.call import Answer
from kobo_api.reading_services import (
    CONTENT,
    NOTEBOOKS,
    USER_STORAGE,
    Request,
    content,
    harmless,
    identified,
    notebooks,
    user_storage,
)
from tests.kobo_api.annotations.note_house import NoteHouse, NoteKobo
from tests.kobo_api.conftest import BASE, Desk, Home


@pytest.fixture
def house(home: Home) -> NoteHouse:
    return NoteHouse(home)


@pytest.fixture
def kobo(house: NoteHouse) -> NoteKobo:
    """With three notes, and one from elsewhere that is due."""
    kobo = house.kobo()
    kobo.mark_many(3)
    kobo.meet()
    house.marks("web", kobo.spans[9].text.strip())
    return kobo


def ask(house: NoteHouse, method: str, path: str, headers: dict[str, str], body: object = None) -> Answer:
    data = b"" if body is None else json.dumps(body).encode()
    return content(house.home.house, identified(house.home.house, method, path, "", headers, data))


def patch_body(kobo: NoteKobo) -> dict[str, object]:
    id = kobo.sim.add(kobo.book, kobo.spans[11], "secret words", kobo.stamp)
    return {"updatedAnnotations": [kobo.notes[id]]}


STRANGERS = ["nobody", "wrong", "revoked"]


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_learns_nothing_and_loses_nothing(house: NoteHouse, kobo: NoteKobo, who: str) -> None:
    """7.1: never 401. The device keeps what it has: its changes after 503, its set after 304."""
    headers = {"nobody": {}, "wrong": {"authorization": "Bearer a.b.c"}, "revoked": kobo.wire.headers}[who]
    if who == "revoked":
        with house.home.database.write() as session:
            devices.revoke(house.home.house, session, house.user_id, kobo.desk.device_id)
    path = f"/{kobo.id}/annotations"
    assert ask(house, "PATCH", path, headers, patch_body(kobo)).status == 503
    given = ask(house, "GET", path, headers)
    assert given.status == 304 and not given.body
    named = ask(house, "POST", "/checkforchanges", headers, [{"ContentId": kobo.id, "etag": ""}])
    assert named.status == 200 and named.body == b"[]"
    assert len(house.rows()) == 4


def test_another_persons_kobo(house: NoteHouse, kobo: NoteKobo) -> None:
    """Its notes of this very book are kept for its own person alone; it is given and told nothing of the others'."""
    other = house.home.kobo(house.home.person("Ben"))
    headers = {"authorization": f"Bearer {other.json('POST', '/v1/auth/device', {})['AccessToken']}"}
    path = f"/{kobo.id}/annotations"
    assert ask(house, "PATCH", path, headers, patch_body(kobo)).status == 204
    assert ask(house, "GET", path, headers).status == 304
    assert ask(house, "POST", "/checkforchanges", headers, [{"ContentId": kobo.id}]).body == b"[]"
    with house.home.database.read() as session:
        assert {row.user_id for row in session.exec(select(Annotation)).all()} == {house.user_id}
        [kept] = session.exec(select(JournalEntry).where(JournalEntry.user_id == other.user_id)).all()
        assert kept.reason == "unknown-book" and "secret words" in (kept.payload or {})["raw"]


def test_a_device_is_known_by_its_id_too(house: NoteHouse, kobo: NoteKobo) -> None:
    """7.1: learnt on a path with a token; an expired access token still says whose it is."""
    device_id = "9c1f" * 16
    kobo.desk.call("GET", "/v1/user/profile", x_kobo_deviceid=device_id)
    by_id = ask(house, "GET", f"/{kobo.id}/annotations", {"x-kobo-deviceid": device_id})
    assert by_id.status == 200
    house.home.clock.forward(days=3)
    assert ask(house, "GET", f"/{kobo.id}/annotations", kobo.wire.headers).status == 200


def test_nothing_secret_is_logged(house: NoteHouse, kobo: NoteKobo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"/{kobo.id}/annotations"
    for headers in ({}, kobo.wire.headers, {"authorization": "Bearer a.b.c"}):
        for method, body in (("GET", None), ("PATCH", patch_body(kobo)), ("PATCH", ["x"])):
            ask(house, method, path, headers, body)
    token = kobo.wire.headers["authorization"].removeprefix("Bearer ")
    assert caplog.text and "secret words" not in caplog.text
    assert token not in caplog.text and kobo.desk.secret not in caplog.text


def test_whatever_is_sent_is_kept_or_refused_but_never_an_error(house: NoteHouse, kobo: NoteKobo) -> None:
    """7.5: what cannot be understood is stored as it came, and 204; from then on no set is given."""
    path = f"/{kobo.id}/annotations"
    for body in ("[]", "{", "nonsense", '{"updatedAnnotations":[{"type":"highlight"}]}', '{"other":{"a":1}}', "\ud83d"):
        data = body.encode("utf-8", "surrogatepass")
        request = identified(house.home.house, "PATCH", path, "", kobo.wire.headers, data)
        assert content(house.home.house, request).status == 204
    with house.home.database.read() as session:
        kept = session.exec(select(JournalEntry).where(JournalEntry.reason == "not-understood")).all()
    assert len(kept) == 6 and kobo.ledger().doubt == "not-understood"
    assert ask(house, "GET", path, kobo.wire.headers).status == 304
    kobo.download()
    assert len(kobo.notes) == 4, "a new download begins anew"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_other_methods_do_nothing(house: NoteHouse, kobo: NoteKobo, method: str) -> None:
    given = ask(house, method, f"/{kobo.id}/annotations", kobo.wire.headers, patch_body(kobo))
    assert given.status == (304 if method == "HEAD" else 503) and len(house.rows()) == 4


def test_what_takes_longer_than_the_device_waits(
    house: NoteHouse, kobo: NoteKobo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """7.3, 7.5, over HTTP: it hears so before it gives up, and sends its changes again; they are kept once. What it may
    be given is not known until then."""
    go, done = Event(), Event()
    real = incoming.exchange

    def late(*what: Any) -> Any:
        go.wait(20)
        try:
            return real(*what)
        finally:
            done.set()

    path, body = f"{CONTENT}/{kobo.id}/annotations", patch_body(kobo)
    with TestClient(create_app(house.home.house), base_url=BASE) as client:
        with monkeypatch.context() as slow:
            slow.setattr(entrance, "DEADLINE", 0.2)
            slow.setattr(incoming, "exchange", late)
            refused = client.patch(path, headers=kobo.wire.headers, json=body)
            assert refused.status_code == 503 and int(refused.headers["retry-after"])
            assert len(house.rows()) == 4
            assert client.get(path, headers=kobo.wire.headers).status_code == 304
            go.set()
            assert done.wait(20)
        assert client.patch(path, headers=kobo.wire.headers, json=body).status_code == 204
        assert len(house.rows()) == 5
        given = client.get(path, headers=kobo.wire.headers)
        assert given.status_code == 200 and len(given.json()["annotations"]) == 5


def test_harmless_answers() -> None:
    """7.3, 7.6, 7.12: to what is too large, breaks or takes too long."""
    assert harmless(CONTENT, "GET", "/x/annotations").status == 304
    assert harmless(CONTENT, "PATCH", "/x/annotations").status == 503
    assert harmless(CONTENT, "POST", "/checkforchanges").body == b"[]"
    assert harmless(USER_STORAGE, "PUT", "/x").status == 204 and harmless(USER_STORAGE, "GET", "/x").body == b"{}"
    assert json.loads(harmless(NOTEBOOKS, "GET", "/").body) == {"data": [], "totalResults": 0}


def test_storage_and_notebooks_never_fail(home: Home, kobo: Desk) -> None:
    """An error there cancels the sync of pen devices (7.12)."""
    for method in ("GET", "POST", "PUT", "DELETE"):
        for path in ("/Metadata/", "/Metadata/x/", "/Object/x/"):
            assert user_storage(home.house, Request(method, path, "")).status in (200, 204)
        given = notebooks(home.house, Request(method, "/", ""))
        assert json.loads(given.body) == {"data": [], "totalResults": 0}
    stored = user_storage(home.house, Request("GET", "/Metadata/", ""))
    assert json.loads(stored.body)["metadata"] == []
