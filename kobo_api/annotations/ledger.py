"""The ledger of notes: for each Kobo and book, what `authority` decides from (`models.KoboNotes`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from appliance.models import Annotation, KoboDelivery, KoboEntitlement, KoboNotePage, KoboNotes, User
from appliance.positions import Reason
from kobo_api.annotations.authority import Standing

MAX_OWED = 50_000
# Left out for now: a file was not to be had, or the marks have yet to be carried over to the one that replaced it.
LATER = frozenset({Reason.UNREADABLE.value, Reason.INDEXING.value, Reason.DIFFERENT_TEXT.value})

_ANNOTATION = Annotation.__table__  # type: ignore[attr-defined]
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_ENTITLEMENT = KoboEntitlement.__table__  # type: ignore[attr-defined]
_NOTES = KoboNotes.__table__  # type: ignore[attr-defined]
_PAGE = KoboNotePage.__table__  # type: ignore[attr-defined]
_USER = User.__table__  # type: ignore[attr-defined]

_VERSION = (
    select(func.coalesce(func.max(_ANNOTATION.c.version), 0))
    .where(_ANNOTATION.c.user_id == bindparam("user"), _ANNOTATION.c.book_id == _ENTITLEMENT.c.book_id)
    .scalar_subquery()
)
_KNOWN = (
    select(
        _ENTITLEMENT.c.id,
        _ENTITLEMENT.c.book_id,
        _USER.c.kobo_pushes,
        _DELIVERY.c.sha256,
        _DELIVERY.c.began_at,
        _DELIVERY.c.notes_refused_at,
        _NOTES.c.began_at.label("noted_at"),
        _NOTES.c.said_at,
        _NOTES.c.owed,
        _NOTES.c.doubt,
        _NOTES.c.served_at,
        _NOTES.c.served_version,
        _NOTES.c.etag,
        _NOTES.c.is_due,
        _NOTES.c.repeats,
        _NOTES.c.left_out,
        _VERSION.label("version"),
    )
    .select_from(
        _ENTITLEMENT.join(_USER, _USER.c.id == _ENTITLEMENT.c.user_id)
        .outerjoin(
            _DELIVERY,
            and_(_DELIVERY.c.device_id == bindparam("device"), _DELIVERY.c.book_id == _ENTITLEMENT.c.book_id),
        )
        .outerjoin(
            _NOTES,
            and_(
                _NOTES.c.device_id == _DELIVERY.c.device_id,
                _NOTES.c.book_id == _DELIVERY.c.book_id,
                _NOTES.c.began_at == _DELIVERY.c.began_at,
            ),
        )
    )
    .where(_ENTITLEMENT.c.user_id == bindparam("user"), _ENTITLEMENT.c.id.in_(bindparam("ids", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class Ledger:
    """A book of a device's person. `sha256`: the file that the device was sent, `None` for none. `version`: of the
    newest change among the person's annotations of the book. `has_later`: whether something was left out that may find
    its place later. The rest: `models.KoboNotes`."""

    device_id: int
    user_id: int
    book_id: str
    sha256: str | None
    began_at: datetime | None
    version: int
    standing: Standing
    owed: frozenset[str]
    doubt: str
    served_version: int
    etag: str
    repeats: int
    has_later: bool


def look_up(connection: Connection, device_id: int, user_id: int, ids: Sequence[str]) -> dict[str, Ledger]:
    """The books of this person among those that a device named, by the names it has for them."""
    rows = connection.execute(_KNOWN, {"device": device_id, "user": user_id, "ids": list(ids)})
    return {row.id: _ledger(device_id, user_id, row) for row in rows}


def _ledger(device_id: int, user_id: int, row: Any) -> Ledger:
    # A version of Bookwake that kept no notes refused some: nobody but the device has them.
    before = "refused-before" if row.notes_refused_at is not None and row.noted_at is None else ""
    doubt = row.doubt or before
    standing = Standing(
        has_file=row.began_at is not None and row.sha256 is not None,
        has_spoken=row.said_at is not None,
        owes=bool(row.owed),
        doubt=bool(doubt),
        was_served=row.served_at is not None,
        is_due=bool(row.is_due),
        pushes=row.kobo_pushes,
    )
    return Ledger(
        device_id=device_id,
        user_id=user_id,
        book_id=row.book_id,
        sha256=row.sha256,
        began_at=row.began_at,
        version=row.version,
        standing=standing,
        owed=frozenset(row.owed or ()),
        doubt=doubt,
        served_version=row.served_version or 0,
        etag=row.etag or "",
        repeats=row.repeats or 0,
        has_later=not LATER.isdisjoint((row.left_out or {}).values()),
    )


def owe(connection: Connection, ledger: Ledger, ids: Collection[str], at: datetime) -> None:
    """The device sends notes. Until they are kept, it has the only copy of them: written down first, so that no crash
    in between makes anybody believe that everything is known."""
    if ledger.began_at is None:
        return
    owed = sorted({*ledger.owed, *ids})[:MAX_OWED]
    _write(connection, ledger, {"said_at": at, "owed": owed, "doubt": ledger.doubt})
    _refused(connection, ledger, at)


def settle(connection: Connection, ledger: Ledger, ids: Collection[str], doubt: str = "") -> None:
    """What the device sent is kept. `doubt`: for what was not understood, which the device holds all the same."""
    if ledger.began_at is None:
        return
    owed, doubt = sorted(ledger.owed - set(ids)), ledger.doubt or doubt
    _write(connection, ledger, {"owed": owed, "doubt": doubt})
    if not owed and not doubt:
        _refused(connection, ledger, None)


def begin(connection: Connection, ledger: Ledger) -> None:
    """A set is about to be given. Until its last page is out, nobody knows what the device holds."""
    if not ledger.standing.is_due:
        _write(connection, ledger, {"is_due": True})


def serve(connection: Connection, ledger: Ledger, revision: str, at: datetime) -> None:
    """The last page of the set `revision` has left. Notes that came since it was made were not in it, so that the
    device may just have lost them: then it is given another one."""
    page = connection.execute(
        select(_PAGE.c.kind, _PAGE.c.version, _PAGE.c.etag, _PAGE.c.made_at).where(
            _mine(_PAGE, ledger), _PAGE.c.revision == revision
        )
    ).first()
    if page is None:
        return
    said_at = connection.execute(select(_NOTES.c.said_at).where(_mine(_NOTES, ledger))).scalar()
    values = {
        "served_at": at,
        "served_version": page.version if page.kind == "all" else ledger.served_version,
        "is_due": said_at is not None and said_at >= page.made_at,
        "repeats": ledger.repeats + 1 if page.etag == ledger.etag else 0,
        "etag": page.etag,
    }
    _write(connection, ledger, values)


def caught_up(connection: Connection, ledger: Ledger) -> None:
    """What changed since the device was given its set makes no difference on it."""
    _write(connection, ledger, {"served_version": ledger.version})


def leave_out(connection: Connection, ledger: Ledger, reasons: dict[str, str]) -> None:
    """Why annotations are not on the device, by their ids."""
    _write(connection, ledger, {"left_out": reasons})


def prove(connection: Connection, device_id: int, book_id: str, sha256: str, at: datetime) -> None:
    """The device's own database was read: nothing that it holds of the file `sha256` is unknown any more."""
    delivery = (_DELIVERY.c.device_id == device_id) & (_DELIVERY.c.book_id == book_id) & (_DELIVERY.c.sha256 == sha256)
    began_at = connection.execute(select(_DELIVERY.c.began_at).where(delivery)).scalar()
    if began_at is None:
        return
    connection.execute(delete(_NOTES).where(_NOTES.c.device_id == device_id, _NOTES.c.book_id == book_id))
    names = {"device_id": device_id, "book_id": book_id, "began_at": began_at}
    connection.execute(insert(_NOTES), {**_BLANK, **names, "said_at": at, "served_at": at})
    connection.execute(update(_DELIVERY).where(delivery).values(notes_refused_at=None))


def doubt_book(connection: Connection, ledger: Ledger, why: str, at: datetime) -> None:
    """The device may hold more of this book than is known, until it downloads it again."""
    if ledger.began_at is not None and not ledger.doubt:
        _write(connection, ledger, {"doubt": why})
        _refused(connection, ledger, at)


_BLANK: dict[str, Any] = {
    "said_at": None,
    "owed": [],
    "doubt": "",
    "served_at": None,
    "served_version": 0,
    "etag": "",
    "is_due": False,
    "repeats": 0,
    "left_out": {},
}


def _write(connection: Connection, ledger: Ledger, values: dict[str, Any]) -> None:
    this = _mine(_NOTES, ledger) & (_NOTES.c.began_at == ledger.began_at)
    if connection.execute(update(_NOTES).where(this).values(**values)).rowcount:
        return
    connection.execute(delete(_NOTES).where(_mine(_NOTES, ledger)))
    names = {"device_id": ledger.device_id, "book_id": ledger.book_id, "began_at": ledger.began_at}
    connection.execute(insert(_NOTES), {**_BLANK, **names, **values})


def _refused(connection: Connection, ledger: Ledger, at: datetime | None) -> None:
    """`KoboDelivery.notes_refused_at` keeps the library's sync from replacing the file meanwhile."""
    connection.execute(update(_DELIVERY).where(_mine(_DELIVERY, ledger)).values(notes_refused_at=at))


def _mine(table: Any, ledger: Ledger) -> Any:
    return (table.c.device_id == ledger.device_id) & (table.c.book_id == ledger.book_id)
