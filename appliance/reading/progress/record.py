"""Progress: facts are appended first, the current position is derived.

`record` is the only way in, `projection` the only way out. The rule itself is in `rule`; this is its thin transaction.
Written with SQLAlchemy Core, because a small machine runs it for every page-turn report.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlmodel import Session

from appliance.models import BookState, Device, DeviceProgress, JournalEntry, Progress
from appliance.reading.book_state.record import Effect, follow_status
from appliance.reading.feed import take_versions
from appliance.reading.progress.report import Act, Outcome, Report
from appliance.reading.progress.rule import BURST, Decision, Given, Known, Said, activity_time, decide, fraction_of
from appliance.reading.turn import take_turn, take_turn_of

_PROGRESS = Progress.__table__  # type: ignore[attr-defined]
_JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]
_DEVICE_PROGRESS = DeviceProgress.__table__  # type: ignore[attr-defined]
_DEVICE = Device.__table__  # type: ignore[attr-defined]
_STATE = BookState.__table__  # type: ignore[attr-defined]

_SELECT_KNOWN = (
    select(
        _PROGRESS.c.version,
        _PROGRESS.c.epoch,
        func.coalesce(_STATE.c.status, "unread").label("status"),
        _PROGRESS.c.activity_at,
        _PROGRESS.c.tick,
        _PROGRESS.c.fraction,
        _JOURNAL.c.device_id,
    )
    .select_from(
        _PROGRESS.join(_JOURNAL, _JOURNAL.c.id == _PROGRESS.c.entry_id).outerjoin(
            _STATE, (_STATE.c.user_id == _PROGRESS.c.user_id) & (_STATE.c.book_id == _PROGRESS.c.book_id)
        )
    )
    .where(_PROGRESS.c.user_id == bindparam("user_id"), _PROGRESS.c.book_id == bindparam("book_id"))
)
# The row of the device itself, and that of the KOSync login it uses: a GET of that protocol does not say which of the
# devices behind a login asks, so what was given is remembered for the login (koreader.md 1.1).
_SELECT_SAID = (
    select(
        _DEVICE_PROGRESS.c.device_id,
        _DEVICE_PROGRESS.c.given_locator,
        _DEVICE_PROGRESS.c.given_tick,
        _JOURNAL.c.tick,
        _JOURNAL.c.total,
        _JOURNAL.c.fraction,
        _JOURNAL.c.epoch,
        _JOURNAL.c.locator,
        _JOURNAL.c.sha256,
        _JOURNAL.c.reference_sha256,
        _JOURNAL.c.received_at,
        _JOURNAL.c.outcome,
        _JOURNAL.c.reason,
        _JOURNAL.c.reading_status,
    )
    .select_from(_DEVICE_PROGRESS.outerjoin(_JOURNAL, _JOURNAL.c.id == _DEVICE_PROGRESS.c.reported_entry_id))
    .where(
        _DEVICE_PROGRESS.c.book_id == bindparam("book_id"),
        _DEVICE_PROGRESS.c.device_id.in_(
            [
                bindparam("device_id"),
                select(_DEVICE.c.parent_id).where(_DEVICE.c.id == bindparam("device_id")).scalar_subquery(),
            ]
        ),
    )
)
_SELECT_LAST = (
    select(_JOURNAL.c.received_at)
    .where(_JOURNAL.c.device_id == bindparam("device_id"))
    .order_by(_JOURNAL.c.id.desc())
    .limit(1)
)
_SELECT_OPERATION = select(_JOURNAL.c.id).where(
    _JOURNAL.c.device_id == bindparam("device_id"), _JOURNAL.c.operation_id == bindparam("operation_id")
)
_INSERT_ENTRY = insert(_JOURNAL).returning(_JOURNAL.c.id)
_THIS_DEVICE = (
    _DEVICE_PROGRESS.c.device_id == bindparam("this_device"),
    _DEVICE_PROGRESS.c.book_id == bindparam("this_book"),
)
_UPDATE_SAID = update(_DEVICE_PROGRESS).where(*_THIS_DEVICE).values(reported_entry_id=bindparam("entry_id"))
_INSERT_SAID = insert(_DEVICE_PROGRESS).values(
    device_id=bindparam("this_device"), book_id=bindparam("this_book"), reported_entry_id=bindparam("entry_id")
)
_FORGET_GIVEN = update(_DEVICE_PROGRESS).where(*_THIS_DEVICE).values(given_locator=None, given_tick=None)
_UPDATE_PROGRESS = update(_PROGRESS).where(
    _PROGRESS.c.user_id == bindparam("this_user"), _PROGRESS.c.book_id == bindparam("this_book")
)


def record(session: Session, report: Report) -> Outcome:
    """Append the report to the journal and derive what is current. The caller's transaction commits both or none."""
    connection = session.connection()
    take_turn(connection, report.user_id)
    ids = {"user_id": report.user_id, "book_id": report.book_id, "device_id": report.device_id}
    known = _known(connection.execute(_SELECT_KNOWN, ids).first()) if report.book_id else None
    if report.operation_id is not None:
        done = connection.execute(_SELECT_OPERATION, {**ids, "operation_id": report.operation_id}).first()
        if done is not None:
            return Outcome("duplicate", "same-operation", done.id, known.version if known else None)
    rows = connection.execute(_SELECT_SAID, ids).all() if report.book_id else ()
    own = next((row for row in rows if row.device_id == report.device_id), None)
    given = next((Given(row.given_locator, row.given_tick) for row in rows if row.given_locator is not None), None)
    said = _said(own, report)
    decision = decide(report, known, said, given, burst=_is_burst(connection, report))
    effects = _effects(connection, report, decision, known) if decision.kind == "current" else []
    entry = {**_entry(report, decision, known, said), "effects": effects}
    entry_id = int(connection.execute(_INSERT_ENTRY, entry).scalar_one())
    version = known.version if known else None
    # An echo is not something the device said of its own: what it was given stays what it was given. Where it came to
    # the current place by itself, it did say so.
    if report.book_id is not None and (decision.kind != "echo" or decision.reason == "as-current"):
        this = {"this_device": report.device_id, "this_book": report.book_id}
        connection.execute(_UPDATE_SAID if own else _INSERT_SAID, {**this, "entry_id": entry_id})
        # What a device was given stops being what it shows as soon as it says something of its own; not by what comes
        # late, from before it was given anything.
        for row in rows if decision.reason != "older-activity" else ():
            if row.given_locator is not None:
                connection.execute(_FORGET_GIVEN, {**this, "this_device": row.device_id})
        if decision.kind == "current":
            version = _move(connection, report, decision, entry_id, known, effects[0]["version"])
    return Outcome(decision.kind, decision.reason, entry_id, version)


def note_given(
    session: Session, device_id: int, book_id: str, version: int, locator: str, tick: int | None, at: datetime
) -> None:
    """Remember what a device was told, so that its echo is recognised (positions.md C.8 rule 2).

    `tick`: of the place that the device will report when it repeats `locator`, in the reference rendition.
    """
    connection = session.connection()
    take_turn_of(connection, device_id)
    values = {"given_version": version, "given_locator": locator, "given_tick": tick, "given_at": at}
    table = _DEVICE_PROGRESS
    changed = connection.execute(
        update(table).where(table.c.device_id == device_id, table.c.book_id == book_id).values(values)
    )
    if not changed.rowcount:
        connection.execute(insert(table), {"device_id": device_id, "book_id": book_id, **values})


def _known(row: Any) -> Known | None:
    if row is None:
        return None
    return Known(row.version, row.epoch, row.status, row.activity_at, row.tick, row.fraction or 0.0, row.device_id)


def _said(row: Any, report: Report) -> Said | None:
    if row is None or row.received_at is None:
        return None
    tick: int | None = row.tick
    share = tick / row.total if tick is not None and row.total else None
    if share is not None and row.reference_sha256 != report.reference_sha256:
        # Counted in a file that has been replaced since.
        is_repeated = (row.locator, row.sha256) == (report.locator, report.sha256)
        tick = report.place.tick if is_repeated else round(share * report.place.total)
    fraction = row.fraction if row.fraction is not None else share
    return Said(tick, fraction, row.received_at, row.outcome, row.reason, row.reading_status, row.epoch)


def _is_burst(connection: Connection, report: Report) -> bool:
    """Only a client without a clock is judged by the pace of its reports, whatever book they are about."""
    if report.claimed_at is not None or report.act is not Act.UNKNOWN:
        return False
    last = connection.execute(_SELECT_LAST, {"device_id": report.device_id}).first()
    return last is not None and abs(report.received_at - last.received_at) < BURST


def _entry(report: Report, decision: Decision, known: Known | None, said: Said | None) -> dict[str, object]:
    place, position = report.place, report.place.position
    # What did not count does not make a device part of a reading that it has not heard of.
    epoch = decision.epoch if decision.kind == "current" else said.epoch if said else known.epoch if known else 1
    return {
        "user_id": report.user_id,
        "book_id": report.book_id,
        "device_id": report.device_id,
        "kind": "progress",
        "operation_id": report.operation_id,
        "received_at": report.received_at,
        "claimed_at": report.claimed_at,
        "skew": round(report.skew.total_seconds()) if report.skew is not None else None,
        "asked_for": report.asked_for,
        "sha256": report.sha256,
        "dialect": report.dialect,
        "locator": report.locator,
        "percent": report.percent,
        "reference_sha256": report.reference_sha256,
        "document": position.document if position else None,
        "occurrence": position.occurrence if position else 0,
        "k": position.k if position else None,
        "tick": place.tick,
        "total": place.total,
        "fraction": fraction_of(report, known) if position is not None else None,
        "epoch": epoch,
        "place_status": place.status.value,
        "place_reason": str(place.reason),
        "reading_status": report.reading_status,
        "payload": {"entry": report.of_entry} if report.of_entry is not None else None,
        "outcome": decision.kind,
        "reason": decision.reason,
    }


def _effects(connection: Connection, report: Report, decision: Decision, known: Known | None) -> list[Effect]:
    """What the journal keeps of a move, so that the current position can be derived again: first the move itself."""
    user_id, book_id = report.user_id, str(report.book_id)
    effects: list[Effect] = [{"do": "move", "version": take_versions(connection, user_id, 1), "epoch": decision.epoch}]
    if report.placed_at is not None:
        effects[0]["updated_at"] = report.placed_at.isoformat()
    if known is None or decision.status != known.status:
        starts_over = known is not None and decision.epoch > known.epoch
        at = activity_time(report)
        takes_back = report.of_entry is not None
        followed = follow_status(
            connection, user_id, book_id, decision.status, at, starts_over=starts_over, takes_back=takes_back
        )
        effects += [followed] if followed is not None else []
    return effects


def _move(
    connection: Connection, report: Report, decision: Decision, entry_id: int, known: Known | None, feed_version: int
) -> int:
    """Write the new current position; returns its version, which follows the one before."""
    user_id, book_id = report.user_id, report.book_id
    version = known.version + 1 if known else 1
    values: dict[str, object] = {
        "entry_id": entry_id,
        "version": version,
        "epoch": decision.epoch,
        "activity_at": activity_time(report),
        # Whoever asks what has changed since some time must see it, although the reading was long ago.
        "updated_at": report.placed_at or report.received_at,
        "feed_version": feed_version,
        **_place_columns(report, known),
    }
    if known is None:
        connection.execute(insert(_PROGRESS), {"user_id": user_id, "book_id": book_id, **values})
    else:
        connection.execute(_UPDATE_PROGRESS, {"this_user": user_id, "this_book": book_id, **values})
    return version


def _place_columns(report: Report, known: Known | None) -> dict[str, object]:
    """The place of a report as `Progress` has it; nothing where it has none, so that the place before it stays."""
    place, position = report.place, report.place.position
    if position is None:
        return {}
    return {
        "reference_sha256": report.reference_sha256,
        "document": position.document,
        "occurrence": position.occurrence,
        "k": position.k,
        "tick": place.tick,
        "total": place.total,
        "fraction": fraction_of(report, known),
    }
