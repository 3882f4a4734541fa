"""`PATCH /api/v3/content/{id}/annotations`: what a Kobo did to its notes (docs/reference/kobo-protocol.md 7.5).

What is answered with 204 is never sent again, so all of it is committed by then, in the journal, as it came. An error
is answered with 503: the device keeps its changes and sends them again. Doing the same twice changes nothing.
"""

import logging
from datetime import datetime

from sqlalchemy import Connection, select

from appliance.house import House
from appliance.models import Book, Device, Rendition
from appliance.reading.annotations.record import exchange
from appliance.reading.annotations.report import Caller, Deletion, Said
from appliance.reading.annotations.unread import keep_unread
from appliance.reading.turn import take_turn
from kobo_api.annotations import ledger
from kobo_api.annotations.ledger import Ledger
from kobo_api.annotations.wire import Item, Patch, read_patch
from kobo_api.call import Answer

KEPT = Answer(status=204)
AT_ONCE = 4000

logger = logging.getLogger(__name__)
_BOOK = Book.__table__  # type: ignore[attr-defined]
_RENDITION = Rendition.__table__  # type: ignore[attr-defined]


def patch(house: House, device: Device, content_id: str, body: bytes) -> Answer:
    """Keep what the device says of the notes of one book. Raises whatever keeps it from being kept."""
    assert device.id is not None
    said = read_patch(body)
    if not said.names and not said.unread:
        return KEPT
    now = house.now()
    with house.database.write() as session:
        book = _look_up(session.connection(), device.id, device.user_id, content_id)
        if book is not None:
            ledger.owe(session.connection(), book, said.names, now)
    if book is None:
        # A book of the store, or one that is gone. It is not ours to judge; but its notes may be missed some day.
        _keep_unread(house, device, None, content_id, [item.raw for item in said.items] + list(said.unread), now)
        return KEPT
    _exchange(house, device, book, said, now)
    if said.unread:
        logger.warning("a Kobo sent %d notes of book %s that could not be understood", len(said.unread), book.book_id)
        _keep_unread(house, device, book.book_id, None, list(said.unread), now)
    _settle(house, book, said, content_id)
    return KEPT


def _exchange(house: House, device: Device, book: Ledger, said: Patch, now: datetime) -> None:
    # "Kobo Libra Colour"; all others are grey, or not known yet.
    has_colours = "colour" in str(device.details.get("model", "")).lower()
    caller = Caller(
        book.user_id,
        book.device_id,
        book.book_id,
        "kobo",
        "kobo",
        _rendition(house, book),
        now,
        has_colours=has_colours,
    )
    both = [item for item in said.items if item.id in said.deleted]
    if both:  # made and deleted again before either was sent; the words are kept, and can be restored
        exchange(house, caller, [_said(item) for item in both])
    deletions = [Deletion(id, at) for id, at in said.deleted.items()]
    items = [_said(item) for item in said.items if item.id not in said.deleted]
    exchange(house, caller, items[:AT_ONCE], deletions)
    for at in range(AT_ONCE, len(items), AT_ONCE):
        exchange(house, caller, items[at : at + AT_ONCE])


def _settle(house: House, book: Ledger, said: Patch, content_id: str) -> None:
    with house.database.write() as session:
        connection = session.connection()
        current = _look_up(connection, book.device_id, book.user_id, content_id)
        if current is not None and current.began_at == book.began_at:
            ledger.settle(connection, current, said.names, "not-understood" if said.unread else "")


def _look_up(connection: Connection, device_id: int, user_id: int, content_id: str) -> Ledger | None:
    """The book as it stands, while nobody else changes what is owed."""
    take_turn(connection, user_id)
    return ledger.look_up(connection, device_id, user_id, [content_id]).get(content_id)


def _said(item: Item) -> Said:
    return Said(
        native_id=item.id,
        kind=item.kind,
        range=item.range,
        fields=item.fields,
        native={"raw": item.raw},
        chapter=item.chapter,
        changed_at=item.changed_at,
    )


def _rendition(house: House, book: Ledger) -> str:
    """The file whose spans the device speaks of: the one it was sent. One that got the book from elsewhere has most
    likely a file like the newest one here; the words then tell the place."""
    if book.sha256 is not None:
        return book.sha256
    with house.database.read() as session:
        kepubs = select(_RENDITION.c.sha256).where(_RENDITION.c.book_id == book.book_id, _RENDITION.c.kind == "kepub")
        newest = session.execute(kepubs.order_by(_RENDITION.c.created_at.desc())).scalars().first()
        main = session.execute(select(_BOOK.c.main_sha256).where(_BOOK.c.id == book.book_id)).scalar()
    return newest or main or ""


def _keep_unread(
    house: House, device: Device, book_id: str | None, content_id: str | None, texts: list[str], now: datetime
) -> None:
    assert device.id is not None
    with house.database.write() as session:
        keep_unread(
            session.connection(),
            user_id=device.user_id,
            device_id=device.id,
            book_id=book_id,
            asked_for=content_id,
            dialect="kobo",
            texts=texts,
            received_at=now,
        )
