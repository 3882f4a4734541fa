"""What a Kobo tells of its use (kobo-protocol.md 8.1): sittings become reading time, everything else is dropped.

A device sends an event until it is accepted, so everything is, but a sitting that could not be written down.
"""

import logging
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from appliance.models import Device
from appliance.reading.sessions.event import Event, kobo_sitting
from appliance.reading.sessions.record import record_events
from kobo_api.call import Answer, Call, answer
from kobo_api.library.entitled import books_called
from kobo_api.wire import read_time, write_time

MAX_EVENTS = 10_000
MAX_ID = 64  # characters of an event's id
_REASON = re.compile(r"[A-Za-z0-9 _.,-]{1,60}")
LONGEST = 24 * 60 * 60  # seconds; more is no sitting

logger = logging.getLogger(__name__)


def tests(call: Call) -> Answer:
    """`/v1/analytics/gettests` → no experiments, under the key that was asked for."""
    given = call.json()
    key = given.get("TestKey") if isinstance(given, dict) else None
    key = key if isinstance(key, str) else call.headers.get("x-kobo-userkey", "")
    return answer({"Result": "Success", "TestKey": key, "Tests": {}})


def events(call: Call) -> Answer:
    """`/v1/analytics/event` `{Events}` → the ids of those that need not come again. Of all kinds only `LeaveContent` is
    kept: a book, when it was left, and how long it was read."""
    given = call.json()
    listed = given.get("Events") if isinstance(given, dict) else None
    listed = listed[:MAX_EVENTS] if isinstance(listed, list) else []
    named = [event for event in listed if isinstance(event, dict) and isinstance(event.get("Id"), str)]
    sittings = {sitting.operation_id: sitting for sitting in _sittings(call, named)}
    refused: set[str | None] = set()
    if sittings:
        try:
            with call.house.database.write() as session:
                caller = call.caller
                record_events(session, caller.user_id, caller.device_id, sittings.values(), call.house.now())
        except SQLAlchemyError:
            # An error would cancel the sync; so these alone are asked for again.
            logger.exception("the reading time of a Kobo could not be written down")
            refused = set(sittings)
    _note_failure(call, named)
    accepted = [event["Id"] for event in named if _operation(event) not in refused]
    return answer({"Result": "Success", "AcceptedEvents": accepted, "RejectedEvents": {}})


def _note_failure(call: Call, events: Iterable[dict[str, Any]]) -> None:
    """Why the device says that a sync failed: the best there is to find out what ails it. Only the last is kept."""
    failed = [event for event in events if str(event.get("EventType")).lower() == "failedsync"]
    if not failed:
        return
    event = max(failed, key=lambda event: str(event.get("Timestamp")))
    at, reason = read_time(event.get("Timestamp")), str(_lowered(event.get("Attributes")).get("reason"))
    told = {"at": write_time(at or call.house.now()), "reason": reason if _REASON.fullmatch(reason) else "unknown"}
    with call.house.database.write() as session:
        device = session.get_one(Device, call.caller.device_id)
        if device.details.get("last_failure") != told:
            device.details = {**device.details, "last_failure": told}


def _sittings(call: Call, events: Iterable[dict[str, Any]]) -> list[Event]:
    left = [event for event in events if str(event.get("EventType")).lower() == "leavecontent"]
    read = [(event, sitting) for event in left if (sitting := _sitting(event)) is not None]
    books = books_called(call.session, call.caller.user_id, {volume for _, (volume, *_) in read})
    return [
        kobo_sitting(books[volume], _operation(event), int(at.timestamp()), seconds, fraction)
        for event, (volume, at, seconds, fraction) in read
        if volume in books
    ]


def _sitting(event: dict[str, Any]) -> tuple[str, datetime, int, float | None] | None:
    """Volume, when it was left, seconds, share of the book; `None` when it does not say."""
    attributes, metrics = _lowered(event.get("Attributes")), _lowered(event.get("Metrics"))
    volume, at = attributes.get("volumeid"), read_time(event.get("Timestamp"))
    seconds, percent = _number(metrics.get("secondsread")), _number(attributes.get("progress"))
    if not isinstance(volume, str) or at is None or at.year < 2000 or seconds is None or not 1 <= seconds <= LONGEST:
        return None
    fraction = percent / 100 if percent is not None and 0 <= percent <= 100 else None
    return volume.lower()[:MAX_ID], at, int(seconds), fraction


def _operation(event: dict[str, Any]) -> str:
    return f"analytics:{event['Id'][:MAX_ID]}"


def _lowered(value: object) -> dict[str, Any]:
    return {str(name).lower(): each for name, each in value.items()} if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    """A number, also where it is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 2**53 else None
