"""Which book is meant by the id that a person's Kobos have for it (docs/reference/kobo-protocol.md 4.5)."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select
from sqlmodel import Session

from appliance.models import KoboEntitlement

_AT_ONCE = 500
_ENTITLEMENT = KoboEntitlement.__table__  # type: ignore[attr-defined]
_BOOKS = select(_ENTITLEMENT.c.id, _ENTITLEMENT.c.book_id).where(
    _ENTITLEMENT.c.user_id == bindparam("user"), _ENTITLEMENT.c.id.in_(bindparam("ids", expanding=True))
)


def books_called(session: Session, user_id: int, ids: Iterable[str]) -> dict[str, str]:
    """Ids of books by entitlement, in lower case as they are kept. Left out is what is none of the person's: bought at
    the shop, copied to the device, somebody else's."""
    named = sorted(set(ids))
    found: dict[str, str] = {}
    for at in range(0, len(named), _AT_ONCE):
        rows = session.connection().execute(_BOOKS, {"user": user_id, "ids": named[at : at + _AT_ONCE]})
        found |= {row.id: row.book_id for row in rows}
    return found
