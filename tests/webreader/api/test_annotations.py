"""The API of highlights and notes as the reader uses it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from appliance.house import House
from appliance.reading.annotations.report import Said
from tests.server import BOOKS, Browser, Server, running_server
from tests.webreader.open_reader import books, query
from tests.webreader.other_reader import OtherReader

NOVEL = "l-frank-baum_the-marvelous-land-of-oz.epub"
FIRST = "epubcfi(/6/12!/4/2[chapter-1]/20,/1:0,/1:40)"
SECOND = "epubcfi(/6/14!/4/2[chapter-2]/26,/1:0,/1:12)"
ACROSS = "epubcfi(/6,/12!/4/2/20/1:0,/14!/4/2/26/1:12)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=[BOOKS / NOVEL]) as server:
        yield server


def url(server: Server) -> str:
    return f"/api/books/{books(server)[NOVEL]}/annotations"


def sha256(server: Server) -> str:
    return str(query(server, "SELECT main_sha256 FROM book")[0][0])


def send(client: Browser, server: Server, *operations: dict[str, Any], **body: Any) -> httpx.Response:
    for operation in operations:
        operation.setdefault("operation_id", uuid4().hex)
    data = {"sha256": sha256(server), "operations": list(operations), **body}
    return client.post(
        url(server), content=json.dumps(data), headers={**client.csrf, "content-type": "application/json"}
    )


def create(**fields: Any) -> dict[str, Any]:
    return {"do": "create", "id": str(uuid4()), "range": FIRST, **fields}


def done(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return list(answer.json()["done"])


def marks(client: Browser, server: Server, **query: Any) -> dict[str, Any]:
    answer = client.get(url(server), params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def rows(server: Server) -> list[tuple[Any, ...]]:
    return query(server, "SELECT * FROM annotation ORDER BY id") + query(server, "SELECT id FROM journalentry")


def test_make_change_delete_and_restore(client: Browser, server: Server) -> None:
    assert marks(client, server)["items"] == []
    made = create(colour="#a5d6a7", note="a thought", chapter="One")
    (answer,) = done(send(client, server, made))
    assert (answer["outcome"], answer["reason"], answer["id"]) == ("current", "created", made["id"])
    (mark,) = marks(client, server)["items"]
    assert (mark["id"], mark["range"], mark["status"]) == (made["id"], FIRST, "exact")
    assert (mark["colour"], mark["note"], mark["chapter"], mark["here"]) == ("#a5d6a7", "a thought", "One", True)
    assert mark["version"] == answer["version"]

    change = {"do": "change", "id": made["id"], "base_version": mark["version"]}
    (answer,) = done(send(client, server, {**change, "colour": "#90caf9", "style": "underline"}))
    assert answer["reason"] == "changed"
    (mark,) = marks(client, server)["items"]
    assert (mark["colour"], mark["style"], mark["note"]) == ("#90caf9", "underline", "a thought")

    # A page that had been left open shows it as it was before; what came since is not deleted with it.
    stale = {"do": "delete", "id": made["id"], "base_version": change["base_version"]}
    (answer,) = done(send(client, server, stale))
    assert (answer["outcome"], answer["reason"]) == ("history", "changed-since")
    assert marks(client, server)["items"] == [mark]

    (answer,) = done(send(client, server, {"do": "delete", "id": made["id"], "base_version": mark["version"]}))
    assert answer["reason"] == "deleted"
    (mark,) = marks(client, server)["items"]
    assert mark["deleted_at"] and "range" not in mark
    (answer,) = done(send(client, server, {"do": "keep", "id": made["id"]}))
    assert answer["reason"] == "restored"
    (mark,) = marks(client, server)["items"]
    assert (mark["range"], mark["note"], mark.get("deleted_at")) == (FIRST, "a thought", None)


def test_several_acts_at_once_in_their_order_and_each_once(client: Browser, server: Server) -> None:
    made = create(operation_id="operation-0001")
    note = {"do": "change", "id": made["id"], "note": "later", "operation_id": "operation-0002"}
    for expected in (["created", "changed"], ["same-operation", "same-operation"]):
        assert [one["reason"] for one in done(send(client, server, made, note))] == expected
    (mark,) = marks(client, server)["items"]
    assert (mark["note"], mark.get("other_notes")) == ("later", None)


def test_only_what_changed_since(client: Browser, server: Server) -> None:
    done(send(client, server, create(), create(range=SECOND)))
    everything = marks(client, server)
    assert len(everything["items"]) == 2 and not everything["more"]
    assert marks(client, server, after=everything["after"])["items"] == []
    made = create(range="epubcfi(/6/16!/4/2/26,/1:0,/1:12)")
    done(send(client, server, made))
    assert [mark["id"] for mark in marks(client, server, after=everything["after"])["items"]] == [made["id"]]
    first = marks(client, server, after=0, until=everything["until"])
    assert len(first["items"]) == 2


def test_the_same_words_highlighted_on_koreader_are_one(
    client: Browser, server: Server, house: House, person: str
) -> None:
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    there = koreader.highlight("1", "In the Country of the Gillikins")
    (mark,) = marks(client, server)["items"]
    assert (mark["id"], mark["device"], mark.get("here")) == (there.annotation_id, "My koreader", None)
    made = create(range=mark["range"], text="In the Country of the Gillikins", note="mine")
    recoloured = {"do": "change", "id": made["id"], "colour": "#90caf9"}
    answers = done(send(client, server, made, recoloured))
    assert {answer["id"] for answer in answers} == {there.annotation_id}
    (mark,) = marks(client, server)["items"]
    assert (mark["note"], mark["colour"]) == ("mine", "#90caf9")


def test_two_notes_are_both_there_until_a_person_merges_them(
    client: Browser, server: Server, house: House, person: str
) -> None:
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    words = "In the Country of the Gillikins"
    koreader.highlight("1", words)
    (mark,) = marks(client, server)["items"]
    change = {"do": "change", "id": mark["id"], "base_version": mark["version"]}
    done(send(client, server, {**change, "note": "in the browser"}))
    koreader.highlight("1", words, note="on the reader")
    (mark,) = marks(client, server)["items"]
    assert {mark["note"], *mark["other_notes"]} == {"in the browser", "on the reader"}
    merged = {**change, "base_version": mark["version"], "note": "both", "merges_notes": True}
    done(send(client, server, merged))
    (mark,) = marks(client, server)["items"]
    assert (mark["note"], mark.get("other_notes")) == ("both", None)


def test_the_ends_of_a_highlight_are_moved(client: Browser, server: Server, house: House, person: str) -> None:
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    words, fewer = "In the Country of the Gillikins", "In the Country"
    koreader.highlight("1", words, note="mine")
    (mark,) = marks(client, server)["items"]
    # CFIs of both share all but the offset of the end.
    start, _, end = mark["range"].removesuffix(")").rpartition(",")
    shorter = f"{start},{end.rpartition(':')[0]}:{int(end.rpartition(':')[2]) - len(words) + len(fewer)})"
    change = {"do": "change", "id": mark["id"], "base_version": mark["version"], "range": shorter, "text": fewer}
    (answer,) = done(send(client, server, change))
    assert (answer["outcome"], answer["reason"]) == ("current", "changed")
    (mark,) = marks(client, server)["items"]
    assert (mark["range"], mark["text"], mark["note"]) == (shorter, fewer, "mine")
    (told,) = koreader.sync()
    assert (told.due, told.native_id, told.range) == ("change", "1", koreader.range(fewer))
    refused = send(client, server, {**change, "operation_id": "x", "range": "x"})
    assert refused.status_code == 400


def test_many_deletions_of_a_reader_wait_here(client: Browser, server: Server, house: House, person: str) -> None:
    koreader = OtherReader(house, person, "koreader", books(server)[NOVEL])
    words = [f"word {n}" for n in range(12)]
    document = koreader.book.summary.documents[8]
    ranges = [
        [f"/body/DocFragment[{document.ordinal + 1}]/body", f"/body/DocFragment[{document.ordinal + 1}]/body"]
        for _ in words
    ]
    koreader.say(*[Said(str(n), "highlight", ranges[n], {"text": words[n], "note": f"note {n}"}) for n in range(12)])
    koreader.delete(*[str(n) for n in range(12)])
    waiting = marks(client, server)["items"]
    assert {mark["held_by"] for mark in waiting} == {"My koreader"}
    one, two, *_ = waiting
    delete = {"do": "delete", "id": two["id"], "base_version": two["version"]}
    answers = done(send(client, server, {"do": "keep", "id": one["id"]}, delete))
    assert [answer["reason"] for answer in answers] == ["kept", "deleted"]
    after = {mark["id"]: mark for mark in marks(client, server)["items"]}
    assert "held_by" not in after[one["id"]] and after[two["id"]]["deleted_at"]
    assert [one.due for one in koreader.sync()] == ["give"]


def test_a_highlight_across_chapters_and_a_bookmark(client: Browser, server: Server) -> None:
    done(send(client, server, create(range=ACROSS), create(range="epubcfi(/6/14!/4/2/26/1:6)", kind="bookmark")))
    across, bookmark = sorted(marks(client, server)["items"], key=lambda mark: mark["kind"], reverse=True)
    assert across["range"].startswith("epubcfi(/6,/12") and across["status"] == "exact"
    assert (bookmark["kind"], bookmark["range"]) == ("bookmark", "epubcfi(/6/14!/4/2[chapter-2]/26/1:6)")


def test_what_cannot_be_placed_is_listed_with_the_reason(client: Browser, server: Server) -> None:
    done(send(client, server, create(range="epubcfi(/6/9998!/4/2,/1:0,/1:4)", text="not in this book", note="kept")))
    (mark,) = marks(client, server)["items"]
    assert (mark["status"], mark["reason"], mark["note"]) == ("failed", "no-document", "kept")
    assert "range" not in mark


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "not-a-uuid-at-all"},
        {"id": "../../etc/passwd"},
        {"range": ""},
        {"range": "epubcfi(" + "/2" * 5000 + ")"},
        {"kind": "markup"},
        {"colour": "red; x"},
        {"colour": "#FFF"},
        {"style": "blink"},
        {"note": "x" * 20_001},
        {"text": "x" * 100_001},
        {"operation_id": "short"},
        {"claimed_at": "yesterday"},
        {"do": "explode"},
        {"do": None},
        {"unknown": 1},
        {"merges_notes": True},
    ],
)
def test_what_is_not_in_the_protocol_is_refused(client: Browser, server: Server, fields: dict[str, Any]) -> None:
    before = rows(server)
    assert send(client, server, create(**fields)).status_code == 400
    assert rows(server) == before


def test_limits_and_forgery(client: Browser, server: Server) -> None:
    before = rows(server)
    assert send(client, server).status_code == 400
    assert send(client, server, *[create() for _ in range(51)]).status_code == 400
    assert send(client, server, create(note="x" * 2_000_000)).status_code == 413
    assert send(client, server, create(), sha256="0" * 64).status_code == 404
    assert send(client, server, create(), sha256="nope").status_code == 400
    body = {"sha256": sha256(server), "operations": [{**create(), "operation_id": "operation-0001"}]}
    assert client.post(url(server), json=body).status_code == 403
    assert client.get("/api/books/unknown/annotations").status_code == 404
    assert client.get(url(server), params={"sha256": "nope"}).status_code == 404
    for bad in ({"after": -1}, {"after": "x"}, {"until": 2**60}):
        assert client.get(url(server), params=bad).status_code == 400, bad
    assert rows(server) == before


def test_a_stranger_gets_nothing(server: Server) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as nobody:
        assert nobody.get(url(server), headers={"accept": "application/json"}).status_code == 401
        assert nobody.post(url(server), json={}).status_code in (401, 403)


def test_annotations_are_each_persons_own(client: Browser, server: Server, person: str) -> None:
    made = create(note="private")
    done(send(client, server, made))
    server.add_user(f"Neighbour of {person}")
    with server.browser(f"Neighbour of {person}") as other:
        other.headers["accept"] = "application/json"
        assert marks(other, server)["items"] == []
        before = rows(server)
        for operation in (
            {**made, "operation_id": uuid4().hex},
            {"do": "change", "id": made["id"], "note": "seized"},
            {"do": "delete", "id": made["id"]},
            {"do": "keep", "id": made["id"]},
        ):
            (answer,) = done(send(other, server, operation))
            assert (answer["outcome"], answer["reason"]) == ("rejected", "unknown-annotation")
        assert rows(server) == before
