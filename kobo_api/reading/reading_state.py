"""Reading states as a Kobo is given them (docs/reference/kobo-protocol.md 5.2, 5.4, 5.6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from appliance.models import BookState, Device, KoboDelivery, KoboEntitlement, Progress
from appliance.positions.fraction import whole_percent
from appliance.reading.progress.locate import write_kobo
from appliance.reading.progress.projection import Projected, project
from appliance.reading.progress.record import note_given
from appliance.reading.turn import take_turn_of
from kobo_api.call import Answer, Call, answer
from kobo_api.library.book_rows import BookRow
from kobo_api.wire import CurrentBookmark, Location, ReadingState, StatusInfo, read_time, write_time

TOLD = "Told"
STATUSES = {"unread": "ReadyToRead", "reading": "Reading", "finished": "Finished", "abandoned": "Reading"}
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_ENTITLEMENT = KoboEntitlement.__table__  # type: ignore[attr-defined]
_PROGRESS = Progress.__table__  # type: ignore[attr-defined]
_STATE = BookState.__table__  # type: ignore[attr-defined]
_STATE_NOW = (
    select(_STATE.c.version)
    .join(Device, Device.user_id == _STATE.c.user_id)
    .where(Device.id == _DELIVERY.c.device_id, _STATE.c.book_id == _DELIVERY.c.book_id)
    .scalar_subquery()
)
_HELD = (
    select(
        _ENTITLEMENT.c.id,
        _ENTITLEMENT.c.book_id,
        _ENTITLEMENT.c.created_at,
        _DELIVERY.c.sha256,
        _DELIVERY.c.began_at,
        _DELIVERY.c.downloaded_at,
        _DELIVERY.c.reading_state,
        _DELIVERY.c.given_version,
        _DELIVERY.c.answered_version,
        _PROGRESS.c.version,
        _STATE.c.status,
        _STATE.c.versions,
        _STATE.c.times,
        _DELIVERY.c.told_state,
        _PROGRESS.c.fraction,
        _PROGRESS.c.activity_at,
    )
    .select_from(
        _ENTITLEMENT.join(
            _DELIVERY,
            (_DELIVERY.c.device_id == bindparam("device")) & (_DELIVERY.c.book_id == _ENTITLEMENT.c.book_id),
        )
        .outerjoin(
            _PROGRESS,
            (_PROGRESS.c.user_id == _ENTITLEMENT.c.user_id) & (_PROGRESS.c.book_id == _ENTITLEMENT.c.book_id),
        )
        .outerjoin(_STATE, (_STATE.c.user_id == _ENTITLEMENT.c.user_id) & (_STATE.c.book_id == _ENTITLEMENT.c.book_id))
    )
    .where(_ENTITLEMENT.c.id == bindparam("entitlement"), _ENTITLEMENT.c.user_id == bindparam("user"))
)


def get_state(call: Call, id: str) -> Answer:
    """`GET /v1/library/{id}/state` → an array with one state, also for a book of which nothing is known (5.2).

    A device that has taken into account what it was told gets back what it said itself, with its own times: any newer
    stamp would ask “Sync to last page read?” at every wake-up (5.4).
    """
    row = held(call.session, call, id)
    if row is None:
        return answer([unknown_state(id, call.house.now())])
    said = msgspec.json.decode(row.reading_state) if row.reading_state else None
    if row.version is None or row.version == row.answered_version:
        if said and (status := told_status(row)):
            return answer([restated(id, row.created_at, row, status, announced=False)])
        return answer([said_state(id, row.created_at, said) if said else first_state(id, row.created_at, row)])
    if row.sha256 is None:
        return answer([first_state(id, row.created_at, row)])
    projected = project(call.house, call.session, call.caller.user_id, row.book_id, row.sha256, "kobo")
    if projected is None:
        return answer([first_state(id, row.created_at, row)])
    if row.given_version != projected.version:
        with call.house.database.write() as session:
            note_told(session, call.caller.device_id, row.book_id, projected.version, projected, call.house.now(), None)
    return answer([moved_state(id, row.created_at, row, projected)])


def held(session: Session, call: Call, id: str) -> BookRow | None:
    """What the ledger and the reading record have of the book that the device calls `id`; `None` if it was never
    offered to this device."""
    ids = {"device": call.caller.device_id, "user": call.caller.user_id, "entitlement": id}
    return session.connection().execute(_HELD, ids).first()


def unknown_state(id: str, now: datetime) -> ReadingState:
    """For a book that is not ours: an error would cancel the sync."""
    return _empty(id, write_time(now))


def first_state(id: str, created: datetime, row: BookRow) -> ReadingState:
    """The state for a book whose file the device does not hold: how far somebody is, without a place in a file."""
    if row.fraction is None or row.activity_at is None:
        return _empty(id, write_time(created))
    stamp = write_time(row.activity_at)
    finished = row.status == "finished"
    return ReadingState(
        created=write_time(created),
        current_bookmark=CurrentBookmark(stamp, progress_percent=100 if finished else unfinished(row.fraction)),
        entitlement_id=id,
        last_modified=stamp,
        priority_timestamp=stamp,
        statistics={"LastModified": stamp},
        status_info=StatusInfo(stamp, STATUSES[row.status or "unread"], 1),
    )


def said_state(id: str, created: datetime, said: dict[str, Any]) -> ReadingState:
    """What the device said itself, section by section, with its own times."""
    stamp = said["LastModified"]
    return ReadingState(
        created=write_time(created),
        current_bookmark=said.get("CurrentBookmark") or {"LastModified": stamp},
        entitlement_id=id,
        last_modified=stamp,
        priority_timestamp=stamp,
        statistics=said.get("Statistics") or {"LastModified": stamp},
        status_info=said.get("StatusInfo") or StatusInfo(stamp, "Reading", 1),
    )


def moved_state(id: str, created: datetime, row: BookRow, projected: Projected) -> ReadingState:
    """Where another device has read on, in the coordinates of the file that this one holds. `row`: what the ledger has.

    Only a real span moves the reader (5.6), and only a stamp newer than the device's own makes it look.
    """
    said = msgspec.json.decode(row.reading_state) if row.reading_state else {}
    stamp = _newer(said, projected.activity_at, max(projected.version - (row.answered_version or 0), 1))
    encoded = projected.encoded
    location = Location(encoded.locator.source, encoded.locator.value) if encoded.locator else UNSET
    percent = min(encoded.book_percent, 99) if encoded.locator else unfinished(projected.fraction)
    return ReadingState(
        created=write_time(created),
        current_bookmark=CurrentBookmark(
            last_modified=stamp,
            content_source_progress_percent=encoded.content_percent if encoded.locator else UNSET,
            location=location,
            progress_percent=100 if projected.status == "finished" else percent,
        ),
        entitlement_id=id,
        last_modified=stamp,
        priority_timestamp=stamp,
        statistics=said.get("Statistics") or {"LastModified": stamp},
        status_info=StatusInfo(stamp, STATUSES[projected.status], 1),
    )


def told_status(row: BookRow) -> str | None:
    """The status that a device has yet to be told, as it spells it; `None` when what changed is not that, or is as the
    device says itself. `row`: of `book_rows.restated` or `held`."""
    if row.status is None or row.versions.get("status", 0) <= (row.told_state or 0):
        return None
    said = msgspec.json.decode(row.reading_state) if row.reading_state else {}
    status = STATUSES[row.status]
    if TOLD in said or (row.given_version or 0) > (row.answered_version or 0):
        return status  # it may show what it was told since
    return status if status != (said.get("StatusInfo") or {"Status": "ReadyToRead"})["Status"] else None


def restated(id: str, created: datetime, row: BookRow, status: str, *, announced: bool) -> ReadingState:
    """What the device said itself, but with a status that a person set elsewhere. `announced`: with a newer stamp, as a
    sync must have it to be looked at; without, as the answer to a book that is opened, it asks its owner nothing."""
    said = msgspec.json.decode(row.reading_state) if row.reading_state else {}
    at = datetime.fromisoformat(row.times["status"]) if "status" in row.times else created
    stamp = _newer(said, at, max((row.version or 0) - (row.answered_version or 0), 0) + 1)
    times = (said.get("StatusInfo") or {}).get("TimesStartedReading", 0)
    state = said_state(id, created, {"LastModified": stamp, **({} if announced else said)})
    return msgspec.structs.replace(
        state,
        current_bookmark=said.get("CurrentBookmark") or {"LastModified": stamp},
        statistics=said.get("Statistics") or {"LastModified": stamp},
        status_info=StatusInfo(stamp, status, times or (0 if status == "ReadyToRead" else 1)),
    )


def with_told(reading_state: str | None, stamp: str) -> str | None:
    """What the device said, with the stamp of the status that it is told now: the next must be newer. `None` for a
    device that said nothing yet, whose clock is not known either."""
    said = msgspec.json.decode(reading_state) if reading_state else None
    return msgspec.json.encode({**said, TOLD: stamp}, order="sorted").decode() if said else None


def _newer(said: dict[str, Any], at: datetime, steps: int) -> str:
    """The stamp of something that happened `at`: newer than what the device said, and than a status it was told since,
    though its clock may run ahead of ours. `steps`: what was told since it last spoke, this included; so that each
    stamp is newer than the one before, and the same thing has the same stamp each time it is given."""
    times = [time for name in ("LastModified", TOLD) if (time := read_time(said.get(name))) is not None]
    latest = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)
    newer = min(max(times) + timedelta(seconds=steps), latest) if times else at
    return write_time(max(at.replace(microsecond=0), newer))


def unfinished(share: float) -> int:
    """Whole percents of a book that nobody has finished: 100 would say so (positions.md C.7)."""
    return min(whole_percent(share), 99)


def note_told(
    session: Session,
    device_id: int,
    book_id: str,
    version: int,
    projected: Projected | None,
    now: datetime,
    checkpoint: int | None,
) -> None:
    """Remember what the device was told, so that it is not told again and its echo is recognised."""
    take_turn_of(session.connection(), device_id)
    session.connection().execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.device_id == device_id, _DELIVERY.c.book_id == book_id)
        .values(given_version=version, given_in=checkpoint, told_state=_STATE_NOW)
    )
    if projected is None or projected.encoded.locator is None:
        return
    locator = write_kobo(projected.encoded.locator)
    note_given(session, device_id, book_id, version, locator, projected.echo_tick, now)


def _empty(id: str, stamp: str) -> ReadingState:
    return ReadingState(
        created=stamp,
        current_bookmark=CurrentBookmark(stamp),
        entitlement_id=id,
        last_modified=stamp,
        priority_timestamp=stamp,
        statistics={"LastModified": stamp},
        status_info=StatusInfo(stamp, "ReadyToRead", 0),
    )
