"""Reading states, both ways, on a real book (kobo-protocol.md 5)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from appliance.models import Book, BookState, Progress
from appliance.reading.book_state.record import SaidState, record_state
from kobo_api.reading import state_report
from kobo_api.reading.state_report import read_states
from tests.kobo_api.conftest import Desk, Home
from tests.kobo_api.shapes import kinds, offered
from tests.simulators.kobo.kepub import Kepub, Span

BOOK = "l-frank-baum_the-marvelous-land-of-oz.epub"
UNKNOWN = "0b0b0b0b-0000-4000-8000-000000000000"


class Reading:
    """A person with two Kobos that both hold one real book."""

    def __init__(self, home: Home) -> None:
        self.home = home
        home.import_books(BOOK)
        user = home.person()
        self.one, self.two = home.kobo(user), home.kobo(user)
        [self.id] = offered(self.one.sync()).values()
        self.two.sync()
        file = Kepub(self.one.take(self.id).path)
        self.two.take(self.id)
        self.spans = [span for document in file.documents for span in document.spans]
        home.clock.forward(hours=1)

    def put(self, kobo: Desk, span: Span | None, **changes: Any) -> dict[str, Any]:
        """Report a place, as the device does; returns the result for the book."""
        self.home.clock.forward(minutes=5)
        stamp = self.stamp()
        bookmark: dict[str, Any] = {"LastModified": stamp, "ProgressPercent": 37, "ContentSourceProgressPercent": 42}
        if span is not None:
            bookmark["Location"] = {"Source": span.source, "Type": "KoboSpan", "Value": span.id}
        state = {
            "CurrentBookmark": bookmark,
            "EntitlementId": self.id,
            "LastModified": stamp,
            "Statistics": {"LastModified": stamp, "SpentReadingMinutes": 5, "RemainingTimeMinutes": 90},
            "StatusInfo": {"LastModified": stamp, "Status": "Reading"},
            **changes,
        }
        answer = kobo.json("PUT", f"/v1/library/{self.id}/state", {"ReadingStates": [state]})
        assert answer["RequestResult"] == "Success"
        return answer["UpdateResults"][0]  # type: ignore[no-any-return]

    def get(self, kobo: Desk) -> dict[str, Any]:
        [state] = kobo.json("GET", f"/v1/library/{self.id}/state")
        return state  # type: ignore[no-any-return]

    def stamp(self) -> str:
        return self.home.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def progress(self) -> Progress | None:
        with self.home.database.read() as session:
            return session.exec(select(Progress)).first()

    def status(self) -> str | None:
        with self.home.database.read() as session:
            return session.exec(select(BookState.status)).first()

    def book_id(self) -> str:
        with self.home.database.read() as session:
            return session.exec(select(Book.id)).one()

    def pushed(self, kobo: Desk) -> list[dict[str, Any]]:
        return [event["ChangedReadingState"]["ReadingState"] for event in kobo.sync()]


@pytest.fixture
def reading(home: Home) -> Reading:
    return Reading(home)


def place(state: dict[str, Any]) -> tuple[str, str] | None:
    location = state["CurrentBookmark"].get("Location")
    return (location["Source"], location["Value"]) if location else None


def at(span: Span) -> tuple[str, str]:
    return span.source, span.id


def test_the_device_gets_back_what_it_said_with_its_own_times(reading: Reading) -> None:
    """Any other stamp asks “Sync to last page read?” at every wake-up (5.4)."""
    result = reading.put(reading.one, reading.spans[900])
    said = reading.stamp()
    assert result["PriorityTimestamp"] == result["LastModified"] == said
    assert {result[part]["Result"] for part in result if part.endswith("Result")} == {"Success"}
    reading.home.clock.forward(days=2)
    for _ in range(2):
        state = reading.get(reading.one)
        assert state["PriorityTimestamp"] == state["LastModified"] == said
        assert place(state) == at(reading.spans[900])
        assert repr(state["CurrentBookmark"]["ProgressPercent"]) == "37"
        assert state["Statistics"]["SpentReadingMinutes"] == 5
        assert state["StatusInfo"]["Status"] == "Reading" and state["StatusInfo"]["TimesStartedReading"] == 1
    assert reading.one.sync() == []


def test_the_other_kobo_is_told_once_and_its_echo_changes_nothing(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    [state] = reading.pushed(reading.two)
    assert place(state) == at(reading.spans[900])
    assert state["PriorityTimestamp"] == state["CurrentBookmark"]["LastModified"] == reading.stamp()
    assert reading.pushed(reading.two) == []
    assert place(reading.get(reading.two)) == at(reading.spans[900])
    version = reading.progress().version  # type: ignore[union-attr]
    reading.put(reading.two, reading.spans[897])  # the first span of the page that shows it
    assert reading.progress().version == version  # type: ignore[union-attr]
    assert place(reading.get(reading.two)) == at(reading.spans[897])
    assert reading.pushed(reading.one) == [] and reading.pushed(reading.two) == []


def test_reading_on_moves_the_first_kobo(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    mine = reading.stamp()
    reading.two.sync()
    reading.put(reading.two, reading.spans[1200])
    [state] = reading.pushed(reading.one)
    assert place(state) == at(reading.spans[1200]) and state["PriorityTimestamp"] > mine
    assert reading.get(reading.one)["PriorityTimestamp"] == state["PriorityTimestamp"]


def test_a_state_for_a_device_whose_clock_is_ahead_is_newer_than_its_own(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[300], LastModified="2026-03-01T23:00:00Z")
    reading.put(reading.two, reading.spans[900])
    [state] = reading.pushed(reading.one)
    assert state["PriorityTimestamp"] > "2026-03-01T23:00:00Z"


def test_a_decision_to_stay_is_not_asked_again(reading: Reading) -> None:
    """The owner said no to the dialog and reads on elsewhere; the server does not insist at every wake-up."""
    reading.put(reading.one, reading.spans[200])
    reading.put(reading.two, reading.spans[2500])
    reading.one.sync()
    reading.put(reading.one, reading.spans[205])
    state = reading.get(reading.one)
    assert place(state) == at(reading.spans[205]) and state["PriorityTimestamp"] == reading.stamp()
    assert reading.pushed(reading.one) == []


def test_finished_is_a_status_and_no_place(reading: Reading) -> None:
    """The device names the first document then (5.3)."""
    reading.put(reading.one, reading.spans[2800])
    before = reading.progress()
    stamp = {"LastModified": "2026-03-01T10:00:00Z"}
    location = {"Source": reading.spans[0].source, "Type": "KoboSpan", "Value": "kobo.1.1"}
    reading.put(
        reading.one,
        None,
        CurrentBookmark={**stamp, "ProgressPercent": 100, "Location": location},
        StatusInfo={**stamp, "Status": "Finished"},
    )
    after = reading.progress()
    assert before is not None and after is not None
    assert reading.status() == "finished" and (after.document, after.k) == (before.document, before.k)
    [state] = reading.pushed(reading.two)
    assert state["StatusInfo"]["Status"] == "Finished" and state["CurrentBookmark"]["ProgressPercent"] == 100
    assert place(state) == at(reading.spans[2800])


def status_info(reading: Reading, status: str) -> dict[str, Any]:
    return {"StatusInfo": {"LastModified": reading.stamp(), "Status": status}}


def test_a_book_that_one_kobo_finished_is_not_unfinished_by_opening_it_on_another(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[2800], **status_info(reading, "Finished"))
    reading.put(reading.two, reading.spans[2700], **status_info(reading, "Reading"))
    assert reading.status() == "finished"


def test_marked_as_unread_on_a_kobo_is_what_a_person_did(reading: Reading) -> None:
    """Nothing else turns the status back; but for a download, after which every device says that it is unread."""
    reading.put(reading.one, reading.spans[900])
    reading.one.take(reading.id)
    reading.put(reading.one, reading.spans[0], **status_info(reading, "ReadyToRead"))
    assert reading.status() == "reading"
    reading.home.clock.forward(hours=1)
    reading.put(reading.one, reading.spans[950])
    reading.put(reading.one, reading.spans[950], **status_info(reading, "ReadyToRead"))
    assert reading.status() == "unread"
    reading.put(reading.one, reading.spans[10])
    assert reading.status() == "reading"
    assert reading.progress().epoch == 2  # type: ignore[union-attr]


def test_what_a_person_set_is_not_changed_by_what_a_kobo_does_by_itself(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[900])
    with reading.home.database.write() as session:
        device = reading.one.device_id
        said = {"status": "abandoned"}
        record_state(session, SaidState(1, device, reading.book_id(), said, reading.home.clock(), base_version=9))
    reading.put(reading.two, reading.spans[2800], **status_info(reading, "Finished"))
    assert reading.status() == "abandoned"


def set_by_person(reading: Reading, status: str) -> None:
    """On the book's page, as if on another of the person's devices."""
    with reading.home.database.write() as session:
        version = session.exec(select(BookState.version)).first() or 0
        now = reading.home.clock()
        said = SaidState(1, 2, reading.book_id(), {"status": status}, now, base_version=version)
        assert record_state(session, said).outcome == "current"


def test_a_status_that_a_person_set_comes_to_a_kobo_although_nobody_read(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[500])
    reading.one.sync()
    set_by_person(reading, "finished")
    [told] = reading.pushed(reading.one)
    assert told["StatusInfo"]["Status"] == "Finished"
    assert place(told) == at(reading.spans[500])
    assert reading.pushed(reading.one) == [], "once"


def test_every_change_of_the_status_comes_to_a_kobo(reading: Reading) -> None:
    """From each to each other one, and what the Kobo answers then is no news."""
    spelled = {"unread": "ReadyToRead", "reading": "Reading", "finished": "Finished", "abandoned": "Reading"}
    reading.put(reading.one, reading.spans[500])
    reading.one.sync()
    before = "reading"
    for status in ("unread", "finished", "abandoned", "finished", "reading", "abandoned", "unread", "abandoned",
                   "reading", "unread", "reading", "finished", "unread"):  # fmt: skip
        set_by_person(reading, status)
        news = reading.pushed(reading.one)
        is_same = spelled[status] == spelled[before]  # a Kobo knows nothing of "given up"
        assert [told["StatusInfo"]["Status"] for told in news] == ([] if is_same else [spelled[status]]), (
            before,
            status,
        )
        assert all(place(told) == at(reading.spans[500]) for told in news)
        reading.put(reading.one, reading.spans[500], **status_info(reading, spelled[status]))
        assert reading.status() == status and reading.pushed(reading.one) == [], (before, status)
        before = status


def test_a_book_that_was_never_opened_can_be_called_finished(reading: Reading) -> None:
    set_by_person(reading, "finished")
    [told] = reading.pushed(reading.one)
    assert told["StatusInfo"]["Status"] == "Finished"
    assert place(told) is None
    reading.put(reading.one, None, CurrentBookmark=told["CurrentBookmark"], StatusInfo=told["StatusInfo"])
    assert reading.status() == "finished" and reading.pushed(reading.one) == []


def test_what_a_person_said_on_one_kobo_comes_to_the_other_and_not_back(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[500])
    for kobo in (reading.one, reading.two):
        kobo.sync()
    reading.put(reading.two, reading.spans[500])
    reading.put(reading.one, None, **status_info(reading, "ReadyToRead"))
    assert reading.status() == "unread"
    assert reading.pushed(reading.one) == []
    [told] = reading.pushed(reading.two)
    assert told["StatusInfo"]["Status"] == "ReadyToRead"


def test_the_first_page_after_a_download_is_no_news(reading: Reading) -> None:
    """5.6, rule 4: the device reports it as if it were; the stored place is what it is answered with."""
    reading.put(reading.one, reading.spans[900])
    reading.one.take(reading.id)
    reading.put(reading.one, reading.spans[0])
    assert reading.progress().version == 1  # type: ignore[union-attr]
    assert place(reading.get(reading.one)) == at(reading.spans[900])
    reading.one.take(reading.id)
    [state] = reading.pushed(reading.one)
    assert place(state) == at(reading.spans[900])


def test_nothing_is_said_of_a_book_of_which_nothing_is_known(reading: Reading) -> None:
    """An empty state may wipe the place on the device (5.6, rule 1)."""
    assert reading.one.sync() == []
    state = reading.get(reading.one)
    assert state["StatusInfo"]["Status"] == "ReadyToRead" and place(state) is None


def test_an_offer_says_how_far_the_person_is(reading: Reading) -> None:
    reading.put(reading.one, reading.spans[1500])
    third = reading.home.kobo(reading.one.user_id)
    [event] = third.sync()
    state = event["NewEntitlement"]["ReadingState"]
    assert state["StatusInfo"]["Status"] == "Reading" and state["CurrentBookmark"]["ProgressPercent"] > 30
    assert place(state) is None
    assert third.sync() == []
    third.take(reading.id)
    assert place(reading.pushed(third)[0]) == at(reading.spans[1500])


def test_a_place_that_never_arrived_is_told_again(reading: Reading) -> None:
    reading.two.sync()
    reading.put(reading.one, reading.spans[900])
    held = reading.two.token
    reading.two.page()
    reading.two.token = held
    reading.home.clock.forward(hours=1)
    assert len(reading.pushed(reading.two)) == 1


def test_the_same_report_twice_is_one(reading: Reading) -> None:
    state = {"CurrentBookmark": {"LastModified": "2026-03-01T09:30:00Z", "ProgressPercent": 37}}
    reading.put(reading.one, reading.spans[900], **state)
    count = _entries(reading.home)
    for _ in range(2):
        reading.put(reading.one, reading.spans[900], **state)
    assert _entries(reading.home) == count


def test_parts_may_be_missing(reading: Reading) -> None:
    """Never 4xx; what is there is taken, the rest stays (5.4)."""
    reading.put(reading.one, reading.spans[900])
    path = f"/v1/library/{reading.id}/state"
    status = {"EntitlementId": reading.id, "StatusInfo": {"Status": "Reading", "LastModified": reading.stamp()}}
    [result] = reading.one.json("PUT", path, {"ReadingStates": [status]})["UpdateResults"]
    assert result["CurrentBookmarkResult"] == {"Result": "Ignored"}
    assert place(reading.get(reading.one)) == at(reading.spans[900])
    percent = {"EntitlementId": f'"{reading.id}"', "CurrentBookmark": {"ProgressPercent": 0}}
    [result] = reading.one.json("PUT", path, {"ReadingStates": [percent]})["UpdateResults"]
    assert result["CurrentBookmarkResult"] == {"Result": "Success"} and result["EntitlementId"] == reading.id


def test_all_states_of_a_request_and_unknown_books(reading: Reading) -> None:
    states = [{"EntitlementId": UNKNOWN, "StatusInfo": {"Status": "Reading"}}, {"EntitlementId": reading.id}]
    answer = reading.one.json("PUT", f"/v1/library/{UNKNOWN}/state", {"ReadingStates": states})
    assert [result["EntitlementId"] for result in answer["UpdateResults"]] == [UNKNOWN, reading.id]
    [state] = reading.one.json("GET", f"/v1/library/{UNKNOWN}/state")
    assert state["EntitlementId"] == UNKNOWN


def test_a_span_that_the_file_does_not_have_falls_back(reading: Reading) -> None:
    """What a wrong locator means is judged by the core; the device is never told that it was wrong."""
    reading.put(reading.one, Span("OEBPS/nowhere.xhtml", "kobo.1.1", "", 0))
    assert place(reading.get(reading.one)) == ("OEBPS/nowhere.xhtml", "kobo.1.1")
    assert all(place(state) != ("OEBPS/nowhere.xhtml", "kobo.1.1") for state in reading.pushed(reading.two))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "ReadingStates EntitlementId LastModified CurrentBookmark Location Source Value Type ProgressPercent"
                " ContentSourceProgressPercent Statistics SpentReadingMinutes StatusInfo Status x".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_body_can_be_read(value: object) -> None:
    assert isinstance(read_states(value, "id", "2026-03-01T08:00:00Z"), list)
    assert isinstance(read_states({"ReadingStates": [value]}, "id", "2026-03-01T08:00:00Z"), list)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=json_values)
def test_any_body_is_answered(reading: Reading, state: object) -> None:
    reading.home.clock.forward(seconds=1)
    bodies = [state, {"ReadingStates": [state]}]
    if isinstance(state, dict):
        bodies.append({"ReadingStates": [{**state, "EntitlementId": reading.id}]})
    for body in bodies:
        assert reading.one.json("PUT", f"/v1/library/{reading.id}/state", body)["RequestResult"] == "Success"
    reading.get(reading.one)


def test_two_reports_of_one_device_at_once_are_both_kept(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    """It repeats a request that takes long; the second may overtake the first while its place is looked up."""
    statistics = {"LastModified": reading.stamp(), "SpentReadingMinutes": 77}
    locate = state_report._locate

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(state_report, "_locate", locate)
        state = {"EntitlementId": reading.id, "LastModified": reading.stamp(), "Statistics": statistics}
        reading.one.json("PUT", f"/v1/library/{reading.id}/state", {"ReadingStates": [state]})
        return locate(*arguments)

    monkeypatch.setattr(state_report, "_locate", overtaken)
    reading.put(reading.one, reading.spans[900], Statistics=None)
    state = reading.get(reading.one)
    assert place(state) == at(reading.spans[900])
    assert state["Statistics"] == statistics


def test_no_event_for_a_book_taken_off_the_device(reading: Reading) -> None:
    reading.two.call("DELETE", f"/v1/library/{reading.id}")
    reading.put(reading.one, reading.spans[900])
    assert kinds(reading.two.sync()) == []


def _entries(home: Home) -> int:
    with home.database.read() as session:
        return int(session.execute(text("select count(*) from journalentry")).scalar_one())
