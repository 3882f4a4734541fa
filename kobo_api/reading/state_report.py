"""`PUT /v1/library/{id}/state`: what a Kobo tells of its reading (docs/reference/kobo-protocol.md 5.3, 5.4)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from appliance.models import BookState, Device, KoboDelivery
from appliance.positions import KoboLocator
from appliance.reading.book_state.record import SaidState, record_state
from appliance.reading.progress.locate import UNPLACED, Located, locate, write_kobo
from appliance.reading.progress.record import record
from appliance.reading.progress.report import Act, Outcome, Report
from appliance.reading.turn import take_turn
from kobo_api.call import Answer, Call, answer
from kobo_api.library.book_rows import BookRow
from kobo_api.reading.reading_minutes import note_minutes
from kobo_api.reading.reading_state import TOLD, held
from kobo_api.wire import read_time, whole, write_time

FRESH = timedelta(minutes=10)  # after a download, in which the device reports the first page as if it were news (5.6)
FIRST_PAGE = 300  # canonical characters
SCREEN = 3000  # canonical characters; at most so many stand on the screen before the span that was asked for
MAX_STATES = 500
MAX_TEXT = 2048
STATUSES = {"ReadyToRead": "unread", "Reading": "reading", "Finished": "finished"}

_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_STATE = BookState.__table__  # type: ignore[attr-defined]
_DEVICE = Device.__table__  # type: ignore[attr-defined]
_UPDATE = (
    update(_DELIVERY)
    .where(_DELIVERY.c.device_id == bindparam("device"), _DELIVERY.c.book_id == bindparam("book"))
    .values(reading_state=bindparam("state"), answered_version=bindparam("answered"))
)
# When what the device says is what counts, it need not be told.
_AGREES = (
    update(_DELIVERY)
    .where(
        _DELIVERY.c.device_id == bindparam("device"),
        _DELIVERY.c.book_id == bindparam("book"),
        _STATE.c.book_id == _DELIVERY.c.book_id,
        _STATE.c.status == bindparam("status"),
        _STATE.c.user_id == select(_DEVICE.c.user_id).where(_DEVICE.c.id == _DELIVERY.c.device_id).scalar_subquery(),
    )
    .values(told_state=_STATE.c.version)
)


@dataclass(frozen=True, slots=True)
class Said:
    """One state as the device sent it: the sections that could be read, as they will be given back."""

    id: str
    last_modified: str
    bookmark: dict[str, Any] | None
    statistics: dict[str, Any] | None
    status_info: dict[str, Any] | None

    @property
    def locator(self) -> KoboLocator | None:
        location = (self.bookmark or {}).get("Location")
        return KoboLocator(location["Source"], location["Value"]) if location else None


def put_state(call: Call, id: str) -> Answer:
    """`PUT /v1/library/{id}/state` → `Success` for each section that came, `PriorityTimestamp` an echo of the device's
    own time. Never 4xx: unknown ids and sections are acknowledged. The facts are committed before the answer.
    """
    now = call.house.now()
    said = read_states(call.json(), id, write_time(now))
    found = [(one, row) for one in said if (row := held(call.session, call, one.id)) is not None]
    news = [(one, _locate(call, one, row)) for one, row in found if merged(row.reading_state, one) != row.reading_state]
    if news:
        with call.house.database.write() as session:
            take_turn(session.connection(), call.caller.user_id)
            for one, place in news:
                # Looked at again: another request of the device may have come in between.
                if (row := held(session, call, one.id)) is not None:
                    _record(call, session, one, row, place, now)
    return answer({"RequestResult": "Success", "UpdateResults": [_result(one) for one in said]})


def read_states(value: object, id: str, now: str) -> list[Said]:
    """The states of a request body, whatever it holds. `id`: of the URL, for a state that names none."""
    listed = value.get("ReadingStates") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        return []
    return [_read_state(state, id, now) for state in listed[:MAX_STATES] if isinstance(state, dict)]


def merged(stored: str | None, said: Said) -> str:
    """What the device said of a book in all, as it is stored: each section as it came last. The order of receipt
    decides, not the clock: for its own state a device is always right, also after its clock was reset."""
    state = msgspec.json.decode(stored) if stored else {}
    if state.get("LastModified") != said.last_modified:
        state.pop(TOLD, None)
    state["LastModified"] = said.last_modified
    if said.bookmark is not None:
        state["CurrentBookmark"] = said.bookmark
    if said.statistics is not None:
        state["Statistics"] = said.statistics
    if said.status_info is not None:
        times = (state.get("StatusInfo") or {}).get("TimesStartedReading", 0)
        starts = said.status_info["Status"] == "Reading" and (state.get("StatusInfo") or {}).get("Status") != "Reading"
        state["StatusInfo"] = {**said.status_info, "TimesStartedReading": times + starts}
    return msgspec.json.encode(state, order="sorted").decode()


def _locate(call: Call, said: Said, row: BookRow) -> Located | None:
    """The place that a state names, in the file that this very device holds (5.5); `None` when it names none.

    A finished book is reported with the first document as its place: that is a status, not a position (5.3).
    """
    locator = said.locator
    if row.sha256 is None or said.bookmark is None or _status(said) == "finished":
        return None
    percent = said.bookmark.get("ProgressPercent")
    if locator is None and percent is None:
        return None
    return locate(
        call.house,
        call.session,
        row.book_id,
        row.sha256,
        "kobo",
        write_kobo(locator) if locator else "",
        percent / 100 if percent is not None else None,
        chapter_percent=said.bookmark.get("ContentSourceProgressPercent"),
    )


def _record(call: Call, session: Session, said: Said, row: BookRow, located: Located | None, now: datetime) -> None:
    answered = row.answered_version
    stored = msgspec.json.decode(row.reading_state) if row.reading_state else {}
    bookmark_is_new = said.bookmark is not None and said.bookmark != stored.get("CurrentBookmark")
    status = _status(said)
    status_before = (stored.get("StatusInfo") or {}).get("Status")
    status_is_new = status is not None and status != STATUSES.get(str(status_before))
    if (bookmark_is_new and located is not None) or (status == "finished" and status_is_new):
        act = Act.OPENED if _is_fresh(row, located, now) else Act.UNKNOWN
        outcome = record(session, _report(call, said, row, located or UNPLACED, act, now))
        answered = _answered(outcome, row, act)
    if status is not None and status_is_new:
        was_begun = status_before not in (None, "ReadyToRead")
        record_state(session, _said_state(call, said, row, status, now, was_begun=was_begun))
        session.connection().execute(_AGREES, {"device": call.caller.device_id, "book": row.book_id, "status": status})
    minutes = (said.statistics or {}).get("SpentReadingMinutes")
    minutes_before = (stored.get("Statistics") or {}).get("SpentReadingMinutes")  # repeated with every state
    if said.statistics is not None and minutes not in (None, minutes_before):
        at = read_time(said.statistics["LastModified"]) or now
        note_minutes(session, call.caller, row.book_id, minutes, at, now)
    session.connection().execute(
        _UPDATE,
        {
            "device": call.caller.device_id,
            "book": row.book_id,
            "state": merged(row.reading_state, said),
            "answered": answered,
        },
    )


def _said_state(call: Call, said: Said, row: BookRow, status: str, now: datetime, *, was_begun: bool) -> SaidState:
    """A Kobo says `Reading` when a book is opened and `Finished` at its end by itself, so both only follow from reading
    and never override what a person set. `ReadyToRead` after another status is “Mark as unread”, but for a moment after
    a download, in which every device says it (5.6)."""
    by_hand = status == "unread" and was_begun and not _was_just_downloaded(row, now)
    assert said.status_info is not None
    return SaidState(
        user_id=call.caller.user_id,
        device_id=call.caller.device_id,
        book_id=row.book_id,
        fields={"status": status},
        received_at=now,
        changed_at=read_time(said.status_info["LastModified"]),
        by="person" if by_hand else "automatic",
    )


def _was_just_downloaded(row: BookRow, now: datetime) -> bool:
    downloaded = row.downloaded_at or row.began_at
    return downloaded is not None and now - downloaded <= FRESH


def _report(call: Call, said: Said, row: BookRow, located: Located, act: Act, now: datetime) -> Report:
    bookmark = said.bookmark or {}
    percent = bookmark.get("ProgressPercent")
    locator = said.locator
    return Report(
        user_id=call.caller.user_id,
        device_id=call.caller.device_id,
        received_at=now,
        dialect="kobo",
        locator=write_kobo(locator) if locator else "",
        place=located.place,
        book_id=row.book_id,
        sha256=row.sha256,
        reference_sha256=located.reference_sha256,
        percent=percent / 100 if percent is not None else None,
        claimed_at=read_time(bookmark.get("LastModified") or said.last_modified),
        act=act,
        reading_status=_status(said),
        based_on=max((v for v in (row.given_version, row.answered_version) if v is not None), default=None),
        slack=SCREEN,
        error=located.error,
        fraction=located.fraction,
        is_aside=located.is_aside,
        operation_id=_operation(said, row.book_id),
    )


def _is_fresh(row: BookRow, located: Located | None, now: datetime) -> bool:
    """Whether this is the first page that every device reports when a book was just downloaded (5.6, rule 4)."""
    if not _was_just_downloaded(row, now) or located is None or located.place.tick is None:
        return False
    known = (row.fraction or 0.0) * located.place.total
    return located.place.tick <= FIRST_PAGE < known


def _answered(outcome: Outcome, row: BookRow, act: Act) -> int | None:
    """The newest `Progress.version` that the device has taken into account with this report."""
    if outcome.kind in ("current", "echo"):
        return outcome.version
    # It was told, and reads elsewhere all the same: its decision stands until somebody moves on.
    version: int | None = row.answered_version if act is Act.OPENED or row.given_version is None else row.given_version
    return version


def _operation(said: Said, book_id: str) -> str:
    content = msgspec.json.encode([book_id, said.bookmark, said.status_info], order="sorted")
    return "kobo:" + hashlib.blake2b(content, digest_size=16).hexdigest()


def _status(said: Said) -> str | None:
    return STATUSES.get(said.status_info["Status"]) if said.status_info else None


def _result(said: Said) -> dict[str, Any]:
    def result(section: object) -> dict[str, str]:
        return {"Result": "Ignored" if section is None else "Success"}

    return {
        "CurrentBookmarkResult": result(said.bookmark),
        "EntitlementId": said.id,
        "LastModified": said.last_modified,
        "PriorityTimestamp": said.last_modified,
        "StatisticsResult": result(said.statistics),
        "StatusInfoResult": result(said.status_info),
    }


def _read_state(state: dict[Any, Any], id: str, now: str) -> Said:
    named = state.get("EntitlementId")
    sections = (state.get(name) for name in ("CurrentBookmark", "Statistics", "StatusInfo"))
    bookmark, statistics, status_info = (section if isinstance(section, dict) else None for section in sections)
    last_modified = _time(state) or max(
        (time for section in (bookmark, statistics, status_info) if section and (time := _time(section))), default=now
    )
    return Said(
        id=named.strip('"').lower()[:64] if isinstance(named, str) and named else id,
        last_modified=last_modified,
        bookmark=_read_bookmark(bookmark, last_modified) if bookmark else None,
        statistics=_read_numbers(statistics, last_modified) if statistics else None,
        status_info=_read_status(status_info, last_modified) if status_info else None,
    )


def _read_bookmark(section: dict[Any, Any], last_modified: str) -> dict[str, Any] | None:
    bookmark: dict[str, Any] = {"LastModified": _time(section) or last_modified}
    for name in ("ContentSourceProgressPercent", "ProgressPercent"):
        number = whole(section.get(name))
        if number is not None:
            bookmark[name] = number
    location = section.get("Location")
    if isinstance(location, dict):
        source, value = location.get("Source"), location.get("Value")
        if isinstance(source, str) and isinstance(value, str) and max(len(source), len(value)) <= MAX_TEXT:
            bookmark["Location"] = {"Source": source, "Type": "KoboSpan", "Value": value}
    return bookmark if len(bookmark) > 1 else None


def _read_numbers(section: dict[Any, Any], last_modified: str) -> dict[str, Any]:
    numbers = {
        name: value
        for name in ("RemainingTimeMinutes", "SpentReadingMinutes")
        if isinstance(value := section.get(name), int) and not isinstance(value, bool) and 0 <= value < 2**31
    }
    return {"LastModified": _time(section) or last_modified, **numbers}


def _read_status(section: dict[Any, Any], last_modified: str) -> dict[str, Any] | None:
    status = section.get("Status")
    if not isinstance(status, str) or status not in STATUSES:
        return None
    times = {name: time for name in ("LastTimeStartedReading", "LastTimeFinished") if (time := _time(section, name))}
    return {"LastModified": _time(section) or last_modified, "Status": status, **times}


def _time(section: dict[Any, Any], name: str = "LastModified") -> str | None:
    time = read_time(section.get(name))
    return write_time(time) if time is not None and time.year >= 1000 else None
