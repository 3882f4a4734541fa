"""Every call of a Kobo with no token, a wrong one, a revoked one and another person's (kobo-protocol.md 7.1, 13.1).

Nothing of anybody else comes out or changes, the answer is never one upon which a device drops what it holds, and what
is secret is in no log and in no list, whatever goes wrong.
"""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlmodel import select

from appliance.accounts import devices
from appliance.app import create_app
from appliance.models import Annotation, Book, JournalEntry, KoboDelivery, KoboEntitlement
from kobo_api import contents
from kobo_api.contents import ROUTES
from tests.kobo_api.conftest import BASE, Desk, Home, open_home
from webreader.pages.device_requests import as_text

DEVICE_ID = "9c1f0e6d5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0"
USER_KEY = "5b0e9c3a-7f21-4c55-9a40-0d9b6f1e2c77"
EMAIL = "ida.moss@example.net"
WORDS = "the lamp went out at four"
READING_SERVICES = [
    ("POST", "/api/v3/content/checkforchanges"),
    ("GET", "/api/v3/content/{id}/annotations?limit=100"),
    ("PATCH", "/api/v3/content/{id}/annotations"),
    ("GET", "/api/UserStorage/Metadata"),
    ("GET", "/api/UserStorage/Metadata/{id}"),
    ("PUT", "/api/UserStorage/Object/{id}"),
    ("DELETE", "/api/UserStorage/Object/{id}"),
    ("GET", "/api/internal/notebooks?limit=10"),
]


class House:
    """Ida, who has a book with a highlight on her Kobo, and Ben, who has another Kobo."""

    def __init__(self, home: Home) -> None:
        self.home = home
        home.import_books("minimal-v2.epub")
        self.ida, self.ben = home.kobo(home.person("Ida")), home.kobo(home.person("Ben"))
        self.app = create_app(home.house)
        self.client = TestClient(self.app, base_url=BASE, raise_server_exceptions=False)
        self.client.follow_redirects = False
        with home.database.read() as session:
            self.title = session.exec(select(Book.title)).one()
        self.tokens = {desk: self.sign_in(desk) for desk in (self.ida.secret, self.ben.secret)}
        for desk in (self.ida, self.ben):
            desk.sync()
        with home.database.read() as session:
            mine = select(KoboEntitlement.id).where(KoboEntitlement.user_id == self.ida.user_id)
            self.id = session.exec(mine).one()
        self.ida.take(self.id)
        note = {"updatedAnnotations": [highlight()], "deletedAnnotationIds": []}
        self.service("PATCH", "/api/v3/content/{id}/annotations", self.tokens[self.ida.secret], note)

    def sign_in(self, secret: str) -> str:
        body = {"DeviceId": DEVICE_ID, "UserKey": USER_KEY, "SerialNumber": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"}
        answer = self.client.post(f"/kobo/{secret}/v1/auth/device", json=body)
        assert answer.status_code == 200
        return str(answer.json()["AccessToken"])

    def path(self, template: str) -> str:
        parts = {
            "id": self.id,
            "ids": self.id,
            "image": f"{self.id}-x",
            "name": f"{self.id}.kepub.epub",
            "tag": self.id,
        }
        return re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "1"), template)

    def call(self, secret: str, method: str, template: str, body: Any = None) -> Any:
        method = "POST" if method == "*" else method
        address = f"/kobo/{secret}{self.path(template)}"
        return self.client.request(method, address, json=body or {}, headers={"x-kobo-userkey": USER_KEY})

    def service(self, method: str, template: str, token: str | None, body: Any = None, **headers: str) -> Any:
        given = {"x-kobo-userkey": USER_KEY} | headers | ({"authorization": f"Bearer {token}"} if token else {})
        return self.client.request(method, self.path(template), json=body or [], headers=given)

    def of_ida(self) -> list[Any]:
        """Everything of hers that a stranger could change."""
        with self.home.database.read() as session:
            rows: list[Any] = []
            for model, mine in (
                (JournalEntry, JournalEntry.user_id == self.ida.user_id),
                (Annotation, Annotation.user_id == self.ida.user_id),
                (KoboDelivery, KoboDelivery.device_id == self.ida.device_id),
            ):
                rows += sorted(
                    json.dumps(row.model_dump(), default=str) for row in session.exec(select(model).where(mine))
                )
            return rows

    def tells_nothing(self, answer: Any) -> bool:
        return WORDS not in answer.text and self.title not in answer.text and not answer.content.startswith(b"PK")


def highlight() -> dict[str, Any]:
    return {
        "clientLastModifiedUtc": "2026-03-01T08:00:00Z",
        "highlightedText": WORDS,
        "id": "a7d0b6c4-5e3f-4a1c-b7d2-90e1f2a3b4c5",
        "location": {"span": {"chapterFilename": "x", "startChar": 0, "endChar": 3, "startPath": "", "endPath": ""}},
        "type": "highlight",
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_home(tmp_path_factory.mktemp("authorization")) as home:
        yield House(home)


@pytest.fixture
def revoked(house: House) -> Desk:
    desk = house.home.kobo(house.ida.user_id)
    house.tokens[desk.secret] = house.sign_in(desk.secret)
    with house.home.database.write() as session:
        devices.revoke(house.home.house, session, desk.user_id, desk.device_id)
    return desk


def test_below_the_token_strangers_all_hear_the_same(house: House, revoked: Desk) -> None:
    before = house.of_ida()
    for secret in ("0" * 32, house.ida.secret[:-1], house.ida.secret.upper(), revoked.secret, "null", "x" * 5000):
        for method, template, _ in ROUTES:
            answer = house.call(secret, method, template)
            assert (answer.status_code, answer.content) == (404, b"{}"), (method, template)
    assert house.of_ida() == before


def test_below_another_persons_token_there_is_nothing_of_hers(house: House) -> None:
    before = house.of_ida()
    state = {"ReadingStates": [{"EntitlementId": house.id, "StatusInfo": {"Status": "Finished"}}], "Items": []}
    for method, template, _ in ROUTES:
        answer = house.call(house.ben.secret, method, template, state)
        assert answer.status_code < 400 or template.startswith("/download/"), (method, template)
        if template != "/v1/library/sync":  # the book is in his library too
            assert house.tells_nothing(answer), (method, template)
    assert house.of_ida() == before


@pytest.mark.parametrize("caller", ["nobody", "made-up", "cut", "forged", "another", "revoked"])
def test_the_reading_services_harm_nobody(house: House, revoked: Desk, caller: str) -> None:
    """7.1, 7.3: a device drops its notes upon an empty set, an error, or none at all; what it hears is “unchanged”."""
    mine = house.tokens[house.ida.secret]
    signed, _, signature = mine.rpartition(".")
    token = {
        "nobody": None,
        "made-up": "abc",
        "cut": mine[:-2],
        "forged": f"{signed[:-4]}AAAA.{signature}",
        "another": house.tokens[house.ben.secret],
        "revoked": house.tokens[revoked.secret],
    }[caller]
    before = house.of_ida()
    for method, template in READING_SERVICES:
        body = {"updatedAnnotations": [], "deletedAnnotationIds": [highlight()["id"]]} if method == "PATCH" else None
        answer = house.service(method, template, token, body)
        assert house.tells_nothing(answer), template
        if "annotations" in template:
            allowed = {"GET": (304,), "PATCH": (204, 503) if caller == "another" else (503,)}[method]
            assert answer.status_code in allowed, (method, answer.status_code)
        else:
            assert answer.status_code in (200, 204), template
        if "checkforchanges" in template:
            assert answer.json() == []
    assert house.of_ida() == before


def test_a_device_id_is_not_enough_for_another_device(house: House) -> None:
    """It was learned on Ida's calls; whoever shows another token is judged by the token."""
    house.client.get(f"/kobo/{house.ida.secret}/v1/user/profile", headers={"x-kobo-deviceid": DEVICE_ID})
    before = house.of_ida()
    patch = {"updatedAnnotations": [], "deletedAnnotationIds": [highlight()["id"]]}
    other = house.tokens[house.ben.secret]
    house.service("PATCH", "/api/v3/content/{id}/annotations", other, patch, **{"x-kobo-deviceid": DEVICE_ID})
    assert house.of_ida() == before


def test_what_is_secret_is_in_no_log(
    house: House, revoked: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not even when everything breaks."""
    caplog.set_level(logging.DEBUG)
    tokens = [house.ida.secret, revoked.secret, *house.tokens.values()]
    headers = {"x-kobo-deviceid": DEVICE_ID, "x-kobo-userkey": USER_KEY, "cookie": "session=c00kie-of-ida"}

    def walk() -> None:
        for secret in (house.ida.secret, revoked.secret):
            for method, template, _ in ROUTES:
                path = f"/kobo/{secret}{house.path(template)}?email={EMAIL}&token={secret}"
                house.client.request("POST" if method == "*" else method, path, json={"e": EMAIL}, headers=headers)
            house.client.get(f"/kobo/{secret}/v1/user/{EMAIL}/{secret}/{DEVICE_ID}", headers=headers)
        for method, template in READING_SERVICES:
            house.service(method, template, house.tokens[house.ida.secret], [], **headers)

    walk()
    kept = house.app.state.recent_calls.of(house.ida.device_id)
    with house.home.database.read() as session:
        text = as_text(devices.get(session, house.ida.user_id, house.ida.device_id), kept)
    assert len(kept) > len(ROUTES) / 2 and "/v1/library/sync" in text
    with monkeypatch.context() as broken:
        broken.setattr(contents, "find", _break)
        broken.setattr("kobo_api.annotations.incoming.read_patch", _break)
        walk()
    # The client of this test writes the addresses that it calls into the same log.
    logged = "\n".join(caplog.handler.format(record) for record in caplog.records if record.name != "httpx")
    assert "failed" in logged, "it did break"
    for secret in (*tokens, DEVICE_ID, USER_KEY, EMAIL, "c00kie"):
        assert secret not in logged and secret not in text, secret


def _break(*arguments: Any) -> Any:
    raise RuntimeError(f"broken by {len(arguments)} arguments")
