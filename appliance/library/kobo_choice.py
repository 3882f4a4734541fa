"""What of the library goes to a Kobo: everything, or what was chosen; and the person's acts on its ledger.

The choice is what a person wishes, `KoboDelivery` what became of it. `reconcile` carries the one into the other, in a
few statements whose cost is that of what was chosen. A book that leaves the choice stays on the device for a while:
moved from one shelf to another, it would else lose its download and its notes (docs/reference/kobo-protocol.md 4.8).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CTE, CompoundSelect, Insert, Select, delete, insert, literal, null, select, update
from sqlmodel import Session

from appliance.models import Book, BookShelf, KoboChoice, KoboDelivery, KoboSync, KoboTag, ShelvedBook

GRACE = timedelta(hours=1)
"""How long a book stays on the device that nothing chooses any more."""

_BOOK = Book.__table__  # type: ignore[attr-defined]
_CHOICE = KoboChoice.__table__  # type: ignore[attr-defined]
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_SHELF = BookShelf.__table__  # type: ignore[attr-defined]
_TAG = KoboTag.__table__  # type: ignore[attr-defined]
_SHELVED = ShelvedBook.__table__  # type: ignore[attr-defined]

Ids = Select[tuple[str]] | CompoundSelect[tuple[str]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What goes to a device. `shelves`: ids; `series`: names; `books`, `never`: ids of books. The first three count
    only without `everything`."""

    everything: bool
    shelves: frozenset[str]
    series: frozenset[str]
    books: frozenset[str]
    never: frozenset[str]


def chosen(session: Session, device_id: int) -> Chosen:
    """The choice for a device; everything, when nobody has chosen."""
    kept = session.get(KoboSync, device_id)
    rows = session.execute(select(_CHOICE.c.kind, _CHOICE.c.value).where(_CHOICE.c.device_id == device_id)).all()

    def of(kind: str) -> frozenset[str]:
        return frozenset(row.value for row in rows if row.kind == kind)

    return Chosen(kept is None or kept.everything, of("shelf"), of("series"), of("book"), of("never"))


def choose(
    session: Session, device_id: int, *, everything: bool, shelves: Collection[str], series: Collection[str]
) -> None:
    """Set what goes to a device, from its next sync on. Single books, sent or kept off, stay as they were."""
    kept = sync_of(session, device_id)
    kept.everything, kept.due = everything, True
    session.execute(delete(_CHOICE).where(_CHOICE.c.device_id == device_id, _CHOICE.c.kind.in_(("shelf", "series"))))
    rows = [("shelf", value) for value in dict.fromkeys(shelves)] + [("series", value) for value in set(series)]
    for kind, value in rows:
        _choose_one(session, device_id, kind, value)


def send(session: Session, device_id: int, book: Book) -> None:
    """“Send to Kobo”: at the next sync the device is offered a book that it does not have. One that it has stays as it
    is."""
    _choose_none(session, device_id, "never", book.id)
    if not sync_of(session, device_id).everything:
        _choose_one(session, device_id, "book", book.id)
    delivery = session.get(KoboDelivery, (device_id, book.id))
    if delivery is None:
        session.add(KoboDelivery(device_id=device_id, book_id=book.id, book_changed_at=book.changed_at))
    elif delivery.removed_at is not None:
        offer_again(session, device_id, book.id)
    else:
        delivery.wanted, delivery.leaves_at = True, None


def withdraw(session: Session, device_id: int, book_id: str, now: datetime) -> None:
    """Take a book off a device at its next sync, and keep it off whatever else is chosen."""
    _choose_none(session, device_id, "book", book_id)
    _choose_one(session, device_id, "never", book_id)
    delivery = session.get(KoboDelivery, (device_id, book_id))
    if delivery is None:
        return
    if delivery.offered_at is None:
        session.delete(delivery)
    elif delivery.removed_at is None:
        delivery.wanted, delivery.leaves_at = False, now


def offer_again(session: Session, device_id: int, book_id: str) -> None:
    """Offer a book at the next sync as if for the first time, because a person asked for it. The device drops what it
    holds of it, and its notes."""
    delivery = session.get(KoboDelivery, (device_id, book_id))
    if delivery is not None:
        _choose_none(session, device_id, "never", book_id)
        delivery.wanted, delivery.offered_in, delivery.leaves_at = True, None, None
        delivery.removed_at = delivery.removed_by = delivery.began_at = delivery.downloaded_at = None
        delivery.notes_refused_at = None


def start_anew(session: Session, device_id: int, now: datetime) -> None:
    """Forget what the device holds, because it holds nothing any more: it is offered all that was chosen again. What
    was removed on it stays away."""
    mine = _DELIVERY.c.device_id == device_id
    there = (mine, _DELIVERY.c.removed_at.is_(None))
    gone = update(_DELIVERY).where(*there, _DELIVERY.c.wanted.is_(False))
    session.execute(gone.values(removed_at=now, removed_by="server", leaves_at=None))
    forgotten = {
        "offered_in": None,
        "began_at": None,
        "downloaded_at": None,
        "sha256": None,
        "notes_refused_at": None,
        "reading_state": None,
        "given_version": None,
        "given_in": None,
        "answered_version": None,
        "told_state": None,
    }
    session.execute(update(_DELIVERY).where(*there).values(forgotten))
    session.execute(delete(_TAG).where(_TAG.c.device_id == device_id))


def reconcile(session: Session, user_id: int, device_id: int, *, everything: bool, now: datetime) -> None:
    """Carry the choice into the ledger: what is chosen becomes due, what is not any more leaves in a while."""
    ids = _chosen_ids(user_id, device_id, everything=everything).cte("chosen")
    is_chosen = _DELIVERY.c.book_id.in_(select(ids.c.id))
    mine = _DELIVERY.c.device_id == device_id
    is_there = _DELIVERY.c.removed_at.is_(None)
    session.execute(_insert_new(device_id, ids))
    back = update(_DELIVERY).where(mine, is_there, _DELIVERY.c.wanted.is_(False), is_chosen)
    session.execute(back.values(wanted=True, leaves_at=None))
    again = update(_DELIVERY).where(mine, _DELIVERY.c.removed_by == "server", _DELIVERY.c.wanted.is_(False), is_chosen)
    offer = {"wanted": True, "offered_in": None, "leaves_at": None, "removed_at": None, "removed_by": None}
    session.execute(again.values(**offer, began_at=None, downloaded_at=None))
    session.execute(delete(_DELIVERY).where(mine, _DELIVERY.c.offered_at.is_(None), ~is_chosen))
    # Notes that exist only on the device keep the book there.
    leaves = update(_DELIVERY).where(
        mine, is_there, _DELIVERY.c.wanted, _DELIVERY.c.notes_refused_at.is_(None), ~is_chosen
    )
    session.execute(leaves.values(wanted=False, leaves_at=now + GRACE))


def sync_of(session: Session, device_id: int) -> KoboSync:
    """The device's row, made if there is none."""
    kept = session.get(KoboSync, device_id)
    if kept is None:
        kept = KoboSync(device_id=device_id)
        session.add(kept)
        session.flush()
    return kept


def _chosen_ids(user_id: int, device_id: int, *, everything: bool) -> Select[tuple[str]]:
    def values(kind: str) -> Select[tuple[str]]:
        return select(_CHOICE.c.value).where(_CHOICE.c.device_id == device_id, _CHOICE.c.kind == kind)

    ids: Ids = select(_BOOK.c.id)
    if not everything:
        on_shelves = (
            select(_SHELVED.c.book_id.label("id"))
            .join(_SHELF, _SHELF.c.id == _SHELVED.c.shelf_id)
            .where(
                _SHELVED.c.shelf_id.in_(values("shelf")),
                _SHELVED.c.removed_at.is_(None),
                _SHELF.c.user_id == user_id,
                _SHELF.c.deleted_at.is_(None),
            )
        )
        ids = on_shelves.union(
            select(_BOOK.c.id).where(_BOOK.c.series.in_(values("series"))),
            select(_BOOK.c.id).where(_BOOK.c.id.in_(values("book"))),
        )
    every = ids.subquery()
    return select(every.c.id).where(every.c.id.not_in(values("never")))


def _insert_new(device_id: int, ids: CTE) -> Insert:
    row = select(literal(device_id), _BOOK.c.id, _BOOK.c.changed_at, literal(True), literal(""), null())
    there = select(_DELIVERY.c.book_id).where(_DELIVERY.c.device_id == device_id)
    row = row.where(_BOOK.c.id.in_(select(ids.c.id)), _BOOK.c.id.not_in(there))
    columns = ["device_id", "book_id", "book_changed_at", "wanted", "metadata_fingerprint", "offered_in"]
    return insert(_DELIVERY).from_select(columns, row)


def _choose_one(session: Session, device_id: int, kind: str, value: str) -> None:
    if session.get(KoboChoice, (device_id, kind, value)) is None:
        session.add(KoboChoice(device_id=device_id, kind=kind, value=value))
        session.flush()


def _choose_none(session: Session, device_id: int, kind: str, value: str) -> None:
    one = (_CHOICE.c.device_id == device_id, _CHOICE.c.kind == kind, _CHOICE.c.value == value)
    session.execute(delete(_CHOICE).where(*one))
