"""Whatever comes is answered: 400 with a sentence, or each operation by itself; never with a failure of ours."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koreader_api.plugin.contents import ENDPOINTS, PREFIX
from koreader_api.plugin.openapi import document
from koreader_api.plugin.sync import KINDS
from tests.koreader_api.conftest import BOOK
from tests.koreader_api.plugin.standin import Device, paired
from tests.server import Server
from tests.simulators.kosync import partial_md5

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["\0", "/body/DocFragment[1]/body/p/text().0", "/", "..", "highlight", "progress", "read", "0" * 32]
    )
)
ANYTHING = st.recursive(
    SCALARS,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each, max_size=4),
    max_leaves=8,
)
NAMES = (
    "id kind file at locator percent page act based_on changed deleted complete foreign name type pos0 pos1 text note"
    " colour style created_at base native confirmed followed version outcome fields status rating review by started"
    " seconds start_percent"
).split()
FIELDS = ["files", "file", "rows", "books", "parts", "operations", "pull", *NAMES]
OPERATION = st.dictionaries(
    st.sampled_from(NAMES), ANYTHING | st.lists(st.dictionaries(st.sampled_from(NAMES), ANYTHING), max_size=3)
)
# What passes for sense until it is looked at closely.
POINTER = st.text(max_size=30) | st.builds(
    "/body/DocFragment[{}]/body/p[{}]/text().{}".format,
    *(st.integers(-1, 9), st.integers(0, 90) | st.just(10**12), st.integers(-1, 900)),
)
TIME = st.floats(-1e15, 1e15) | st.integers(0, 2**33)
NUMBER = st.integers(0, 2**53)
CALLED = st.sampled_from(["a", "b", "c"])
TEXT = st.text(max_size=40) | st.text("ab ", min_size=300, max_size=900)
ANNOTATION = st.fixed_dictionaries(
    {"name": CALLED, "type": st.sampled_from(["highlight", "bookmark"]), "pos0": POINTER},
    optional={
        "pos1": POINTER,
        "text": TEXT,
        "note": TEXT,
        "colour": st.text(max_size=64),
        "style": st.sampled_from(["lighten", "underscore", "x", ""]),
        "chapter": TEXT,
        "created_at": TIME,
        "changed_at": TIME,
        "base": NUMBER,
        "native": st.dictionaries(st.text(max_size=8), ANYTHING, max_size=3),
    },
)
DELETION = st.fixed_dictionaries({"name": CALLED}, optional={"at": TIME, "base": NUMBER, "confirmed": st.booleans()})
FOLLOWED = st.fixed_dictionaries(
    {"name": CALLED, "version": NUMBER, "outcome": st.sampled_from(["placed", "removed", "unplaced"])},
    optional={"reason": st.text(max_size=200)},
)
STATE = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["new", "reading", "complete", "abandoned"]),
        "rating": st.integers(0, 5),
        "review": TEXT,
    },
)
PLAUSIBLE = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("progress"), "locator": POINTER},
        optional={
            "percent": st.floats(),
            "act": st.sampled_from(["read", "opened", "jumped"]),
            "based_on": NUMBER,
            "text": TEXT,
            "at": TIME,
        },
    ),
    st.fixed_dictionaries(
        {"kind": st.just("annotations")},
        optional={
            "changed": st.lists(ANNOTATION, max_size=3),
            "deleted": st.lists(DELETION, max_size=3),
            "complete": st.booleans(),
            "foreign": st.booleans(),
            "at": TIME,
        },
    ),
    st.fixed_dictionaries({"kind": st.just("followed"), "followed": st.lists(FOLLOWED, max_size=3)}),
    st.fixed_dictionaries(
        {"kind": st.just("state"), "fields": STATE},
        optional={"by": st.sampled_from(["person", "automatic"]), "base": NUMBER, "at": TIME},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("session"), "started": TIME, "seconds": TIME},
        optional={"start_percent": st.floats(), "end_percent": st.floats()},
    ),
)
POSTS = sorted(endpoint.path for endpoint in ENDPOINTS if endpoint.method == "POST" and endpoint.access == "plugin")

LINKED = "1" * 32
FUZZ = settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.fixture(scope="module")
def fuzzer(server: Server) -> Device:
    server.add_user("A fuzzer")
    device = paired(server, "A fuzzer")
    device.done("/link", file=LINKED, book=device.pulls(BOOK)["book"]["id"])
    return device


@FUZZ
@given(path=st.sampled_from(POSTS), body=ANYTHING)
def test_any_json(fuzzer: Device, path: str, body: Any):
    assert_answered(fuzzer.http.post(path, json=body, headers=fuzzer.headers))


@FUZZ
@given(
    path=st.sampled_from(POSTS),
    body=st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
)
def test_any_fields(fuzzer: Device, path: str, body: dict[str, Any]):
    assert_answered(fuzzer.http.post(path, json={"clock": fuzzer.now(), **body}, headers=fuzzer.headers))


@FUZZ
@given(kind=st.sampled_from([*KINDS]), said=OPERATION, id=st.text(max_size=70))
def test_any_operation(fuzzer: Device, book, kind: str, said: dict[str, Any], id: str):
    operation = {"file": partial_md5(book), **said, "id": id, "kind": kind}
    answer = fuzzer.http.post(
        "/sync", json={"clock": fuzzer.now(), "operations": [operation, operation]}, headers=fuzzer.headers
    )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["answers"]) == 2
    assert all(isinstance(one["outcome"], str) and one["reason"] for one in answer.json()["answers"])


@FUZZ
@given(said=st.lists(PLAUSIBLE, min_size=1, max_size=4), clock=st.none() | TIME)
def test_whatever_is_plausible(fuzzer: Device, book, said: list[dict[str, Any]], clock: float | None):
    operations = [
        {"file": partial_md5(book) if number % 4 else LINKED, **one, "id": f"plausible-{fuzzer.count + number}"}
        for number, one in enumerate(said, 1)
    ]
    fuzzer.count += len(said)
    body = {"clock": fuzzer.now() if clock is None else clock, "operations": operations, "since": 0}
    body["pull"] = [{"file": partial_md5(book)}, {"file": LINKED}]
    answer = fuzzer.http.post(
        "/sync", content=json.dumps(body).replace("NaN", "1").replace("Infinity", "2"), headers=fuzzer.headers
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert all(one["outcome"] != "unmatched" and one["reason"] != "failed" for one in told["answers"]), told["answers"]


@FUZZ
@given(rows=st.lists(ANYTHING | st.lists(st.integers(-(2**70), 2**70) | SCALARS, min_size=5, max_size=5), max_size=5))
def test_any_rows(fuzzer: Device, book, rows: list[Any]):
    told = fuzzer.done("/statistics", books=[{"file": partial_md5(book)}], rows=rows)
    assert sum(told[name] for name in ("new", "duplicate", "refused")) == len(rows)


def assert_answered(answer: httpx.Response) -> None:
    assert answer.status_code in (200, 400, 404, 413), answer.text
    if answer.status_code != 200:
        told = answer.json()
        assert told["error"] and told["message"].endswith(".")
    assert not has_null(answer.json()), "null is never sent"


def has_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(has_null(each) for each in value.values())
    if isinstance(value, list):
        return any(has_null(each) for each in value)
    return value is None


def test_nothing_failed_and_was_hidden(server: Server, fuzzer: Device):
    """Must come last: a failure of ours in one operation is answered as a rejection."""
    assert "Traceback" not in server.log, server.log[-3000:]


# -- the description


def test_the_description_names_every_endpoint_and_shape():
    described = document()
    for endpoint in ENDPOINTS:
        path = PREFIX + endpoint.path.replace(":str}", "}")
        operation = described["paths"][path][endpoint.method.lower()]
        assert operation["summary"] and operation["responses"]["200"]
        assert bool(operation["security"]) == (endpoint.access == "plugin")
    shapes = described["components"]["schemas"]
    assert {"Sync", "Synced", "Pulled", "AnnotationPulled", "Welcome", "Error"} <= shapes.keys()
    assert {"ProgressSaid", "AnnotationsSaid", "FollowedSaid", "StateSaid", "SessionSaid"} <= shapes.keys()
    assert '"null"' not in str(described).replace("'", '"')


def test_the_description_is_for_those_who_are_signed_in(server: Server, ida: str):
    address = "/api/koplugin/v1/openapi.json"
    assert httpx.get(server.url + address).status_code == 401
    with server.browser(ida) as browser:
        assert browser.get(address).json()["openapi"] == "3.1.0"
