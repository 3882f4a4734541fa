"""Shelves and a Kobo's collections, both ways (kobo-protocol.md 4.11, 6.6)."""

import json
from typing import Any
from unittest.mock import patch

import pytest

from appliance.library import kobo_choice, shelves
from appliance.models import BookShelf, KoboStore
from kobo_api.call import Answer
from tests.kobo_api.conftest import Desk, Home
from tests.kobo_api.shapes import Event, kinds, offered


def items(*ids: str) -> dict[str, Any]:
    return {"Items": [{"RevisionId": id, "Type": "ProductRevisionTagItem"} for id in ids]}


def make(kobo: Desk, name: str, *ids: str) -> str:
    answer = kobo.call("POST", "/v1/library/tags", {"Name": name, **items(*ids)})
    assert isinstance(answer, Answer) and answer.status == 201
    id = json.loads(answer.body)
    assert isinstance(id, str)
    return id


def add(kobo: Desk, tag: str, *ids: str) -> None:
    answer = kobo.call("POST", f"/v1/library/tags/{tag}/Items", items(*ids))
    assert isinstance(answer, Answer) and answer.status == 201 and answer.body == b'""'


def told(events: list[Event]) -> dict[str, list[str] | None]:
    """Name (or, of a deletion, id) of each collection to the items it was told with."""
    found: dict[str, list[str] | None] = {}
    for event in events:
        [(kind, value)] = event.items()
        if kind in ("NewTag", "ChangedTag"):
            found[value["Tag"]["Name"]] = [item["RevisionId"] for item in value["Tag"]["Items"]]
        elif kind == "DeletedTag":
            found[value["Tag"]["Id"]] = None
    return found


class Hand:
    """A person at the web pages."""

    def __init__(self, home: Home, user_id: int) -> None:
        self.home, self.user_id = home, user_id

    def shelf(self, name: str, *books: str) -> str:
        with self.home.database.write() as session:
            shelf = shelves.add_shelf(session, self.user_id, name, self.home.clock())
            shelves.put_on(session, shelf, books, self.home.clock())
            return shelf.id

    def act(self, act: Any, shelf: str, *arguments: Any) -> None:
        with self.home.database.write() as session:
            act(session, session.get_one(BookShelf, shelf), *arguments, self.home.clock())

    def books(self, shelf: str) -> list[str]:
        with self.home.database.read() as session:
            return shelves.books_on(session, shelf)

    def names(self) -> dict[str, int]:
        with self.home.database.read() as session:
            return {one.shelf.name: one.books for one in shelves.shelves_of(session, self.user_id)}


@pytest.fixture
def hand(home: Home, kobo: Desk) -> Hand:
    return Hand(home, kobo.user_id)


def test_a_shelf_comes_after_its_books_and_once(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(3)
    hand.shelf("Winter reading", books[2], books[0])
    hand.shelf("Empty")
    events = kobo.sync()
    ids = offered(events)
    assert kinds(events) == ["NewEntitlement"] * 3 + ["NewTag"]
    assert told(events) == {"Winter reading": [ids["Book 2"], ids["Book 0"]]}
    assert kobo.sync() == []


def test_a_book_that_comes_later_joins_its_collection(home: Home, kobo: Desk, hand: Hand) -> None:
    [first] = home.put_books(1)
    [away] = home.put_books(1, "Away", here=False)
    shelf = hand.shelf("Both", first, away)
    assert len(told(kobo.sync())["Both"] or []) == 1
    home.clock.forward(minutes=1)
    [second] = home.put_books(1, "Second")
    hand.act(shelves.put_on, shelf, [second])
    events = kobo.sync()
    assert kinds(events) == ["NewEntitlement", "ChangedTag"] and len(told(events)["Both"] or []) == 2
    assert kobo.sync() == []


def test_renamed_reordered_emptied_deleted_and_restored(home: Home, kobo: Desk, hand: Hand) -> None:
    one, two = home.put_books(2)
    shelf = hand.shelf("Old name", one, two)
    first = told(kobo.sync())["Old name"]
    hand.act(shelves.rename_shelf, shelf, "New name")
    hand.act(shelves.move_book, shelf, two, -1)
    assert first and told(kobo.sync()) == {"New name": first[::-1]}
    hand.act(shelves.take_off, shelf, [one, two])
    assert told(kobo.sync()) == {"New name": []}
    hand.act(shelves.put_on, shelf, [one])
    hand.act(shelves.take_off, shelf, [one])
    assert kobo.sync() == [], "what comes to the same is not told"
    hand.act(shelves.put_on, shelf, [one])
    hand.act(shelves.delete_shelf, shelf)
    assert kinds(kobo.sync()) == ["DeletedTag"] and kobo.sync() == []
    hand.act(shelves.restore_shelf, shelf)
    assert kinds(kobo.sync()) == ["NewTag"] and kobo.sync() == []


def test_a_collection_made_on_the_device_is_a_shelf_and_is_not_told_back(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(3)
    ids = offered(kobo.sync())
    tag = make(kobo, "Beach", ids["Book 1"])
    add(kobo, tag, ids["Book 0"], ids["Book 1"], "not-a-book")
    assert hand.books(tag) == [books[1], books[0]]
    assert kobo.json("PUT", f"/v1/library/tags/{tag}", {"Name": "Sea"}) == {}
    assert kobo.json("POST", f"/v1/library/tags/{tag}/items/delete", items(ids["Book 1"])) == {}
    assert hand.names() == {"Sea": 1} and kobo.sync() == []
    other = home.kobo(kobo.user_id)
    assert told(other.sync()) == {"Sea": [ids["Book 0"]]}
    hand.act(shelves.put_on, tag, [books[2]])
    events = kobo.sync()
    assert told(events) == {"Sea": [ids["Book 0"], ids["Book 2"], "not-a-book"]}, "what is not ours is given back"
    assert kobo.json("DELETE", f"/v1/library/tags/{tag}") == {}
    assert hand.names() == {} and kobo.sync() == []
    assert told(other.sync()) == {tag: None}


def test_an_edit_whose_answer_was_lost_is_made_once(home: Home, kobo: Desk, hand: Hand) -> None:
    home.put_books(1)
    ids = offered(kobo.sync())
    tag = make(kobo, "Beach", ids["Book 0"])
    assert make(kobo, "Beach", ids["Book 0"]) == tag
    add(kobo, tag, ids["Book 0"])
    assert hand.names() == {"Beach": 1} and kobo.sync() == []
    assert kobo.json("DELETE", f"/v1/library/tags/{tag}") == {} == kobo.json("DELETE", f"/v1/library/tags/{tag}")
    assert hand.names() == {}


def test_two_kobos_that_were_offline_converge(home: Home, kobo: Desk, hand: Hand) -> None:
    home.put_books(4)
    ids = offered(kobo.sync())
    other = home.kobo(kobo.user_id)
    other.sync()
    one = make(kobo, "Favourites", ids["Book 0"])
    two = make(other, "favourites", ids["Book 1"])
    assert one == two and hand.names() == {"Favourites": 2}
    add(kobo, one, ids["Book 2"])
    other.json("PUT", f"/v1/library/tags/{one}", {"Name": "Best"})
    seen = told(kobo.sync()), told(other.sync())
    assert set(seen[0]["Best"] or []) == set(seen[1]["Best"] or []) == {ids[f"Book {n}"] for n in range(3)}
    assert kobo.sync() == other.sync() == []


def test_a_change_beats_a_deletion_that_did_not_know_of_it(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(2)
    shelf = hand.shelf("Both", books[0])
    ids = offered(kobo.sync())
    hand.act(shelves.put_on, shelf, [books[1]])
    kobo.json("DELETE", f"/v1/library/tags/{shelf}")
    assert told(kobo.sync()) == {"Both": [ids["Book 0"], ids["Book 1"]]}
    hand.act(shelves.delete_shelf, shelf)
    add(kobo, shelf, ids["Book 1"])
    assert hand.names() == {"Both": 2}
    hand.act(shelves.delete_shelf, shelf)
    assert kinds(kobo.sync()) == ["DeletedTag"]
    add(kobo, shelf, ids["Book 1"])
    assert hand.names() == {} and kinds(kobo.sync()) == ["DeletedTag"], "it was told, so it is told again"


@pytest.mark.parametrize("tag", ["c9d5e9c2-7f5d-4e34-8d22-54a0f6b8e411", "x" * 64, "x" * 2000, "%00", "ä"])
def test_a_collection_that_is_not_known_is_forgotten(home: Home, kobo: Desk, tag: str) -> None:
    """A 4xx would be repeated for ever (BO #536)."""
    bodies = [
        None,
        b"{",
        [],
        {},
        {"Name": 3},
        {"Items": 3},
        {"Items": [3, {}, {"RevisionId": 3}, None]},
        items("x" * 9000),
    ]
    for body in bodies:
        for method, path in (
            ("POST", f"/{tag}/items"),
            ("POST", f"/{tag}/items/delete"),
            ("PUT", f"/{tag}"),
            ("DELETE", f"/{tag}"),
            ("GET", f"/{tag}"),
            ("POST", ""),
        ):
            answer = kobo.call(method, f"/v1/library/tags{path}", body)
            assert isinstance(answer, Answer) and answer.status in (200, 201), (method, path, body)
    expected = [] if len(tag) > 64 else ["DeletedTag"]
    assert kinds(kobo.sync()) == expected and kobo.sync() == []


def test_a_collection_that_may_be_the_stores_is_left_alone(home: Home, kobo: Desk) -> None:
    """Chapter 9: with the store merged in, collections come from there too."""
    home.put_books(1)
    ids = offered(kobo.sync())
    with home.database.write() as session:
        session.add(KoboStore(device_id=kobo.device_id, is_on=True))
    with patch("kobo_api.store.client.ask", return_value=None):
        add(kobo, "c9d5e9c2-7f5d-4e34-8d22-54a0f6b8e411", ids["Book 0"])
        assert kobo.sync() == []


def test_a_collection_of_somebody_else_is_not_known(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(1)
    shelf = hand.shelf("Mine", *books)
    ben = home.kobo(home.person("Ben"))
    ids = offered(ben.sync())
    add(ben, shelf, ids["Book 0"])
    ben.json("PUT", f"/v1/library/tags/{shelf}", {"Name": "Ben's"})
    ben.json("DELETE", f"/v1/library/tags/{shelf}")
    assert hand.names() == {"Mine": 1} and told(ben.sync()) == {shelf: None}


def test_names_are_one_of_a_kind(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(1)
    ids = offered(kobo.sync())
    hand.shelf("Élégies", *books)
    tag = make(kobo, "Songs", ids["Book 0"])
    kobo.json("PUT", f"/v1/library/tags/{tag}", {"Name": "elegies"})
    assert sorted(hand.names()) == ["elegies 2", "Élégies"]
    assert set(told(kobo.sync())) == {"elegies 2", "Élégies"}
    with pytest.raises(shelves.ShelfError, match="already"):
        hand.shelf("ELEGIES")


def test_a_page_with_collections_that_never_arrived_is_told_again(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(1)
    kobo.sync()
    kobo.sync()
    held = kobo.token
    shelf = hand.shelf("Late", *books)
    kobo.page()
    kobo.token = held
    home.clock.forward(hours=1)
    assert kinds(kobo.sync()) == ["NewTag"]
    kobo.sync()
    held = kobo.token
    hand.act(shelves.delete_shelf, shelf)
    kobo.page()
    kobo.token = held
    home.clock.forward(hours=1)
    assert kinds(kobo.sync()) == ["DeletedTag"] and kobo.sync() == []


def test_only_books_that_the_device_was_given_are_named(home: Home, kobo: Desk, hand: Hand) -> None:
    """A collection with books that are not there shows incomplete (BO #435)."""
    books = home.put_books(3)
    shelf = hand.shelf("Three", *books)
    ids = offered(kobo.sync())
    with home.database.write() as session:
        kobo_choice.withdraw(session, kobo.device_id, books[0], home.clock())
    events = kobo.sync()
    assert kinds(events) == ["ChangedEntitlement", "ChangedTag"]
    assert told(events) == {"Three": [ids["Book 1"], ids["Book 2"]]}
    kobo.call("DELETE", f"/v1/library/{ids['Book 1']}")
    assert hand.books(shelf) == books, "what is removed on a device stays on the shelf"
    with home.database.write() as session:
        kobo_choice.offer_again(session, kobo.device_id, books[1])
    events = kobo.sync()
    assert kinds(events) == ["NewEntitlement", "ChangedTag"] and told(events) == {
        "Three": [ids["Book 1"], ids["Book 2"]]
    }


def test_a_large_shelf_fills_pages_by_itself(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(150)
    for number in range(30):
        hand.shelf(f"Shelf {number:02}", *books)
    sizes, more, names = [], True, 0
    while more:
        page, more = kobo.page()
        sizes.append(len(page))
        names += len(told(page))
    assert names == 30 and len(sizes) > 3 and sizes[-1] > 0
    assert kobo.sync() == []
