"""Page visits that a person's other readers counted, for one that wants to show them too."""

from typing import NamedTuple

from sqlalchemy import or_, select
from sqlmodel import Session

from appliance.models import ReadDocument, ReadingEvent
from appliance.reading.sessions.event import Source

_DOCUMENT = ReadDocument.__table__  # type: ignore[attr-defined]
_EVENT = ReadingEvent.__table__  # type: ignore[attr-defined]


class Visit(NamedTuple):
    """`started`: seconds since 1970 (UTC), as we believe it. `page` of `pages` in the layout of that moment."""

    id: int
    page: int
    started: int
    seconds: int
    pages: int


def visits_elsewhere(
    session: Session, user_id: int, device_id: int, file: str, book_id: str | None, after: int, limit: int
) -> list[Visit]:
    """Visits of a file, or of any file of the book, that other devices told of, in the order they came in. `after`: the
    id of the last one known."""
    about = _DOCUMENT.c.name == f"md5:{file}"
    if book_id is not None:
        about = or_(about, _DOCUMENT.c.book_id == book_id)
    query = (
        select(_EVENT.c.id, _EVENT.c.page, _EVENT.c.started, _EVENT.c.seconds, _EVENT.c.pages)
        .where(
            _EVENT.c.document_id.in_(select(_DOCUMENT.c.id).where(_DOCUMENT.c.user_id == user_id, about)),
            _EVENT.c.device_id != device_id,
            _EVENT.c.source == Source.KOREADER_PAGE.value,
            _EVENT.c.counted,
            _EVENT.c.pages > 0,
            _EVENT.c.id > after,
        )
        .order_by(_EVENT.c.id)
        .limit(limit)
    )
    return [Visit(*row) for row in session.connection().execute(query)]
