"""What changed for a person since a device last asked. Every changed row takes the next number of the person's feed.

A row is listed once, with its newest content. `until` pins a walk through several pages: a row that changes meanwhile
leaves the walk and comes, whole, in the next one, so that nothing is repeated or hidden.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, literal, select, union_all, update
from sqlmodel import Session

from appliance.models import Annotation, BookState, Feed, Progress

_FEED = Feed.__table__  # type: ignore[attr-defined]
_CHANGING = (
    ("progress", Progress.__table__, "book_id", "feed_version"),  # type: ignore[attr-defined]
    ("annotation", Annotation.__table__, "id", "version"),  # type: ignore[attr-defined]
    ("state", BookState.__table__, "book_id", "version"),  # type: ignore[attr-defined]
)
_ADVANCE = (
    update(_FEED)
    .where(_FEED.c.user_id == bindparam("this_user"))
    .values(version=_FEED.c.version + bindparam("count"))
    .returning(_FEED.c.version)
)


@dataclass(frozen=True, slots=True)
class Changed:
    """A row that changed. `kind`: progress, annotation or state; `key`: the annotation's id, else the book's."""

    kind: str
    key: str
    book_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Changes:
    """One page, in order. `after`: where the next page starts; `until`: the end of this walk; `more`: whether there is
    a next page. Once there is none, the next walk starts after `until`."""

    items: list[Changed]
    after: int
    until: int
    more: bool


def take_versions(connection: Connection, user_id: int, count: int) -> int:
    """Reserve `count` numbers; returns the first. Call inside the write transaction that changes the rows."""
    last = connection.execute(_ADVANCE, {"this_user": user_id, "count": count}).scalar()
    if last is None:
        connection.execute(insert(_FEED), {"user_id": user_id, "version": count})
        last = count
    return int(last) - count + 1


def version(session: Session, user_id: int) -> int:
    """The number of the newest change, 0 when there is none."""
    found = session.connection().execute(select(_FEED.c.version).where(_FEED.c.user_id == user_id)).scalar()
    return int(found or 0)


def changes(
    session: Session, user_id: int, after: int, until: int | None = None, limit: int = 200, book_id: str | None = None
) -> Changes:
    """What changed after number `after`, up to `until` (by default up to now), of one book or of all."""
    until = version(session, user_id) if until is None else until
    parts = []
    for kind, table, key, number in _CHANGING:
        part = select(
            literal(kind).label("kind"), table.c[key].label("key"), table.c.book_id, table.c[number].label("number")
        ).where(table.c.user_id == user_id, table.c[number] > after, table.c[number] <= until)
        parts.append(part if book_id is None else part.where(table.c.book_id == book_id))
    everything = union_all(*parts).subquery()
    rows = session.connection().execute(select(everything).order_by(everything.c.number).limit(limit + 1)).all()
    items = [Changed(row.kind, row.key, row.book_id, row.number) for row in rows[:limit]]
    more = len(rows) > limit
    return Changes(items, items[-1].version if more else until, until, more)
