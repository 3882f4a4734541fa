"""The queries of a sync: books together with what the ledger has of them for one device, a page at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlmodel import Session

from appliance.models import (
    Book,
    BookState,
    KoboChoice,
    KoboDelivery,
    KoboEntitlement,
    LibraryFile,
    Progress,
    Rendition,
)
from kobo_api.call import Caller
from kobo_api.library.ledger import Told

BookRow = Row[*tuple[Any, ...]]

_BOOK = Book.__table__  # type: ignore[attr-defined]
_FILE = LibraryFile.__table__  # type: ignore[attr-defined]
_CHOICE = KoboChoice.__table__  # type: ignore[attr-defined]
_MAIN = Rendition.__table__.alias("main")  # type: ignore[attr-defined]
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_ENTITLEMENT = KoboEntitlement.__table__  # type: ignore[attr-defined]
_PROGRESS = Progress.__table__  # type: ignore[attr-defined]
_STATE = BookState.__table__  # type: ignore[attr-defined]

_COLUMNS = (
    _BOOK.c.id,
    _BOOK.c.title,
    _BOOK.c.authors,
    _BOOK.c.language,
    _BOOK.c.identifiers,
    _BOOK.c.series,
    _BOOK.c.series_index,
    _BOOK.c.description,
    _BOOK.c.publisher,
    _BOOK.c.published,
    _BOOK.c.cover_sha256,
    _BOOK.c.main_sha256,
    _BOOK.c.added_at,
    _BOOK.c.changed_at,
    _MAIN.c.size,
    _MAIN.c.text_fingerprint,
    _MAIN.c.conversion_problem,
    _ENTITLEMENT.c.id.label("entitlement_id"),
    _ENTITLEMENT.c.created_at.label("entitled_at"),
    _DELIVERY.c.device_id.label("in_ledger"),
    _DELIVERY.c.offered_in,
    _DELIVERY.c.offered_at,
    _DELIVERY.c.source_sha256,
    _DELIVERY.c.edition,
    _DELIVERY.c.metadata_fingerprint,
    _DELIVERY.c.wanted,
    _DELIVERY.c.leaves_at,
    _DELIVERY.c.removed_at,
    _DELIVERY.c.removed_by,
    _DELIVERY.c.book_changed_at,
    _DELIVERY.c.began_at,
    _DELIVERY.c.downloaded_at,
    _DELIVERY.c.sha256,
    _DELIVERY.c.notes_refused_at,
    _STATE.c.status,
    _PROGRESS.c.fraction,
    _PROGRESS.c.activity_at,
    # A book whose file is gone for now cannot be downloaded, so it is not offered; nor is it taken away.
    exists(select(_FILE.c.id).where(_FILE.c.sha256 == _BOOK.c.main_sha256, _FILE.c.missing_since.is_(None))).label(
        "is_here"
    ),
)
_OF_DEVICE = and_(_DELIVERY.c.device_id == bindparam("device"), _DELIVERY.c.book_id == _BOOK.c.id)


def _select(tables: FromClause) -> Select[Any]:
    """The columns from `tables`, which have books and deliveries, and what is joined to each book."""
    user: BindParameter[int] = bindparam("user")
    return (
        select(*_COLUMNS)
        .select_from(
            tables.outerjoin(_MAIN, _MAIN.c.sha256 == _BOOK.c.main_sha256)
            .outerjoin(_ENTITLEMENT, and_(_ENTITLEMENT.c.user_id == user, _ENTITLEMENT.c.book_id == _BOOK.c.id))
            .outerjoin(_PROGRESS, and_(_PROGRESS.c.user_id == user, _PROGRESS.c.book_id == _BOOK.c.id))
            .outerjoin(_STATE, and_(_STATE.c.user_id == user, _STATE.c.book_id == _BOOK.c.id))
        )
        .limit(bindparam("limit"))
    )


_DUE = (
    _select(_DELIVERY.join(_BOOK, _OF_DEVICE))
    .where(_DELIVERY.c.offered_in.is_(None), _DELIVERY.c.removed_at.is_(None), _DELIVERY.c.leaves_at.is_(None))
    .order_by(_BOOK.c.id)
    .offset(bindparam("skip"))
)
_LEAVING = (
    _select(_DELIVERY.join(_BOOK, _OF_DEVICE))
    .where(
        _DELIVERY.c.leaves_at <= bindparam("now", type_=_DELIVERY.c.leaves_at.type), _DELIVERY.c.removed_at.is_(None)
    )
    .order_by(_BOOK.c.id)
)
_NEVER = exists(
    select(_CHOICE.c.value).where(
        _CHOICE.c.device_id == bindparam("device"), _CHOICE.c.kind == "never", _CHOICE.c.value == _BOOK.c.id
    )
)
_CHANGED = (
    _select(_BOOK.outerjoin(_DELIVERY, _OF_DEVICE))
    .where(
        tuple_(_BOOK.c.changed_at, _BOOK.c.id)
        > tuple_(bindparam("at", type_=_BOOK.c.changed_at.type), bindparam("after")),
        # Due rows have their own query; others that were looked at since the change have nothing new.
        or_(
            and_(_DELIVERY.c.device_id.is_(None), bindparam("everything", type_=Boolean), ~_NEVER),
            and_(_DELIVERY.c.offered_in.is_not(None), _DELIVERY.c.book_changed_at < _BOOK.c.changed_at),
        ),
    )
    .order_by(_BOOK.c.changed_at, _BOOK.c.id)
)
_ONE = _select(_BOOK.outerjoin(_DELIVERY, _OF_DEVICE)).where(_ENTITLEMENT.c.id == bindparam("entitlement"))


def _select_held(table: FromClause, *columns: ColumnElement[Any]) -> Select[Any]:
    """`columns`, and what the ledger has, of the books that the device holds and of which `table` has something."""
    of_book = and_(_DELIVERY.c.device_id == bindparam("device"), _DELIVERY.c.book_id == table.c.book_id)
    of_user = and_(_ENTITLEMENT.c.user_id == table.c.user_id, _ENTITLEMENT.c.book_id == table.c.book_id)
    return (
        select(
            table.c.book_id,
            *columns,
            _DELIVERY.c.reading_state,
            _DELIVERY.c.answered_version,
            _ENTITLEMENT.c.id.label("entitlement_id"),
            _ENTITLEMENT.c.created_at.label("entitled_at"),
        )
        .select_from(table.join(_DELIVERY, of_book).join(_ENTITLEMENT, of_user))
        .where(
            table.c.user_id == bindparam("user"),
            _DELIVERY.c.sha256.is_not(None),
            _DELIVERY.c.removed_at.is_(None),
            _DELIVERY.c.wanted,
        )
        .order_by(table.c.book_id)
        .limit(bindparam("limit"))
    )


_MOVED = _select_held(_PROGRESS, _PROGRESS.c.version, _DELIVERY.c.sha256).where(
    func.coalesce(_DELIVERY.c.given_version, 0) < _PROGRESS.c.version,
    func.coalesce(_DELIVERY.c.answered_version, 0) < _PROGRESS.c.version,
)
_RESTATED = (
    _select_held(
        _STATE,
        _STATE.c.version.label("state_version"),
        _STATE.c.status,
        _STATE.c.versions,
        _STATE.c.times,
        _DELIVERY.c.told_state,
        _DELIVERY.c.given_version,
        _PROGRESS.c.version,
    )
    .outerjoin(_PROGRESS, and_(_PROGRESS.c.user_id == _STATE.c.user_id, _PROGRESS.c.book_id == _STATE.c.book_id))
    .where(func.coalesce(_DELIVERY.c.told_state, -1) < _STATE.c.version)
)
_NEWEST = select(func.max(_BOOK.c.changed_at))


def due(session: Session, caller: Caller, skip: int, limit: int) -> Sequence[BookRow]:
    """Books in the ledger that the device has yet to be told of, by id, behind the first `skip`."""
    return session.execute(_DUE, _ids(caller) | {"skip": skip, "limit": limit}).all()


def leaving(session: Session, caller: Caller, now: datetime, limit: int) -> Sequence[BookRow]:
    """Books that are to be taken off the device now, by id."""
    return session.execute(_LEAVING, _ids(caller) | {"now": now, "limit": limit}).all()


def changed(
    session: Session, caller: Caller, at: datetime, after: str, limit: int, *, everything: bool
) -> Sequence[BookRow]:
    """Books that changed after (`at`, `after`), oldest change first, and were not looked at since for this device.
    `everything`: also those that the ledger does not have; a choice puts them there by itself."""
    given = {"at": at, "after": after, "limit": limit, "everything": everything}
    return session.execute(_CHANGED, _ids(caller) | given).all()


def entitled(session: Session, caller: Caller, entitlement_id: str) -> BookRow | None:
    """The book that the user's Kobos know by this id."""
    return session.execute(_ONE, _ids(caller) | {"entitlement": entitlement_id, "limit": 1}).first()


def moved(session: Session, caller: Caller, limit: int) -> Sequence[BookRow]:
    """Books that the device holds and that another device has read in, which this one does not know yet."""
    return session.execute(_MOVED, _ids(caller) | {"limit": limit}).all()


def restated(session: Session, caller: Caller, limit: int) -> Sequence[BookRow]:
    """Books that the device holds, whose status, rating or review changed since it was told."""
    return session.execute(_RESTATED, _ids(caller) | {"limit": limit}).all()


def newest_change(session: Session) -> datetime | None:
    """When a book changed last."""
    newest: datetime | None = session.execute(_NEWEST).scalar_one()
    return newest


def told(row: BookRow, now: datetime) -> Told | None:
    """What the ledger has of the book for this device."""
    if row.in_ledger is None:
        return None
    return Told(
        offered_in=row.offered_in,
        was_offered=row.offered_at is not None,
        source_sha256=row.source_sha256,
        edition=row.edition,
        metadata_fingerprint=row.metadata_fingerprint,
        wanted=row.wanted,
        may_go=row.leaves_at is None or row.leaves_at <= now,
        removed=row.removed_at is not None,
        began=row.began_at is not None,
        holds_notes=row.notes_refused_at is not None,
    )


def _ids(caller: Caller) -> dict[str, Any]:
    return {"device": caller.device_id, "user": caller.user_id}
