"""What goes to which Kobo: the choice, the guard against a second entry, and a device that was reset."""

from typing import Any

import pytest

from appliance.accounts.devices import revoke
from appliance.library import kobo_choice, kobo_ledger, shelves
from appliance.models import Book, Device
from tests.kobo_api.conftest import Desk, Home
from tests.kobo_api.library.test_tags import Hand, told
from tests.kobo_api.shapes import kinds, offered

DEVICE_ID = "9c1f" * 16


@pytest.fixture
def hand(home: Home, kobo: Desk) -> Hand:
    return Hand(home, kobo.user_id)


def choose(home: Home, kobo: Desk, everything: bool = False, shelf: str = "", series: str = "") -> None:
    with home.database.write() as session:
        kobo_choice.choose(
            session,
            kobo.device_id,
            everything=everything,
            shelves=[shelf] if shelf else [],
            series=[series] if series else [],
        )


def act(home: Home, kobo: Desk, act: Any, book: str) -> None:
    with home.database.write() as session:
        if act is kobo_choice.send:
            act(session, kobo.device_id, session.get_one(Book, book))
        elif act is kobo_choice.withdraw:
            act(session, kobo.device_id, book, home.clock())
        else:
            act(session, kobo.device_id, book)


def states(home: Home, kobo: Desk) -> dict[str, str]:
    with home.database.read() as session:
        return {line.title: line.state for line in kobo_ledger.lines(session, kobo.device_id, None, 0, 1000)}


def test_only_what_was_chosen_comes(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(5)
    home.edit(books[1], series="Lamplight")
    shelf = hand.shelf("For the Kobo", books[0])
    choose(home, kobo, shelf=shelf, series="Lamplight")
    act(home, kobo, kobo_choice.send, books[2])
    assert sorted(offered(kobo.sync())) == ["Book 0", "Book 1", "Book 2"]
    assert kobo.sync() == []
    home.clock.forward(minutes=20)
    assert kobo.sync() == []
    hand.act(shelves.put_on, shelf, [books[3]])
    home.edit(books[4], series="Lamplight")
    assert sorted(offered(kobo.sync())) == ["Book 3", "Book 4"]
    [new] = home.put_books(1, "New")
    assert kobo.sync() == []
    home.edit(new, series="Lamplight")
    assert list(offered(kobo.sync())) == ["New 0"]


def test_what_leaves_the_choice_leaves_after_a_while_and_comes_back(home: Home, kobo: Desk, hand: Hand) -> None:
    """Removed at once, a book that is moved between shelves would lose its notes (4.8)."""
    books = home.put_books(2)
    one, two = hand.shelf("One", *books), hand.shelf("Two")
    choose(home, kobo, shelf=one)
    ids = offered(kobo.sync())
    kobo.pretend_taken(books[0])
    hand.act(shelves.take_off, one, [books[0]])
    assert kinds(kobo.sync()) == ["ChangedTag"], "only the collection"
    assert states(home, kobo)["Book 0"] == "leaving"
    hand.act(shelves.put_on, one, [books[0]])
    home.clock.forward(hours=2)
    assert kinds(kobo.sync()) == ["ChangedTag"] and kobo.delivery(books[0]).began_at is not None
    hand.act(shelves.put_on, two, [books[0]])
    hand.act(shelves.take_off, one, [books[0]])
    kobo.sync()
    home.edit(books[0], publisher="Another")
    assert kobo.sync() == []
    home.clock.forward(hours=2)
    event, tag = kobo.sync()
    assert event["ChangedEntitlement"]["BookEntitlement"]["Id"] == ids["Book 0"] and told([tag]) == {"Two": []}
    assert kobo.sync() == [] and states(home, kobo) == {"Book 0": "taken-off", "Book 1": "offered"}
    hand.act(shelves.delete_shelf, one)
    kobo.sync()
    hand.act(shelves.restore_shelf, one)
    home.clock.forward(hours=2)
    assert kinds(kobo.sync()) == ["NewTag"]
    hand.act(shelves.put_on, one, [books[0]])
    assert offered(kobo.sync()) == {"Book 0": ids["Book 0"]}


def test_everything_and_back(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(4)
    kobo.sync()
    kobo.pretend_taken(books[0])
    kobo.pretend_taken(books[1])
    shelf = hand.shelf("Few", books[0])
    choose(home, kobo, shelf=shelf)
    kobo.sync()
    home.clock.forward(hours=2)
    events = kobo.sync()
    assert kinds(events) == ["ChangedEntitlement"] * 3 and kobo.sync() == []
    home.put_books(2, "Later")
    choose(home, kobo, everything=True)
    assert sorted(offered(kobo.sync())) == ["Book 1", "Book 2", "Book 3", "Later 0", "Later 1"]
    assert kobo.delivery(books[0]).began_at is not None and kobo.sync() == []


def test_a_book_that_is_kept_off_stays_away_whatever_is_chosen(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(2)
    act(home, kobo, kobo_choice.withdraw, books[0])
    assert list(offered(kobo.sync())) == ["Book 1"]
    home.clock.forward(days=1)
    home.edit(books[0], title="Edited")
    assert kobo.sync() == []
    choose(home, kobo, shelf=hand.shelf("Both", *books))
    assert told(kobo.sync()) == {"Both": [offered_id(home, kobo, books[1])]}
    act(home, kobo, kobo_choice.send, books[0])
    assert list(offered(kobo.sync())) == ["Edited"]


def offered_id(home: Home, kobo: Desk, book: str) -> str:
    from sqlmodel import select

    from appliance.models import KoboEntitlement

    with home.database.read() as session:
        return session.exec(
            select(KoboEntitlement.id).where(KoboEntitlement.book_id == book, KoboEntitlement.user_id == kobo.user_id)
        ).one()


def test_sending_a_book_that_is_held_sends_nothing(home: Home, kobo: Desk) -> None:
    """Any entitlement would take its file away (4.10)."""
    [book] = home.put_books(1)
    kobo.sync()
    kobo.pretend_taken(book)
    act(home, kobo, kobo_choice.send, book)
    assert kobo.sync() == []


def test_what_was_removed_on_the_device_comes_back_only_when_sent(home: Home, kobo: Desk, hand: Hand) -> None:
    [book] = home.put_books(1)
    shelf = hand.shelf("One", book)
    choose(home, kobo, shelf=shelf)
    ids = offered(kobo.sync())
    kobo.call("DELETE", f"/v1/library/{ids['Book 0']}")
    hand.act(shelves.take_off, shelf, [book])
    kobo.sync()
    hand.act(shelves.put_on, shelf, [book])
    home.clock.forward(hours=2)
    assert offered(kobo.sync()) == {} and states(home, kobo) == {"Book 0": "removed"}
    act(home, kobo, kobo_choice.send, book)
    assert offered(kobo.sync()) == ids


def test_notes_that_exist_only_on_the_device_keep_a_book_there(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(1)
    shelf = hand.shelf("One", *books)
    choose(home, kobo, shelf=shelf)
    kobo.sync()
    kobo.pretend_taken(books[0])
    with home.database.write() as session:
        from appliance.models import KoboDelivery

        session.get_one(KoboDelivery, (kobo.device_id, books[0])).notes_refused_at = home.clock()
    hand.act(shelves.take_off, shelf, books)
    kobo.sync()
    home.clock.forward(hours=2)
    assert kobo.sync() == []


def test_two_kobos_have_choices_of_their_own(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(2)
    other = home.kobo(kobo.user_id)
    shelf = hand.shelf("One", books[0])
    choose(home, kobo, shelf=shelf)
    assert list(offered(kobo.sync())) == ["Book 0"] and len(offered(other.sync())) == 2


def test_nothing_is_written_when_nothing_changed_in_the_choice(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(3)
    choose(home, kobo, shelf=hand.shelf("One", *books))
    kobo.sync()
    home.clock.forward(hours=1)
    kobo.sync()
    with home.database.read() as session:
        from sqlalchemy import text

        before = session.execute(text("select * from kobosync")).all()
    home.clock.forward(hours=1)
    assert kobo.sync() == []
    with home.database.read() as session:
        assert session.execute(text("select * from kobosync")).all() == before


# The same Kobo again (2.3)


def test_the_same_kobo_added_again_keeps_what_it_holds(home: Home, kobo: Desk) -> None:
    books = home.put_books(3)
    kobo.headers["x-kobo-deviceid"] = DEVICE_ID
    kobo.sync()
    for book in books:
        kobo.pretend_taken(book)
    again = home.kobo(kobo.user_id)
    again.call("GET", "/v1/initialization")  # without its id, as real ones do
    again.headers["x-kobo-deviceid"] = DEVICE_ID
    again.token = kobo.token
    assert again.sync() == []
    home.put_books(1, "New")
    assert list(offered(again.sync())) == ["New 0"]
    with home.database.read() as session:
        kept, ended = session.get_one(Device, kobo.device_id), session.get_one(Device, again.device_id)
        assert kept.revoked_at is None and kept.details["taken_over_as"] == ended.name
        assert ended.revoked_at is not None and ended.details["same_as"] == kept.id
    with pytest.raises(AssertionError, match="not known"):
        kobo.sync()


def test_a_removed_kobo_that_is_added_again_keeps_what_it_holds(home: Home, kobo: Desk) -> None:
    [book] = home.put_books(1)
    kobo.headers["x-kobo-deviceid"] = DEVICE_ID
    kobo.sync()
    kobo.pretend_taken(book)
    with home.database.write() as session:
        revoke(home.house, session, kobo.user_id, kobo.device_id)
    again = home.kobo(kobo.user_id)
    choose(home, again)
    again.headers["x-kobo-deviceid"] = DEVICE_ID
    assert again.sync() == []
    home.put_books(1, "New")
    assert again.sync() == [], "what was chosen for the new entry counts"


def test_other_kobos_and_other_people_take_nothing_over(home: Home, kobo: Desk) -> None:
    home.put_books(1)
    kobo.headers["x-kobo-deviceid"] = DEVICE_ID
    kobo.sync()
    other, ben = home.kobo(kobo.user_id), home.kobo(home.person("Ben"))
    other.headers["x-kobo-deviceid"] = DEVICE_ID[::-1]
    ben.headers["x-kobo-deviceid"] = DEVICE_ID
    assert len(other.sync()) == len(ben.sync()) == 1 and kobo.sync() == []


# Reset (2.6, 4.10)


def test_a_reset_kobo_starts_anew(home: Home, kobo: Desk, hand: Hand) -> None:
    books = home.put_books(3)
    hand.shelf("Two", *books[:2])
    ids = offered(kobo.sync())
    kobo.sync()
    kobo.pretend_taken(books[0])
    kobo.call("DELETE", f"/v1/library/{ids['Book 2']}")
    kobo.token = ""
    kobo.call("POST", "/v1/user/add-device", {})
    events = kobo.sync()
    assert sorted(offered(events)) == ["Book 0", "Book 1"], "what was removed on it stays away"
    assert kinds(events)[-1] == "NewTag" and kobo.sync() == []


@pytest.mark.parametrize("registers", [True, False])
def test_no_single_sign_is_taken_for_a_reset(home: Home, kobo: Desk, registers: bool) -> None:
    [book] = home.put_books(1)
    kobo.sync()
    kobo.sync()
    kobo.pretend_taken(book)
    if registers:
        kobo.call("POST", "/v1/user/add-device", {})
    else:
        kobo.token = ""
    assert kobo.sync() == []
    kobo.token = ""
    assert kobo.sync() == []


def test_firmware_that_never_sends_a_token_is_never_taken_for_reset(home: Home, kobo: Desk) -> None:
    [book] = home.put_books(1)
    kobo.sync()
    kobo.pretend_taken(book)
    for _ in range(3):
        kobo.token = ""
        kobo.call("POST", "/v1/user/add-device", {})
        home.clock.forward(days=1)
        assert kobo.sync() == []


def test_a_first_sync_that_broke_off_is_no_reset(home: Home, kobo: Desk) -> None:
    """The device forgets the token of a page that announced another, and may introduce itself again."""
    books = home.put_books(250)
    kobo.call("POST", "/v1/user/add-device", {})
    kobo.page()
    title = next(iter(offered(kobo.page()[0])))
    book = books[int(title.removeprefix("Book "))]
    kobo.pretend_taken(book)
    kobo.token = ""
    kobo.call("POST", "/v1/user/add-device", {})
    home.clock.forward(hours=1)
    assert title not in offered(kobo.sync()) and kobo.delivery(book).began_at is not None
