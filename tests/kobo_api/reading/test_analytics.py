"""Reading time from what a Kobo tells of its use (kobo-protocol.md 8.1)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from appliance.models import Book, KoboEntitlement, ReadingEvent, ReadingSession
from tests.kobo_api.conftest import Desk, Home


def left(volume: str, id: str = "3f3e2d1c", seconds: Any = 1260, **values: Any) -> dict[str, Any]:
    return {
        "Id": id,
        "EventType": "LeaveContent",
        "Timestamp": "2026-02-28T18:04:31Z",
        "Attributes": {"volumeid": volume, "progress": "37"},
        "Metrics": {"SecondsRead": seconds},
    } | values


def entitlement(home: Home, kobo: Desk, book_id: str) -> str:
    kobo.sync()
    with home.database.read() as session:
        query = select(KoboEntitlement.id).where(
            KoboEntitlement.user_id == kobo.user_id, KoboEntitlement.book_id == book_id
        )
        return session.exec(query).one()


def sessions(home: Home) -> list[ReadingSession]:
    with home.database.read() as session:
        return list(session.exec(select(ReadingSession)))


def send(kobo: Desk, *events: Any) -> list[str]:
    return kobo.json("POST", "/v1/analytics/event", {"DeviceId": "x", "Events": list(events)})["AcceptedEvents"]


def test_a_sitting_becomes_a_session(home: Home, kobo: Desk) -> None:
    (book_id,) = home.put_books(1)
    event = left(entitlement(home, kobo, book_id).upper())
    assert send(kobo, event) == send(kobo, event, event)[:1] == ["3f3e2d1c"]
    (read,) = sessions(home)
    assert (read.book_id, read.seconds, read.estimated, read.devices) == (book_id, 1260, 0, [kobo.device_id])
    assert read.ended_at.isoformat() == "2026-02-28T18:04:31+00:00" and read.end_fraction == 0.37


def test_everything_else_is_accepted_and_dropped(home: Home, kobo: Desk) -> None:
    (book_id,) = home.put_books(1)
    id = entitlement(home, kobo, book_id)
    odd = [
        left("0f4c8b67-2b1e-4c83-9a4e-6cf1d6a90e03", "of the shop"),
        left("file:///mnt/onboard/x.epub", "copied"),
        left(id, "nothing", 0),
        left(id, "days", 10**6),
        left(id, "text", "12 minutes"),
        left(id, "none", None),
        left(id, "list", [1]),
        left(id, "huge", 10**400),
        left(id, "no time", Timestamp="yesterday"),
        left(id, "year 1", Timestamp="0001-01-01T00:00:00Z"),
        left(id, "no metrics", Metrics=3),
        left(id, "no attributes", Attributes=None),
        left(id, "opened", EventType="OpenContent"),
        left(id, "failed", EventType="FailedSync"),
        left(id, "no kind", EventType=None),
    ]
    assert send(kobo, *odd, {"Id": 3}, None) == [event["Id"] for event in odd]
    with home.database.read() as session:
        assert session.exec(select(ReadingEvent)).all() == []


def test_odd_spellings_are_read(home: Home, kobo: Desk) -> None:
    (book_id,) = home.put_books(1)
    id = entitlement(home, kobo, book_id)
    event = left(id, EventType="leavecontent", Attributes={"VolumeId": id}, Metrics={"secondsRead": "90.0"})
    send(kobo, event)
    assert [(read.seconds, read.end_fraction) for read in sessions(home)] == [(90, None)]


def test_another_persons_book_is_not_theirs(home: Home, kobo: Desk) -> None:
    (book_id,) = home.put_books(1)
    id = entitlement(home, kobo, book_id)
    stranger = home.kobo(home.person("Ben"))
    assert send(stranger, left(id)) == ["3f3e2d1c"] and not sessions(home)


def test_what_cannot_be_written_comes_again(home: Home, kobo: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error would cancel the whole sync (8)."""
    (book_id,) = home.put_books(1)
    id = entitlement(home, kobo, book_id)

    def fail(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr("kobo_api.reading.analytics.record_events", fail)
        assert send(kobo, left(id), left(id, "other", EventType="OpenContent")) == ["other"]
    assert send(kobo, left(id)) == ["3f3e2d1c"] and len(sessions(home)) == 1


def counter(id: str, minutes: int, at: str) -> dict[str, Any]:
    statistics = {"LastModified": at, "RemainingTimeMinutes": 60, "SpentReadingMinutes": minutes}
    return {"ReadingStates": [{"EntitlementId": id, "LastModified": at, "Statistics": statistics}]}


def test_the_counter_fills_what_the_sittings_leave_open(home: Home, kobo: Desk) -> None:
    """Both tell of the same minutes; they count once (BO #1182)."""
    home.import_books("minimal-v2.epub")
    with home.database.read() as session:
        (book_id,) = session.exec(select(Book.id)).all()
    id = entitlement(home, kobo, book_id)
    kobo.take(id)
    home.clock.forward(hours=5)
    kobo.json("PUT", f"/v1/library/{id}/state", counter(id, 30, "2026-03-01T11:00:00Z"))
    assert [(read.seconds, read.estimated) for read in sessions(home)] == [(1800, 1800)]
    send(kobo, left(id, seconds=1500, Timestamp="2026-03-01T10:59:00Z"))
    assert [(read.seconds, read.estimated) for read in sessions(home)] == [(1800, 300)]
    for _ in range(2):
        kobo.json("PUT", f"/v1/library/{id}/state", counter(id, 40, "2026-03-01T12:00:00Z"))
    kobo.take(id)  # once more: the device goes on counting where it was
    home.clock.forward(hours=5)
    kobo.json("PUT", f"/v1/library/{id}/state", counter(id, 41, "2026-03-01T17:00:00Z"))
    assert sum(read.seconds for read in sessions(home)) == 41 * 60


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Id",
                    "EventType",
                    "Timestamp",
                    "Attributes",
                    "Metrics",
                    "volumeid",
                    "SecondsRead",
                    "progress",
                    "reason",
                ]
            ),
            inner | st.sampled_from(["LeaveContent", "FailedSync", "2026-03-01T08:00:00Z", "60"]),
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(events=st.lists(JSON, max_size=4))
def test_whatever_a_device_sends_is_answered(home: Home, kobo: Desk, events: list[Any]) -> None:
    body = json.dumps({"Events": events})
    named = [event["Id"] for event in events if isinstance(event, dict) and isinstance(event.get("Id"), str)]
    # Python writes numbers that are none, and these are no JSON.
    expected = [] if "NaN" in body or "Infinity" in body else named
    answer = kobo.json("POST", "/v1/analytics/event", body.encode())
    assert answer == {"Result": "Success", "AcceptedEvents": expected, "RejectedEvents": {}}
