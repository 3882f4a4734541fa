"""The library sync: paging, tokens, and the ledger (kobo-protocol.md 4)."""

import pytest
from sqlalchemy import text

from appliance.library import kobo_choice
from kobo_api.call import Answer
from kobo_api.library import library_sync, sync_run
from tests.kobo_api.conftest import Desk, Home
from tests.kobo_api.shapes import kinds, offered

PAGE = library_sync.PAGE


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1])
def test_pages_end_exactly(home: Home, kobo: Desk, count: int) -> None:
    """`continue` on an exactly full last page would loop for ever (4.3)."""
    home.put_books(count)
    sizes = []
    more = True
    while more:
        page, more = kobo.page()
        sizes.append(len(page))
    assert sum(sizes) == count and len(sizes) == max(-(-count // PAGE), 1)
    assert kobo.sync() == []


def test_many_books_of_one_moment_and_of_many(home: Home, kobo: Desk) -> None:
    ids = home.put_books(PAGE + 20, "Old")
    home.clock.forward(days=1)
    ids += home.put_books(PAGE + 20, "New")
    assert len(offered(kobo.sync())) == len(ids)


def test_nothing_is_written_when_nothing_changed(home: Home, kobo: Desk) -> None:
    home.put_books(3)
    kobo.sync()
    kobo.sync()
    before = _dump(home)
    for _ in range(3):
        assert kobo.sync() == []
    assert _dump(home) == before


def test_what_everybody_has_seen_is_not_looked_at_again(home: Home, kobo: Desk) -> None:
    """Once, a while later, the horizon moves behind everything; after that an idle sync writes nothing."""
    home.put_books(3)
    kobo.sync()
    home.clock.forward(hours=1)
    kobo.sync()
    with home.database.read() as session:
        horizon = session.execute(text("select horizon from kobocheckpoint")).scalar_one()
        newest = session.execute(text("select max(changed_at) from book")).scalar_one()
    assert horizon > newest
    before = _dump(home)
    kobo.sync()
    assert _dump(home) == before
    home.put_books(1, "Late")
    assert list(offered(kobo.sync())) == ["Late 0"]


def test_a_book_that_is_committed_long_after_its_time_is_found(home: Home, kobo: Desk) -> None:
    """A scan writes the time at which it looked at a file, and commits later."""
    home.put_books(1)
    kobo.sync()
    late = home.clock.time
    home.clock.forward(minutes=10)
    home.put_books(1, "Between")
    kobo.sync()
    home.clock.time = late
    home.put_books(1, "Late")
    home.clock.forward(minutes=12)
    assert list(offered(kobo.sync())) == ["Late 0"]


@pytest.mark.parametrize("token", ["", "S1.999999", "abc.def", "KOMGA.e30=", "S1.", "S1.-1", "ÿ" * 3000])
def test_a_lost_or_foreign_token_sends_no_held_book(home: Home, kobo: Desk, token: str) -> None:
    ids = home.put_books(PAGE + 5)
    kobo.sync()
    kobo.sync()
    for id in ids:
        kobo.pretend_taken(id)
    kobo.token = token
    assert kobo.sync() == []


def test_a_page_that_never_arrived_is_given_again(home: Home, kobo: Desk) -> None:
    home.put_books(2 * PAGE)
    first, _ = kobo.page()
    arrived = kobo.token
    lost, _ = kobo.page()
    kobo.token = arrived
    home.clock.forward(hours=1)
    again = kobo.sync()
    assert set(offered(lost)) <= set(offered(again)) and not set(offered(first)) & set(offered(again))


def test_a_first_page_that_never_arrived_is_given_again(home: Home, kobo: Desk) -> None:
    """A new device has no token to show; the books must not stay invisible (BO #435)."""
    home.put_books(3)
    kobo.page()
    kobo.token = ""
    home.clock.forward(hours=1)
    assert len(offered(kobo.sync())) == 3


def test_a_page_of_which_a_book_was_fetched_arrived_whatever_the_token_says(home: Home, kobo: Desk) -> None:
    ids = home.put_books(3)
    kobo.page()
    kobo.pretend_taken(ids[0])
    for token in ("", "abc.def"):
        kobo.token = token
        home.clock.forward(hours=1)
        assert kobo.sync() == []


def test_firmware_that_sends_no_token_gets_everything_once_in_a_run(home: Home, kobo: Desk) -> None:
    home.put_books(2 * PAGE + 1)
    seen: list[str] = []
    more = True
    while more:
        kobo.token = ""
        page, more = kobo.page()
        seen += offered(page)
        home.clock.forward(seconds=2)
    assert len(seen) == len(set(seen)) == 2 * PAGE + 1


def test_a_device_that_gets_nowhere_is_stopped(home: Home, kobo: Desk) -> None:
    """Three requests a second for ever would empty its battery (4.3)."""
    home.put_books(2 * PAGE)
    kobo.page()
    end = kobo.token
    kobo.sync()
    stuck = []
    for _ in range(10):
        kobo.token = end
        page, more = kobo.page()
        stuck.append((len(page), more))
        home.put_books(1, "More")
        home.clock.forward(seconds=1)
    assert stuck[-1] == (0, False)
    home.clock.forward(minutes=5)
    kobo.sync()
    assert kobo.sync() == []


def test_the_token_is_tiny(home: Home, kobo: Desk) -> None:
    home.put_books(1)
    kobo.sync()
    assert kobo.token == "S1.1"
    assert sync_run.read_token("S1.1") == 1 and sync_run.read_token("S2.1") is None


def test_a_page_is_closed_when_it_takes_long(home: Home, kobo: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device gives up after 30 s, so a slow machine gives smaller pages (4.3)."""
    home.put_books(5)
    monkeypatch.setattr(library_sync, "TIME", -1.0)
    sizes, more = [], True
    while more:
        page, more = kobo.page()
        sizes.append(len(page))
    assert sizes == [1] * 5 and kobo.sync() == []


def test_much_to_look_at_and_nothing_to_tell_ends_the_run(
    home: Home, kobo: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never an empty page that announces another: the next sync goes on where this one stopped."""
    ids = home.put_books(3 * PAGE)
    kobo.sync()
    kobo.sync()
    for id in ids:
        kobo.pretend_taken(id)
        home.clock.forward(seconds=1)
        home.edit(id)
    home.clock.forward(hours=1)
    home.edit(ids[-1], title="Edited")
    monkeypatch.setattr(library_sync, "TIME", -1.0)
    found = []
    for _ in range(4):
        page, more = kobo.page()
        assert not more
        found.append(kinds(page))
    assert [] in found and found.count(["ChangedProductMetadata"]) == 1


def test_each_kobo_of_a_person_gets_everything_under_the_same_ids(home: Home) -> None:
    """BO #314: with state per user the second reader receives nothing."""
    home.put_books(5)
    ida = home.person()
    one, two, other = home.kobo(ida), home.kobo(ida), home.kobo(home.person("Ben"))
    first = offered(one.sync())
    assert offered(two.sync()) == first
    theirs = offered(other.sync())
    assert set(theirs) == set(first) and not set(theirs.values()) & set(first.values())


def test_metadata_changes_without_an_entitlement(home: Home, kobo: Desk) -> None:
    """Any entitlement would un-download the book (4.9, 4.10)."""
    [id] = home.put_books(1)
    kobo.sync()
    kobo.pretend_taken(id)
    home.clock.forward(days=1)
    home.edit(id, title="A better title")
    events = kobo.sync()
    assert kinds(events) == ["ChangedProductMetadata"]
    assert events[0]["ChangedProductMetadata"]["BookMetadata"]["Title"] == "A better title"
    assert kobo.sync() == []
    home.clock.forward(days=1)
    home.edit(id)
    assert kobo.sync() == []


def test_another_text_is_offered_and_the_same_text_is_not(home: Home, kobo: Desk) -> None:
    [id] = home.put_books(1)
    kobo.sync()
    kobo.pretend_taken(id)
    home.clock.forward(days=1)
    home.edit(id, text=f"text of {id}")
    assert kobo.sync() == []
    home.clock.forward(days=1)
    home.edit(id, text="a new edition")
    assert kinds(kobo.sync()) == ["NewEntitlement"]
    assert kobo.sync() == []


def test_a_book_with_notes_that_nobody_else_has_is_not_replaced(home: Home, kobo: Desk) -> None:
    [id] = home.put_books(1)
    kobo.sync()
    kobo.pretend_taken(id)
    with home.database.write() as session:
        session.execute(text("update kobodelivery set notes_refused_at = began_at"))
    home.clock.forward(days=1)
    home.edit(id, text="a new edition")
    assert kobo.sync() == []
    with home.database.write() as session:
        kobo_choice.offer_again(session, kobo.device_id, id)
    assert kinds(kobo.sync()) == ["NewEntitlement"]


def test_a_file_that_is_away_is_not_offered_until_it_is_back(home: Home, kobo: Desk) -> None:
    home.put_books(2, "Away", here=False)
    home.put_books(1, "Here")
    assert list(offered(kobo.sync())) == ["Here 0"]
    home.clock.forward(days=1)
    assert kobo.sync() == []
    with home.database.write() as session:
        session.execute(text("update libraryfile set missing_since = null"))
    assert sorted(offered(kobo.sync())) == ["Away 0", "Away 1"]
    assert kobo.sync() == []


def test_a_file_that_went_away_takes_nothing_from_the_device(home: Home, kobo: Desk) -> None:
    home.put_books(2)
    kobo.sync()
    with home.database.write() as session:
        session.execute(text("update libraryfile set missing_since = '2026-03-01'"))
        session.execute(text("update book set changed_at = '2026-03-02 00:00:00.000000'"))
    assert kobo.sync() == []


def test_withdrawn_removed_and_offered_again(home: Home, kobo: Desk) -> None:
    [id] = home.put_books(1)
    [entitlement] = offered(kobo.sync()).values()
    kobo.pretend_taken(id)
    with home.database.write() as session:
        kobo_choice.withdraw(session, kobo.device_id, id, home.clock())
    [event] = kobo.sync()
    assert event["ChangedEntitlement"]["BookEntitlement"]["IsRemoved"] is True
    assert kobo.sync() == []
    with home.database.write() as session:
        kobo_choice.offer_again(session, kobo.device_id, id)
    assert list(offered(kobo.sync()).values()) == [entitlement]


def test_a_removal_that_never_arrived_is_told_again(home: Home, kobo: Desk) -> None:
    [id] = home.put_books(1)
    kobo.sync()
    kobo.sync()
    held = kobo.token
    with home.database.write() as session:
        kobo_choice.withdraw(session, kobo.device_id, id, home.clock())
    kobo.page()
    kobo.token = held
    home.clock.forward(hours=1)
    assert kinds(kobo.sync()) == ["ChangedEntitlement"]


def test_removed_on_the_device_stays_away_from_this_device_alone(home: Home) -> None:
    home.put_books(2)
    ida = home.person()
    one, two = home.kobo(ida), home.kobo(ida)
    ids = offered(one.sync())
    two.sync()
    assert one.call("DELETE", f"/v1/library/{ids['Book 0']}") == Answer(status=204)
    assert one.call("DELETE", "/v1/library/0b0b0b0b-0000-4000-8000-000000000000") == Answer(status=204)
    home.clock.forward(days=1)
    for id in _book_ids(home):
        home.edit(id, title="Another title", text="another text")
    assert kinds(one.sync()) == ["ChangedProductMetadata"]
    assert kinds(two.sync()) == ["ChangedProductMetadata"] * 2


def test_a_sync_that_comes_between_is_noticed(home: Home, kobo: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Kobo of the same person is given the same new books while this page is being computed."""
    home.put_books(3)
    other = home.kobo(kobo.user_id)
    plan = library_sync._plan
    calls = []

    def plan_and_be_overtaken(*arguments: object, **options: object) -> object:
        page = plan(*arguments, **options)  # type: ignore[arg-type]
        if not calls:
            calls.append(page)
            other.sync()
        return page

    monkeypatch.setattr(library_sync, "_plan", plan_and_be_overtaken)
    assert len(calls) == 0 and len(offered(kobo.sync())) == 3 and len(calls) == 1


def _dump(home: Home) -> list[object]:
    tables = ("kobocheckpoint", "kobodelivery", "koboentitlement", "device")
    with home.database.read() as session:
        return [session.execute(text(f"select * from {table}")).all() for table in tables]


def _book_ids(home: Home) -> list[str]:
    with home.database.read() as session:
        return [row[0] for row in session.execute(text("select id from book"))]
