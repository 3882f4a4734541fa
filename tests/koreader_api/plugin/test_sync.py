"""Operations and pulls, over HTTP."""

from pathlib import Path

import pytest

from tests.koreader_api.plugin.standin import Device, Words, paired
from tests.server import Server
from tests.simulators.kosync import partial_md5

UNKNOWN = "f" * 32


@pytest.fixture
def other(server: Server, ida: str) -> Device:
    """Another KOReader of the same person."""
    return paired(server, ida, model="PocketBook")


def follow_all(device: Device, book: Path, outcome: str = "placed", reason: str = "") -> list[dict]:
    """Pull until there is no more, saying that all of it is there; returns what there was."""
    got: list[dict] = []
    while True:
        pulled = device.pulls(book)
        given = pulled.get("annotations", [])
        got += given
        if not given:
            return got
        followed = [
            {
                "name": one["name"],
                "version": one["version"],
                "outcome": "removed" if one["do"] == "remove" else outcome,
                **({"reason": reason} if reason else {}),
            }
            for one in given
        ]
        assert device.says("followed", book, followed=followed)["outcome"] == "current"


# -- places


def test_the_other_reader_goes_on_at_the_same_word(device: Device, other: Device, book: Path, words: Words):
    answer = device.says("progress", book, locator=words.at(3_000), percent=0.11, act="read", page=9, pages=80)
    assert (answer["outcome"], answer["version"]) == ("current", 1)
    place = other.pulls(book)["progress"]
    assert (place["locator"], place["status"], place["here"]) == (words.at(3_000), "exact", False)
    assert place["device"] == "Kobo_spaBW" and place["version"] == 1 and place["text"].startswith(words.text(3_000, 5))
    assert device.pulls(book)["progress"]["here"] is True
    echo = other.says("progress", book, locator=place["locator"], percent=0.2, act="opened")
    assert echo["outcome"] in ("echo", "history")


def test_what_was_read_offline_does_not_win_over_later_reading(device: Device, other: Device, book: Path, words: Words):
    other.says("progress", book, locator=words.at(9_000), percent=0.4, act="read")
    old = device.operation("progress", book, locator=words.at(500), percent=0.02, act="read")
    old["at"] = device.now(ago=86_400)
    (answer,) = device.sync(old)["answers"]
    assert (answer["outcome"], answer["reason"]) == ("history", "older-activity")
    assert device.pulls(book)["progress"]["locator"] == words.at(9_000)


def test_a_place_that_leads_nowhere_is_rejected_and_given_to_nobody(device: Device, other: Device, book: Path):
    answer = device.says("progress", book, locator="/body/DocFragment[999]/body/p/text().0", act="read")
    assert (answer["outcome"], answer["reason"]) == ("rejected", "no-document")
    assert "progress" not in other.pulls(book)


def test_each_reader_gets_the_spelling_that_it_writes(device: Device, other: Device, book: Path, words: Words):
    newer = words.engine.words[3_000].xpointer
    assert newer != words.at(3_000)
    device.says("progress", book, locator=newer, act="read", percent=0.1)
    other.says("progress", book, locator=words.at(3_500), act="read", percent=0.12)
    assert device.pulls(book)["progress"]["locator"] == words.engine.words[3_500].xpointer


# -- annotations


def test_a_highlight_comes_to_the_other_reader_over_the_same_words(device, other, book: Path, words: Words):
    made = words.highlight("k1", 1_000, note="mine", style="underscore", colour="green", created_at=device.now(60))
    answer = device.says("annotations", book, changed=[made])
    (told,) = answer["annotations"]
    assert (answer["outcome"], told["name"], told["outcome"], told["reason"]) == ("current", "k1", "current", "created")
    (given,) = follow_all(other, book)
    assert given["do"] == "give" and given["name"] == told["id"] and given["version"] == told["version"]
    for field in ("type", "pos0", "pos1", "text", "note", "colour", "style"):
        assert given[field] == made[field], field
    assert given["text"].split()[0] and given["after"].startswith(words.text(1_006, 1)[:3])
    assert abs(given["created_at"] - made["created_at"]) <= 2
    assert follow_all(other, book) == [] and follow_all(device, book) == []


def test_what_was_pulled_is_only_offered_until_it_is_followed(device, other, book: Path, words: Words):
    device.says("annotations", book, changed=[words.highlight("k1", 1_000)])
    first, again = other.pulls(book)["annotations"], other.pulls(book)["annotations"]
    assert first == again
    follow_all(other, book)
    assert "annotations" not in other.pulls(book)


def test_changed_and_deleted_elsewhere(device: Device, other: Device, book: Path, words: Words):
    made = words.highlight("k1", 1_000, note="one")
    (told,) = device.says("annotations", book, changed=[made])["annotations"]
    (given,) = follow_all(other, book)
    changed = {**made, "name": given["name"], "note": "two", "base": given["version"]}
    assert other.says("annotations", book, changed=[changed])["annotations"][0]["reason"] == "changed"
    (change,) = follow_all(device, book)
    assert (change["do"], change["name"], change["note"]) == ("change", "k1", "two")
    gone = {"name": "k1", "base": change["version"], "confirmed": True}
    assert device.says("annotations", book, deleted=[gone])["annotations"][0]["reason"] == "deleted"
    (remove,) = follow_all(other, book)
    assert (remove["do"], remove["name"]) == ("remove", given["name"])
    assert follow_all(device, book) == follow_all(other, book) == []
    assert told["id"] == given["name"]


def test_two_notes_written_at_the_same_time_are_both_kept(server, ida, device, other, book: Path, words: Words):
    made = words.highlight("k1", 1_000)
    (told,) = device.says("annotations", book, changed=[made])["annotations"]
    (given,) = follow_all(other, book)
    mine = {**made, "note": "from the first", "base": told["version"]}
    theirs = {**made, "name": given["name"], "note": "from the second", "base": given["version"]}
    device.says("annotations", book, changed=[mine])
    assert other.says("annotations", book, changed=[theirs])["annotations"][0]["reason"] == "two-notes"
    with server.browser(ida) as browser:
        page = browser.get(f"/book/{device.pulls(book)['book']['id']}").text
        assert "from the first" in page and "from the second" in page


def test_an_edit_that_the_deleting_reader_had_not_seen_wins(device, other, book: Path, words: Words):
    made = words.highlight("k1", 1_000)
    (told,) = device.says("annotations", book, changed=[made])["annotations"]
    (given,) = follow_all(other, book)
    noted = {**made, "name": given["name"], "note": "important", "base": given["version"]}
    other.says("annotations", book, changed=[noted])
    gone = device.says("annotations", book, deleted=[{"name": "k1", "base": told["version"], "confirmed": True}])
    assert gone["annotations"][0]["reason"] == "changed-since"
    (back,) = follow_all(device, book)
    assert (back["do"], back["note"]) == ("give", "important")


def test_a_note_that_comes_with_an_answer_unseen_is_not_overwritten(device, other, book: Path, words: Words):
    """The version that an answer names comes with changes of others, which the device has not pulled."""
    made = words.highlight("k1", 1_000)
    device.says("annotations", book, changed=[made])
    (given,) = follow_all(other, book)
    theirs = {**made, "name": given["name"], "note": "from the second", "base": given["version"]}
    other.says("annotations", book, changed=[theirs])
    (told,) = device.says("annotations", book, changed=[{**made, "colour": "red"}])["annotations"]
    mine = {**made, "colour": "red", "note": "from the first", "base": told["version"]}
    assert device.says("annotations", book, changed=[mine])["annotations"][0]["reason"] == "two-notes"


def test_a_page_bookmark(device: Device, other: Device, book: Path, words: Words):
    mark = {"name": "b1", "type": "bookmark", "pos0": words.at(5_000), "text": "in Chapter V"}
    assert device.says("annotations", book, changed=[mark])["annotations"][0]["reason"] == "created"
    (given,) = follow_all(other, book)
    assert (given["type"], given["pos0"]) == ("bookmark", words.at(5_000))
    assert not {"pos1", "colour", "style"} & given.keys()


def test_many_deletions_at_once_wait_for_a_person(device: Device, other: Device, book: Path, words: Words):
    device.says("annotations", book, changed=[words.highlight(f"k{n}", 1_000 + 50 * n) for n in range(12)])
    assert len(follow_all(other, book)) == 12
    gone = device.says("annotations", book, deleted=[{"name": f"k{n}"} for n in range(12)])
    assert {one["outcome"] for one in gone["annotations"]} == {"suggestion"} and gone["outcome"] == "suggestion"
    assert follow_all(other, book) == []


def test_an_empty_list_deletes_nothing(device: Device, book: Path, words: Words):
    device.says("annotations", book, changed=[words.highlight(f"k{n}", 1_000 + 50 * n) for n in range(3)])
    body = device.operation("annotations", book, complete=True)
    body |= {"changed": {}, "deleted": {}}
    assert device.sync(body)["answers"][0]["outcome"] == "echo"
    assert {one["do"] for one in follow_all(device, book)} == {"give"}, "what a device has lost it is given again"


def test_a_sidecar_that_was_copied_makes_no_changes(device: Device, other: Device, book: Path, words: Words):
    made = words.highlight("k1", 1_000, note="new")
    device.says("annotations", book, changed=[{**made, "note": "old"}])
    device.says("annotations", book, changed=[made])
    old = {**made, "note": "old"}
    other.says("annotations", book, changed=[old], complete=True, foreign=True)
    assert follow_all(device, book) == []
    (change,) = follow_all(other, book)
    assert (change["do"], change["note"]) == ("change", "new")


def test_what_could_not_be_placed_is_shown_and_not_offered_again_until_it_changes(
    server: Server, ida: str, device: Device, other: Device, book: Path, words: Words
):
    made = words.highlight("k1", 1_000, note="mine")
    (told,) = device.says("annotations", book, changed=[made])["annotations"]
    assert len(follow_all(other, book, "unplaced", "not-found")) == 1
    pulled = other.pulls(book)
    assert "annotations" not in pulled and pulled["unplaced"][0]["note"] == "mine"
    page = f"/book/{pulled['book']['id']}"
    with server.browser(ida) as browser:
        text = browser.get(page).text
        assert "PocketBook" in text and "could not be shown" in text
    device.says("annotations", book, changed=[{**made, "note": "again", "base": told["version"]}])
    (given,) = follow_all(other, book)
    assert given["note"] == "again"
    with server.browser(ida) as browser:
        assert "could not be shown" not in browser.get(page).text


def test_what_the_server_can_not_place_is_told(device: Device, other: Device, book: Path):
    lost = {
        "name": "k1",
        "type": "highlight",
        "pos0": "/body/DocFragment[99]/body/p/text().0",
        "text": "words of a" * 9,
    }
    lost["pos1"] = lost["pos0"][:-1] + "9"
    assert device.says("annotations", book, changed=[lost])["annotations"][0]["outcome"] == "current"
    (unplaced,) = other.pulls(book)["unplaced"]
    assert unplaced["text"] == lost["text"] and unplaced["reason"] == "no-document"


def test_its_own_item_comes_back_as_it_was(device: Device, other: Device, book: Path, words: Words):
    made = words.highlight("k1", 1_000, native={"drawer": "lighten", "pageno": 7, "ext": {}, "list": [1.5, "x"]})
    device.says("annotations", book, changed=[made])
    (given,) = follow_all(other, book)
    other.says("annotations", book, changed=[{**made, "name": given["name"], "note": "x", "base": given["version"]}])
    (change,) = follow_all(device, book)
    assert change["native"] == made["native"]


def test_a_wavy_line_stays_one_although_koreader_has_none(server, ida, device, book: Path, words: Words):
    made = words.highlight("k1", 1_000)
    (told,) = device.says("annotations", book, changed=[made])["annotations"]
    with server.browser(ida) as browser:
        book_id = device.pulls(book)["book"]["id"]
        change = {"do": "change", "id": told["id"], "base_version": told["version"], "style": "squiggly"}
        change["operation_id"] = "operation-1"
        marks = f"/api/books/{book_id}/annotations"
        acts = {"sha256": browser.get(marks).json()["sha256"], "operations": [change]}
        answer = browser.post(marks, json=acts, headers=browser.csrf)
        assert answer.json()["done"][0]["outcome"] == "current", answer.text
    (given,) = follow_all(device, book)
    assert given["style"] == "underscore"
    noted = {**made, "style": "underscore", "note": "n", "base": given["version"]}
    device.says("annotations", book, changed=[noted])
    with server.browser(ida) as browser:
        listed = browser.get(marks).json()
    assert "squiggly" in str(listed) and "'n'" in str(listed)


# -- status, rating, review


def test_status_rating_and_review_go_both_ways(device: Device, other: Device, book: Path):
    said = device.says("state", book, fields={"status": "complete", "rating": 4, "review": "Curious."}, by="person")
    assert said["outcome"] == "current"
    state = other.pulls(book)["state"]
    assert state == {"version": said["version"], "status": "complete", "rating": 4, "review": "Curious."}
    other.says("state", book, fields={"status": "reading"}, base=state["version"], by="automatic")
    assert device.pulls(book)["state"]["status"] == "complete", "who only opens it does not take it back"
    other.says("state", book, fields={"status": "abandoned"}, base=state["version"])
    assert device.pulls(book)["state"]["status"] == "abandoned"
    assert device.says("state", book, fields={}, by="automatic")["outcome"] == "echo"


def test_an_abandoned_book_is_a_persons_choice(device: Device, book: Path):
    device.says("state", book, fields={"status": "abandoned"}, by="automatic")
    assert device.pulls(book)["state"]["status"] == "abandoned"


# -- reading time


def test_a_session_counts_once(server: Server, ida: str, device: Device, book: Path):
    said = device.operation("session", book, started=device.now(3_600), seconds=1_500, start_percent=0.1, end_percent=2)
    assert device.sync(said)["answers"][0]["outcome"] == "current"
    assert device.sync(said)["answers"][0]["outcome"] == "duplicate"
    assert device.says("session", book, started=device.now(), seconds=0)["outcome"] == "rejected"
    with server.browser(ida) as browser:
        assert "25\xa0min" in browser.get(f"/book/{device.pulls(book)['book']['id']}").text


# -- files whose bytes are not known


def test_a_file_that_nobody_knows_waits(device: Device, words: Words):
    for kind, fields in (
        ("progress", {"locator": words.at(5)}),
        ("annotations", {"changed": [words.highlight("k", 9)]}),
        ("state", {"fields": {"rating": 3}}),
        ("followed", {"followed": []}),
    ):
        assert device.says(kind, UNKNOWN, **fields)["outcome"] == "unmatched", kind
    assert device.says("session", UNKNOWN, started=device.now(99), seconds=60)["outcome"] == "current", "kept for it"
    assert device.pulls(UNKNOWN) == {"file": UNKNOWN, "how": "none"}


def test_another_copy_of_a_book_gives_its_words_and_gets_no_places(
    server: Server, ida: str, device: Device, other: Device, book: Path, words: Words
):
    book_id = device.pulls(book)["book"]["id"]
    device.done("/link", file=UNKNOWN, book=book_id)
    wrong = "/body/DocFragment[2]/body/p[4]/text().3"
    text = words.text(7_000, 12)
    device.says("progress", UNKNOWN, locator=wrong, percent=0.3, act="read", text=text)
    assert other.pulls(book)["progress"]["locator"] == words.at(7_000), "found by its words"
    moved = {**words.highlight("k1", 8_000, 12), "pos0": wrong, "pos1": wrong[:-1] + "9"}
    assert device.says("annotations", UNKNOWN, changed=[moved])["annotations"][0]["outcome"] == "current"
    (given,) = follow_all(other, book)
    assert (given["pos0"], given["pos1"]) == (words.at(8_000), words.end(8_011))
    other.says("annotations", book, changed=[words.highlight("k9", 300)])
    device.says("state", UNKNOWN, fields={"rating": 5})
    device.says("session", UNKNOWN, started=device.now(900), seconds=600)
    pulled = device.pulls(UNKNOWN)
    assert pulled["how"] == "linked" and pulled["state"]["rating"] == 5
    assert not {"annotations", "unplaced"} & pulled.keys() and "locator" not in pulled["progress"]
    assert pulled["progress"]["reason"] == "other-file" and 0.2 < pulled["progress"]["percent"] < 0.5
    with server.browser(ida) as browser:
        assert "10\xa0min" in browser.get(f"/book/{book_id}").text


# -- the exchange itself


def test_every_operation_may_be_sent_again(device: Device, other: Device, book: Path, words: Words):
    operations = [
        device.operation("progress", book, locator=words.at(3_000), percent=0.1, act="read"),
        device.operation("annotations", book, changed=[words.highlight("k1", 100)], deleted=[{"name": "k0"}]),
        device.operation("state", book, fields={"rating": 2}),
        device.operation("session", book, started=device.now(99), seconds=60),
        device.operation("followed", book, followed=[]),
    ]
    first = device.sync(*operations)["answers"]
    assert [one["outcome"] for one in first] == ["current"] * 5
    again = device.sync(*operations)["answers"]
    assert [one["outcome"] for one in again] == ["duplicate"] * 4 + ["current"]
    assert [one.get("version") for one in again] == [one.get("version") for one in first]
    assert len(follow_all(other, book)) == 1


def test_an_old_request_that_arrives_late_takes_nothing_back(device: Device, other: Device, book: Path, words: Words):
    old = device.operation("annotations", book, changed=[words.highlight("k1", 100, note="old")])
    (told,) = device.sync(old)["answers"][0]["annotations"]
    device.says("annotations", book, changed=[words.highlight("k1", 100, note="new", base=told["version"])])
    (late,) = device.sync(old)["answers"][0]["annotations"]
    assert late["outcome"] == "duplicate"
    assert follow_all(other, book)[0]["note"] == "new"


def test_one_bad_operation_is_rejected_by_itself(device: Device, book: Path, words: Words):
    good = device.operation("progress", book, locator=words.at(3_000), percent=0.1, act="read")
    bad = [
        None,
        {},
        {"id": "x"},
        {"id": 3, "kind": "progress"},
        {"id": "y", "kind": "dance", "file": partial_md5(book)},
        {**good, "id": "z", "locator": 5},
        {**good, "id": "z" * 65},
        {**good, "id": "p", "percent": "half"},
        {**good, "id": "f", "file": "../x"},
    ]
    answers = device.sync(*bad[:4], good, *bad[4:])["answers"]
    assert [one["outcome"] for one in answers] == ["rejected"] * 4 + ["current"] + ["rejected"] * 5
    assert [one["id"] for one in answers][2:7] == ["x", "", good["id"], "y", "z"]


def test_one_bad_annotation_is_rejected_by_itself_and_kept(server, device: Device, book: Path, words: Words):
    good = words.highlight("k1", 100)
    bad = {"name": "k2", "type": "poem", "text": "words that somebody wrote"}
    answer = device.says("annotations", book, changed=[bad, good, 7], deleted=[{}, {"name": "k9"}], complete=True)
    told = [(one["name"], one["outcome"]) for one in answer["annotations"]]
    assert told == [("k2", "rejected"), ("k1", "current"), ("", "rejected"), ("", "rejected"), ("k9", "rejected")]
    assert (
        b"words that somebody wrote"
        in (server.data / "bookwake.sqlite3-wal").read_bytes() + (server.data / "bookwake.sqlite3").read_bytes()
    )


def test_too_many_at_once_are_413(device: Device, book: Path, words: Words):
    one = device.operation("progress", book, locator=words.at(1))
    assert device.ask("/sync", operations=[{**one, "id": str(n)} for n in range(201)]).status_code == 413
    assert device.ask("/sync", pull=[{"file": partial_md5(book)}] * 21).status_code == 413


def test_many_annotations_come_in_pages(device: Device, other: Device, book: Path, words: Words):
    changed = [words.highlight(f"k{n}", 40 * n, note="n" * 9_000) for n in range(130)]
    assert device.says("annotations", book, changed=changed)["outcome"] == "current"
    pulled = other.sync(pull=book)["pulled"][0]
    assert pulled["more"] is True and 0 < len(pulled["annotations"]) < 100, "an answer has a bound"
    assert len(follow_all(other, book)) == 130
    assert "more" not in other.pulls(book)


def test_what_changed_is_named_in_pages(device: Device, other: Device, book: Path, words: Words):
    start = other.sync(since=0)["changed"]
    assert (start["books"], start["more"]) == ([], False)
    device.says("annotations", book, changed=[words.highlight(f"k{n}", 40 * n) for n in range(250)])
    book_id = device.pulls(book)["book"]["id"]
    page = other.sync(since=start["cursor"])["changed"]
    assert page["books"] == [book_id] and page["more"] is True
    last = other.sync(since=page["cursor"], until=page["until"])["changed"]
    assert (last["books"], last["more"]) == ([book_id], False)
    assert other.sync(since=last["cursor"])["changed"]["books"] == []


def test_nobody_reaches_anothers_book(server: Server, device: Device, book: Path, words: Words):
    device.says("annotations", book, changed=[words.highlight("k1", 100, note="private")])
    device.says("progress", book, locator=words.at(3_000), act="read")
    server.add_user("Stranger")
    stranger = paired(server, "Stranger")
    pulled = stranger.pulls(book)
    assert not {"progress", "state", "annotations"} & pulled.keys()
    gone = stranger.says("annotations", book, deleted=[{"name": "k1", "confirmed": True}])
    assert gone["annotations"][0]["outcome"] == "rejected"
