"""What a Kobo is answered off the beaten track: an error there cancels its sync (kobo-protocol.md 8)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobo_api import storefront
from kobo_api.call import Answer
from kobo_api.contents import find
from tests.kobo_api.conftest import Desk

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
segment = st.sampled_from(
    ["v1", "v2", "library", "tags", "sync", "x", "state", "Items", "items", "products", "a b", "..", "%"]
)


@given(st.sampled_from(METHODS), st.lists(segment, max_size=6))
def test_every_path_and_method_has_an_answer(method: str, segments: list[str]) -> None:
    handler, parts = find(method, "/" + "/".join(segments))
    assert callable(handler) and all(isinstance(part, str) for part in parts.values())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/", "/v1/nothing/here", "/v2/anything", "/api/v2/Categories/Top", "/v1/library/abc"])
def test_unknown_is_an_empty_object(kobo: Desk, method: str, path: str) -> None:
    if (method, path) == ("DELETE", "/v1/library/abc"):
        assert kobo.call(method, path) == Answer(status=204)
    else:
        assert kobo.json(method, path) == {}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/affiliate?PlatformID=1&SerialNumber=2", {"AffiliateName": "Kobo"}),
        ("GET", "/v1/user/loyalty/benefits", {"Benefits": {}}),
        ("GET", "/v1/products/books/subscriptions", []),
        ("GET", "/v1/deals", {"Deals": []}),
        ("GET", "/v1/assets?DiffRequests=[{}]", {"AssetGroups": [], "KeepGoing": False}),
        ("POST", "/v1/user/add-device", {}),
        ("GET", "/v1/products/1,2/prices", {"Items": []}),
        ("GET", "/V1/Products/1/NextRead", {}),
        ("GET", "/v1/user/reviews?ProductIds=1", {"CurrentPageIndex": 1, "Items": [], "TotalPageCount": 0}),
        ("POST", "/v1/products/1/rating/5", {}),
        ("GET", "/v1/user/library/previews/prices/", {"Items": []}),
    ],
)
def test_the_shop_is_empty(kobo: Desk, method: str, path: str, expected: object) -> None:
    assert kobo.json(method, path) == expected


def test_events_are_all_accepted(kobo: Desk) -> None:
    """An event that is not accepted is sent again for ever (8.1)."""
    body = {"Events": [{"Id": "a"}, {"Id": 3}, "x", {"Id": "b", "Metrics": {}}]}
    answer = kobo.json("POST", "/v1/analytics/event", body)
    assert answer == {"Result": "Success", "AcceptedEvents": ["a", "b"], "RejectedEvents": {}}
    assert kobo.json("POST", "/v1/analytics/event", b"\xff{")["AcceptedEvents"] == []


def test_tests_answer_under_the_key_that_was_asked_for(kobo: Desk) -> None:
    assert kobo.json("POST", "/v1/analytics/gettests", {"TestKey": "k"})["TestKey"] == "k"
    assert kobo.json("POST", "/v1/analytics/gettests", x_kobo_userkey="u")["TestKey"] == "u"


def test_tags_are_no_books(kobo: Desk) -> None:
    """6.6: the collection routes come before that of a book, in either spelling, and never answer 4xx."""
    created = kobo.call("POST", "/v1/library/tags", {"Name": "Winter", "Items": []})
    assert isinstance(created, Answer) and created.status == 201 and len(json.loads(created.body)) == 36
    assert kobo.json("DELETE", "/v1/library/tags") == {}
    assert kobo.json("PUT", "/v1/library/tags/abc", {"Name": "x"}) == {}
    assert kobo.json("DELETE", "/v1/library/tags/abc") == {}
    assert kobo.json("POST", "/v1/library/tags/abc/items/delete", {"Items": []}) == {}
    for spelling in ("items", "Items"):
        added = kobo.call("POST", f"/v1/library/tags/abc/{spelling}", {"Items": []})
        assert isinstance(added, Answer) and (added.status, added.body) == (201, b'""')


def test_the_profile_is_whole(kobo: Desk) -> None:
    profile = kobo.json("GET", "/v1/user/profile")
    assert len(profile) == 25 and profile["UserId"] and profile == kobo.json("GET", "/v1/user/profile")


def test_no_answer_of_the_shop_is_an_error() -> None:
    for method, path, _ in storefront.ROUTES:
        handler, _ = find("GET" if method == "*" else method, path.replace("{", "").replace("}", ""))
        assert handler is not storefront.nothing, path
