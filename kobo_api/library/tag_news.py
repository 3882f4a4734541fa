"""Shelves as a Kobo is told of them in a sync: `NewTag`, `ChangedTag`, `DeletedTag` (kobo-protocol.md 4.11).

A shelf is told with those of its books that the device was given, and again when either changes. One of which the
device has no book is not told, unless the device has it already.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping, bindparam, func, or_, select, update
from sqlmodel import Session

from appliance.models import BookShelf, KoboDelivery, KoboEntitlement, KoboTag, ShelvedBook
from kobo_api.call import Caller
from kobo_api.wire import write_time

DIFFERS = "differs"
"""In place of a fingerprint: the device has something else than the shelf."""

_SHELF = BookShelf.__table__  # type: ignore[attr-defined]
_SHELVED = ShelvedBook.__table__  # type: ignore[attr-defined]
_TAG = KoboTag.__table__  # type: ignore[attr-defined]
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_ENTITLEMENT = KoboEntitlement.__table__  # type: ignore[attr-defined]

_OF_DEVICE = (_TAG.c.device_id == bindparam("device")) & (_TAG.c.tag_id == _SHELF.c.id)
_IS_TOLD = func.coalesce(_TAG.c.told_version, 0) == _SHELF.c.version
_SHELVES = (
    select(_SHELF, _TAG.c.device_id.label("in_ledger"), *(column for column in _TAG.c if column.name != "device_id"))
    .select_from(_SHELF.outerjoin(_TAG, _OF_DEVICE))
    .where(_SHELF.c.user_id == bindparam("user"))
    .order_by(_SHELF.c.id)
)
_NEWS = _SHELVES.where(
    or_(
        _SHELF.c.deleted_at.is_(None) & (~_IS_TOLD | func.coalesce(_TAG.c.due, False)),
        _SHELF.c.deleted_at.is_not(None) & _TAG.c.is_known,
    )
)
_STRANGE = (
    select(_TAG.c.tag_id)
    .select_from(_TAG.outerjoin(_SHELF, (_SHELF.c.id == _TAG.c.tag_id) & (_SHELF.c.user_id == bindparam("user"))))
    .where(_TAG.c.device_id == bindparam("device"), _TAG.c.is_known, _SHELF.c.id.is_(None))
    .order_by(_TAG.c.tag_id)
)
_ITEMS = (
    select(
        _SHELVED.c.book_id,
        _ENTITLEMENT.c.id,
        (_DELIVERY.c.offered_at.is_not(None) & _DELIVERY.c.removed_at.is_(None)).label("is_given"),
    )
    .select_from(
        _SHELVED.outerjoin(
            _ENTITLEMENT,
            (_ENTITLEMENT.c.user_id == bindparam("user")) & (_ENTITLEMENT.c.book_id == _SHELVED.c.book_id),
        ).outerjoin(
            _DELIVERY, (_DELIVERY.c.device_id == bindparam("device")) & (_DELIVERY.c.book_id == _SHELVED.c.book_id)
        )
    )
    .where(_SHELVED.c.shelf_id == bindparam("shelf"), _SHELVED.c.removed_at.is_(None))
    .order_by(_SHELVED.c.place, _SHELVED.c.book_id)
)


@dataclass(frozen=True, slots=True)
class TagNews:
    """A collection of which the device is told, or, with `event` `None`, only the ledger. `row`: what the ledger must
    say then."""

    event: dict[str, Any] | None
    row: dict[str, Any]
    size: int = 0


@dataclass(slots=True)
class Given:
    """What the page does to the books on the device before its collections come: ids of books it offers, with their
    entitlements, and of those it takes away."""

    offered: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    @property
    def books(self) -> set[str]:
        return self.removed | set(self.offered)


def news(session: Session, caller: Caller, given: Given, now: datetime) -> list[TagNews]:
    """What a device has yet to be told of its collections."""
    ids = {"device": caller.device_id, "user": caller.user_id}
    connection = session.connection()
    rows = {row["id"]: row for row in connection.execute(_NEWS, ids).mappings()}
    moved = _shelves_with(session, given.books)
    for id in moved:
        if id not in rows:
            rows |= {row["id"]: row for row in connection.execute(_SHELVES.where(_SHELF.c.id == id), ids).mappings()}
    found = [
        one
        for id, row in rows.items()
        if (one := _of_shelf(session, caller, row, given, is_certain=id not in moved)) is not None
    ]
    for (strange,) in connection.execute(_STRANGE, ids):
        found.append(TagNews(_deleted(strange, now), _ledger(caller.device_id, strange, is_known=False)))
    return found


def note(session: Session, told: Collection[TagNews], checkpoint: int) -> None:
    """Remember what the page of a checkpoint says of collections."""
    for one in told:
        tag = session.get(KoboTag, (one.row["device_id"], one.row["tag_id"])) or KoboTag(**one.row)
        for name, value in one.row.items():
            setattr(tag, name, value)
        if one.event is not None:
            tag.told_in = checkpoint
        session.add(tag)


def note_moved(session: Session, device_id: int, given: Given) -> None:
    """The device got or lost books: the collections that hold them are due, if it was told of them."""
    if shelves := _shelves_with(session, given.books):
        mine = (_TAG.c.device_id == device_id, _TAG.c.tag_id.in_(shelves))
        held = update(_TAG).where(*mine, _TAG.c.fingerprint != "")
        session.execute(held.values(due=True, fingerprint=DIFFERS))


def shown(session: Session, caller: Caller, shelf_id: str, given: Given | None = None) -> list[str]:
    """The entitlements of the books on a shelf that the device was given, in its order."""
    given = given or Given()
    ids = {"device": caller.device_id, "user": caller.user_id, "shelf": shelf_id}
    return [
        given.offered.get(row.book_id) or row.id
        for row in session.connection().execute(_ITEMS, ids)
        if row.book_id in given.offered or (row.is_given and row.book_id not in given.removed)
    ]


def fingerprint(name: str, items: Collection[str]) -> str:
    """What changes when the device would show something else."""
    return hashlib.blake2b(msgspec.json.encode([name, list(items)]), digest_size=16).hexdigest()


def _of_shelf(session: Session, caller: Caller, row: RowMapping, given: Given, *, is_certain: bool) -> TagNews | None:
    """`is_certain`: whether the device still holds what it was told; a book that left took its place in the collection
    along, and comes back without."""
    is_known, device_id = bool(row["is_known"]), caller.device_id
    if row["deleted_at"] is not None:
        gone = _ledger(device_id, row["id"], told_version=row["version"], is_known=False)
        return TagNews(_deleted(row["id"], row["deleted_at"]), gone) if is_known else None
    items = [*shown(session, caller, row["id"], given), *(row["others"] or [])]
    print_now = fingerprint(row["name"], items)
    tells = (items or is_known) and not (is_certain and print_now == row["fingerprint"])
    values = _ledger(device_id, row["id"], told_version=row["version"], is_known=is_known or bool(tells))
    values["fingerprint"] = print_now if tells else row["fingerprint"] or ""
    if not tells:
        return TagNews(None, values) if row["due"] or row["told_version"] != row["version"] else None
    tag = {
        "Created": write_time(row["created_at"]),
        "Id": row["id"],
        "Items": [{"RevisionId": id, "Type": "ProductRevisionTagItem"} for id in items],
        "LastModified": write_time(row["changed_at"]),
        "Name": row["name"],
        "Type": "UserTag",
    }
    # What the device may not have heard of is new to it.
    kind = "ChangedTag" if is_known and row["fingerprint"] else "NewTag"
    return TagNews({kind: {"Tag": tag}}, values, len(items))


def _deleted(id: str, at: datetime) -> dict[str, Any]:
    return {"DeletedTag": {"Tag": {"Id": id, "LastModified": write_time(at)}}}


def _ledger(device_id: int, tag_id: str, *, told_version: int = 0, is_known: bool) -> dict[str, Any]:
    values = {"told_version": told_version, "due": False, "is_known": is_known, "fingerprint": ""}
    return {"device_id": device_id, "tag_id": tag_id, **values}


def _shelves_with(session: Session, book_ids: Collection[str]) -> list[str]:
    if not book_ids:
        return []
    on = select(_SHELVED.c.shelf_id).where(_SHELVED.c.book_id.in_(book_ids), _SHELVED.c.removed_at.is_(None))
    return list(session.execute(on.distinct().order_by(_SHELVED.c.shelf_id)).scalars())
