"""A place that a person puts back reaches the Kobos (kobo-protocol.md 5.4, 5.6)."""

import pytest

from appliance.models import Device
from appliance.reading.progress.put_back import put_back
from tests.kobo_api.conftest import Home
from tests.kobo_api.reading.test_reading_state import Reading, at, place


@pytest.fixture
def reading(home: Home) -> Reading:
    return Reading(home)


def test_every_kobo_is_told_with_a_newer_stamp_and_only_once(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    with reading.home.database.read() as session:
        version = reading.progress()
        assert version is not None
        wanted = version.entry_id
    reading.put(reading.one, reading.spans[2500])
    reading.two.sync()
    last_said = reading.stamp()
    reading.home.clock.forward(hours=1)
    house = reading.one.house
    with house.database.write() as session:
        browser = Device(user_id=reading.one.user_id, kind="browser", name="Web", created_at=house.now())
        session.add(browser)
        session.flush()
        browser_id = browser.id
    assert browser_id is not None
    outcome = put_back(house, reading.one.user_id, browser_id, reading.book_id(), wanted)
    assert outcome is not None and outcome.kind == "current"
    for kobo in (reading.one, reading.two):
        [state] = reading.pushed(kobo)
        assert place(state) == at(reading.spans[900])
        assert state["PriorityTimestamp"] == state["CurrentBookmark"]["LastModified"] > last_said
        assert reading.get(kobo)["PriorityTimestamp"] == state["PriorityTimestamp"]
        assert reading.pushed(kobo) == []
