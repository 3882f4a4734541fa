"""What a Kobo has of the library, for people to read: each book with what became of it there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlmodel import Session

from appliance.models import Book, Device, KoboDelivery, KoboSync

HELD, DOWNLOADING, OFFERED, DUE, LEAVING, REMOVED, TAKEN_OFF = (
    "held",
    "downloading",
    "offered",
    "due",
    "leaving",
    "removed",
    "taken-off",
)
STATES = (HELD, DOWNLOADING, OFFERED, DUE, LEAVING, REMOVED, TAKEN_OFF)
"""`held`: its file was fetched to the last byte. `offered`: the device lists it. `due`: it will be offered at the next
sync. `leaving`: it will be taken off. `removed`: by the person, on the device. `taken-off`: from here."""

_BOOK = Book.__table__  # type: ignore[attr-defined]
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_STATE = case(
    (_DELIVERY.c.removed_by == "device", REMOVED),
    (_DELIVERY.c.removed_at.is_not(None), TAKEN_OFF),
    (_DELIVERY.c.wanted.is_(False), LEAVING),
    (_DELIVERY.c.downloaded_at.is_not(None), HELD),
    (_DELIVERY.c.began_at.is_not(None), DOWNLOADING),
    (_DELIVERY.c.offered_in.is_(None), DUE),
    else_=OFFERED,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A book in the ledger of a device. `state`: one of `STATES`; `at`: since when, as far as is known."""

    book_id: str
    title: str
    authors: list[str]
    state: str
    at: datetime | None
    has_own_notes: bool


@dataclass(frozen=True, slots=True)
class OnKobo:
    """One of a person's Kobos and a book. `state`: `None` if the device was never told of it."""

    device_id: int
    name: str
    state: str | None
    chooses: bool


def counts(session: Session, device_id: int) -> dict[str, int]:
    """How many books are in each state."""
    state = _STATE.label("state")
    query = select(state, func.count()).where(_DELIVERY.c.device_id == device_id).group_by(state)
    found: dict[str, int] = {row[0]: row[1] for row in session.execute(query)}
    return {name: found[name] for name in STATES if name in found}


def lines(session: Session, device_id: int, state: str | None, offset: int, limit: int) -> list[Line]:
    """A stretch of the ledger in order of title. `state`: only books in this one."""
    at = func.coalesce(
        _DELIVERY.c.removed_at, _DELIVERY.c.downloaded_at, _DELIVERY.c.began_at, _DELIVERY.c.offered_at
    ).label("at")
    query = (
        select(_BOOK.c.id, _BOOK.c.title, _BOOK.c.authors, _STATE, at, _DELIVERY.c.notes_refused_at.is_not(None))
        .join_from(_DELIVERY, _BOOK, _BOOK.c.id == _DELIVERY.c.book_id)
        .where(_DELIVERY.c.device_id == device_id)
        .order_by(_BOOK.c.title_key, _BOOK.c.id)
        .offset(offset)
        .limit(limit)
    )
    if state is not None:
        query = query.where(_STATE == state)
    return [Line(*row) for row in session.execute(query)]


def on_kobos(session: Session, user_id: int, book_id: str) -> list[OnKobo]:
    """Each Kobo of a person with what became of a book there."""
    device, sync = Device.__table__, KoboSync.__table__  # type: ignore[attr-defined]
    of_book = (_DELIVERY.c.device_id == device.c.id) & (_DELIVERY.c.book_id == book_id)
    query = (
        select(device.c.id, device.c.name, _DELIVERY.c.device_id, _STATE, func.coalesce(sync.c.everything, True))
        .select_from(device.outerjoin(_DELIVERY, of_book).outerjoin(sync, sync.c.device_id == device.c.id))
        .where(device.c.user_id == user_id, device.c.kind == "kobo", device.c.revoked_at.is_(None))
        .order_by(device.c.id)
    )
    return [
        OnKobo(id, name, state if known is not None else None, not everything)
        for id, name, known, state, everything in session.execute(query)
    ]
