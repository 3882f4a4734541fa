"""A status that a person set elsewhere reaches a Kobo, also when no place moved with it (kobo-protocol.md 5.3, 5.6)."""

from datetime import timedelta
from typing import Any

import pytest

from appliance.models import BookState, Device
from appliance.reading.book_state.record import SaidState, record_state
from tests.kobo_api.conftest import Home
from tests.kobo_api.reading.test_reading_state import Reading, place


@pytest.fixture
def reading(home: Home) -> Reading:
    return Reading(home)


def by_hand(reading: Reading, **fields: Any) -> None:
    """What a person says in the browser."""
    reading.home.clock.forward(minutes=5)
    house = reading.one.house
    with house.database.write() as session:
        browser = Device(user_id=reading.one.user_id, kind="browser", name="Web", created_at=house.now())
        session.add(browser)
        session.flush()
        state = session.get(BookState, (reading.one.user_id, reading.book_id()))
        assert browser.id is not None
        base = state.version if state else 0
        said = SaidState(reading.one.user_id, browser.id, reading.book_id(), fields, house.now(), base_version=base)
        assert record_state(session, said).outcome == "current"


def test_it_comes_once_with_the_place_the_device_is_at(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    reading.two.sync()
    reading.one.sync()
    own = reading.get(reading.one)
    by_hand(reading, status="finished")
    assert reading.get(reading.one)["StatusInfo"]["Status"] == "Finished", "also when the book is opened first"
    assert reading.get(reading.one)["PriorityTimestamp"] == own["PriorityTimestamp"], "and that asks nothing (5.4)"
    [state] = reading.pushed(reading.one)
    assert state["StatusInfo"]["Status"] == "Finished" and state["StatusInfo"]["TimesStartedReading"] == 1
    assert state["PriorityTimestamp"] == state["LastModified"] > own["LastModified"]
    assert state["CurrentBookmark"] == own["CurrentBookmark"] and place(state) == place(own)
    assert state["Statistics"] == own["Statistics"], "each section has its own time (5.3)"
    [state] = reading.pushed(reading.two)
    assert state["StatusInfo"]["Status"] == "Finished"
    assert reading.pushed(reading.one) == reading.pushed(reading.two) == []


def test_unread_by_hand_reaches_the_kobo(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    by_hand(reading, status="unread")
    [state] = reading.pushed(reading.one)
    assert state["StatusInfo"]["Status"] == "ReadyToRead" and place(state) is not None
    assert reading.pushed(reading.one) == []


def test_what_the_device_says_itself_does_not_come_back(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    stamp = {"LastModified": reading.stamp(), "Status": "Finished"}
    reading.put(reading.one, reading.spans[2800], StatusInfo=stamp)
    assert reading.status() == "finished" and reading.pushed(reading.one) == []


def test_ratings_and_reviews_are_no_news_to_a_kobo(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    reading.one.sync()
    by_hand(reading, rating=7, review="good")
    assert reading.pushed(reading.one) == []


def test_given_up_is_reading_to_a_kobo(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    by_hand(reading, status="abandoned")
    assert reading.pushed(reading.one) == []


def test_a_page_with_a_status_that_never_arrived_is_told_again(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    reading.one.sync()
    held = reading.one.token
    by_hand(reading, status="finished")
    reading.one.page()
    reading.one.token = held
    reading.home.clock.forward(hours=1)
    [state] = reading.pushed(reading.one)
    assert state["StatusInfo"]["Status"] == "Finished"


def test_a_clock_that_is_ahead_gets_a_newer_stamp_still(reading: Reading) -> None:
    ahead = (reading.home.clock() + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    reading.put(reading.one, reading.spans[900], LastModified=ahead)
    by_hand(reading, status="finished")
    [state] = reading.pushed(reading.one)
    assert state["PriorityTimestamp"] > ahead


def test_each_thing_that_such_a_clock_is_told_has_a_newer_stamp_than_the_one_before(reading: Reading) -> None:
    """Statuses and places in turn, while the device says nothing."""
    reading.two.sync()
    ahead = (reading.home.clock() + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    reading.put(reading.one, reading.spans[900], LastModified=ahead)
    stamps = [ahead]
    for number, status in enumerate(["finished", "reading", "finished"]):
        by_hand(reading, status=status)
        stamps += [state["PriorityTimestamp"] for state in reading.pushed(reading.one)]
        reading.pushed(reading.two)
        reading.put(reading.two, reading.spans[1200 + 300 * number])
        stamps += [state["PriorityTimestamp"] for state in reading.pushed(reading.one)]
        assert reading.get(reading.one)["PriorityTimestamp"] == stamps[-1], "the same each time it is asked for"
    assert len(stamps) == 7 and stamps == sorted(set(stamps))
