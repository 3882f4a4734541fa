"""The genuine store merged in (kobo-protocol.md 9): what goes out, what comes in, and that it never breaks our sync."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from appliance.models import KoboEntitlement, KoboStore
from kobo_api.call import Answer
from kobo_api.resources import OURS
from kobo_api.store import client, proxy
from kobo_api.store.client import Breaker, Refused
from tests.kobo_api.conftest import BASE, Desk, Home
from tests.simulators.kobo_store import BOOK, GENUINE, TOKEN, Store, entitlement, running_store

KEYS = {"x-kobo-deviceid": "9c1f", "x-kobo-userkey": "genuine-key", "cookie": "session=of-ours", "user-agent": "Kobo"}
BAD = ["error", "refuse", "garbage", "redirect", "drop", "flood"]


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture(scope="module")
def running() -> Iterator[Store]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(running: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    running.mode, running.pages, running.seen = "good", [], []
    monkeypatch.setattr(client, "STORE", running.url)
    monkeypatch.setattr(client, "breaker", Breaker())
    monkeypatch.setattr(proxy, "refused", Refused(3600))
    return running


@pytest.fixture
def shopper(home: Home, kobo: Desk, store: Store) -> Desk:
    with home.database.write() as session:
        session.add(KoboStore(device_id=kobo.device_id, is_on=True))
    kobo.headers = {**KEYS, "authorization": f"Bearer {GENUINE}"}
    return kobo


def titles(events: list[dict[str, Any]]) -> list[str]:
    return [event["NewEntitlement"]["BookMetadata"]["Title"] for event in events if "NewEntitlement" in event]


def entitlements(home: Home) -> list[str]:
    with home.database.read() as session:
        return list(session.exec(select(KoboEntitlement.id)))


def test_off_by_default(home: Home, kobo: Desk, store: Store) -> None:
    home.put_books(1)
    kobo.sync()
    kobo.json("GET", "/v1/initialization")
    kobo.json("GET", f"/v1/products/books/{BOOK}")
    assert store.seen == []


def test_a_sync_has_both(home: Home, shopper: Desk, store: Store) -> None:
    home.put_books(130)
    store.pages = [[entitlement(title="One")], [entitlement("0" * 8 + BOOK[8:], "Two")]]
    events = shopper.sync()
    assert len(titles(events)) == 132 and titles(events)[-2:] == ["One", "Two"]
    assert shopper.sync() == [] and shopper.token.startswith("S1.") and len(shopper.token) < 30
    store.pages.append([entitlement("1" * 8 + BOOK[8:], "Three")])
    home.put_books(1, "New")
    assert titles(shopper.sync()) == ["New 0", "Three"] and shopper.sync() == []


def test_what_did_not_arrive_comes_again_and_nothing_else(shopper: Desk, store: Store) -> None:
    store.pages = [[entitlement(title="One")], [entitlement(title="Two")]]
    shopper.page()
    before = shopper.token
    assert titles(shopper.page()[0]) == ["Two"]
    shopper.token = before  # the answer was lost
    assert titles(shopper.sync()) == ["Two"] and shopper.sync() == []
    shopper.token = ""
    assert shopper.sync() == [], "a lost token re-sends nothing of the store"


def test_it_goes_on_from_the_token_of_the_store(shopper: Desk, store: Store) -> None:
    """4.2: a device that comes from the store shows that one's token first."""
    store.pages = [[entitlement(title="Had before")], [entitlement(title="News")]]
    shopper.token = f"{TOKEN}.0001"
    assert titles(shopper.sync()) == ["News"] and shopper.sync() == []


@pytest.mark.parametrize("mode", BAD)
def test_a_failing_store_never_breaks_our_sync(home: Home, shopper: Desk, store: Store, mode: str) -> None:
    store.pages = [[entitlement()]]
    home.put_books(3)
    store.mode = mode
    assert len(titles(shopper.sync())) == 3 and shopper.sync() == []
    for method, path in (("PUT", f"/v1/library/{BOOK}/state"), ("DELETE", f"/v1/library/{BOOK}"), ("POST", "/v1/x")):
        answer = shopper.call(method, path, {})
        assert isinstance(answer, Answer) and answer.status in (200, 204), (mode, path)
    resources = shopper.call("GET", "/v1/initialization")
    assert isinstance(resources, Answer)
    if mode == "refuse":
        assert resources.status == 401, "so that it signs in anew"
        signed_in = shopper.json("POST", "/v1/auth/device", {"UserKey": "genuine-key"})
        shopper.headers["authorization"] = f"Bearer {signed_in['AccessToken']}"
        resources = shopper.call("GET", "/v1/initialization")
        assert isinstance(resources, Answer)
    assert json.loads(resources.body)["Resources"]["library_sync"].startswith(f"{BASE}/kobo/")
    store.mode = "good"
    client.breaker = Breaker()
    assert titles(shopper.sync()) == ["Bought"]


def test_a_store_that_hangs_is_left_alone(home: Home, shopper: Desk, store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr(client, "READ", 0.05)
    monkeypatch.setattr(client, "CONNECT", 0.2)
    store.mode = "hang"
    for _ in range(6):
        assert shopper.sync() == []
    assert len(store.seen) == client.FAILURES


def test_the_breaker_closes_after_a_while() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(client.FAILURES):
        assert not breaker.is_open
        breaker.note(good=False)
    assert breaker.is_open
    clock.time = client.PAUSE + 1
    assert not breaker.is_open
    breaker.note(good=False)
    assert breaker.is_open, "one more failure is enough now"
    clock.time *= 3
    breaker.note(good=True)
    breaker.note(good=False)
    assert not breaker.is_open


def test_signing_in_is_the_stores(shopper: Desk, store: Store) -> None:
    """Else it answers “Invalid token version” for ever."""
    given = shopper.call("POST", "/v1/auth/device", {"UserKey": "genuine-key", "DeviceId": "9c1f"})
    assert isinstance(given, Answer) and json.loads(given.body)["AccessToken"] == GENUINE
    assert not {name.lower() for name in given.headers} & {"set-cookie", "content-length", "connection"}
    resources = shopper.json("GET", "/v1/initialization")["Resources"]
    assert resources["store_key_7"] and resources["oauth_host"] == "https://oauth.kobo.com"
    assert all("books.example.net" in resources[name] for name in OURS)


def test_a_token_of_ours_never_goes_out(shopper: Desk, store: Store, home: Home) -> None:
    """From before the store was switched on: the device is asked to sign in anew."""
    with home.database.write() as session:
        session.get_one(KoboStore, shopper.device_id).is_on = False
    mine = shopper.json("POST", "/v1/auth/device", {})
    with home.database.write() as session:
        session.get_one(KoboStore, shopper.device_id).is_on = True
    shopper.headers["authorization"] = f"Bearer {mine['AccessToken']}"
    for method, path, body in (
        ("GET", "/v1/initialization", None),
        ("POST", "/v1/auth/refresh", {"RefreshToken": mine["RefreshToken"]}),
    ):
        answer = shopper.call(method, path, body)
        assert isinstance(answer, Answer) and answer.status == 401 and b"ExpiredToken" in answer.body
    shopper.sync()
    shopper.call("POST", "/v1/products/1/rating/5", {"x": mine["AccessToken"]})
    shopper.call("POST", f"/v1/x/{shopper.secret}", {})
    for path in ("/v1/deals", f"/v1/library/{BOOK}/metadata", f"/covers/{BOOK}/1/1/false/image.jpg"):
        answer = shopper.call("GET", path)
        assert isinstance(answer, Answer) and answer.status == 200, "the device would take its token along"
    assert mine["AccessToken"] not in store.everything and mine["RefreshToken"] not in store.everything
    assert shopper.secret not in store.everything and "of-ours" not in store.everything


def test_nothing_of_our_books_goes_out(home: Home, shopper: Desk, store: Store) -> None:
    home.put_books(2)
    shopper.sync()
    ids = entitlements(home)
    one, two = ids
    state = {"ReadingStates": [{"EntitlementId": BOOK}, {"EntitlementId": one, "StatusInfo": {"Status": "Finished"}}]}
    calls: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/library/{one},{BOOK}/metadata", None),
        ("GET", f"/v1/library/{one.upper()}/state", None),
        ("PUT", f"/v1/library/{BOOK}/state", state),
        ("DELETE", f"/v1/library/{two}", None),
        ("GET", f"/v1/products/books/{one}", None),
        ("GET", f"/v1/user/reviews?ProductIds={one}", None),
        ("POST", f"/v1/products/{one}/reviews", {"body": "private"}),
        ("POST", "/v1/analytics/event", {"Events": [{"Id": "1", "Attributes": {"volumeid": one}}]}),
        ("POST", "/v1/library/tags", {"Name": "Private shelf", "Items": [{"RevisionId": BOOK}]}),
    ]
    for method, path, body in calls:
        answer = shopper.call(method, path, body)
        assert isinstance(answer, Answer) and answer.status in (200, 201, 204), (method, path)
    for private in (*ids, "private", "Private shelf"):
        assert private.lower() not in store.everything.lower()


def test_the_rest_is_the_stores(shopper: Desk, store: Store) -> None:
    for path in (f"/v1/library/{BOOK}/metadata", f"/v1/library/{BOOK}/state", "/v1/deals?a=[b]", "/v1/user/profile"):
        answer = shopper.call("GET", path)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.headers["location"]) == (307, store.url + path)
    answer = shopper.call("GET", "/v1/x/a b\r\nEvil: 1")
    assert isinstance(answer, Answer) and answer.headers["location"].endswith("/v1/x/a%20b%0D%0AEvil:%201")
    cover = shopper.call("GET", f"/covers/{BOOK}/355/530/false/image.jpg")
    assert isinstance(cover, Answer) and cover.headers["location"] == (
        f"https://cdn.kobo.com/book-images/{BOOK}/355/530/false/image.jpg"
    )
    odd = shopper.call("GET", "/covers/a\r\nb é/355/530/false/image.jpg")
    assert isinstance(odd, Answer) and odd.headers["location"].endswith("/a%0D%0Ab%20%C3%A9/355/530/false/image.jpg")
    state = {"ReadingStates": [{"EntitlementId": BOOK}]}
    assert shopper.json("PUT", f"/v1/library/{BOOK}/state", state) == {"FromTheStore": True}
    assert shopper.json("POST", "/v1/user/wishlist/items", {"Add": [BOOK]}) == {"FromTheStore": True}
    assert "x-kobo-userkey: genuine-key" in store.everything and "x-kobo-synctoken" not in store.everything


def test_the_store_cannot_speak_of_our_books(home: Home, shopper: Desk, store: Store) -> None:
    """An entitlement of theirs under an id of ours would un-download the book."""
    home.put_books(1)
    shopper.sync()
    (mine,) = entitlements(home)
    store.pages = [[entitlement(mine, "Stolen"), entitlement(title="Theirs"), {"ChangedReadingState": {"x": mine}}]]
    assert titles(events := shopper.sync()) == ["Theirs"] and len(events) == 1
