"""The KEPUB of a book: made once per source and converter version, registered with its digests, kept for ever."""

from sqlmodel import Session

from appliance.house import House
from appliance.models import Rendition


def planned_revision(house: House, session: Session, book_id: str) -> str | None:
    """A name for the KEPUB that a Kobo would get now, without making it: changes exactly when its bytes would."""
    raise NotImplementedError


def prepare(house: House, book_id: str) -> Rendition:
    """The book's KEPUB, made now if needed (and registered in its own transaction). A book that is a KEPUB already is
    its own. Raises `BookError`; then the plain EPUB has to do (kobo-protocol.md 6.1)."""
    raise NotImplementedError
