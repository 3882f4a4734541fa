"""Which file is which book (docs/plugin-protocol.md)."""

from collections.abc import Iterable

from sqlmodel import Session

from appliance import models
from appliance.library import file_links
from appliance.library.file_links import Description, Which, library_mark
from koreader_api.plugin import wire
from koreader_api.plugin.call import Call, Refusal


def match(call: Call, said: wire.Match) -> wire.Matches:
    """Each file's book, or those that it may be."""
    caller = call.caller
    with call.house.database.read() as session:
        exact = {one.file for one in said.files if _is_exact(session, call, one.file)}
    if len(exact) == len(said.files):  # nothing to remember
        with call.house.database.read() as session:
            found = [(one, file_links.identify(session, caller.user_id, one.file)) for one in said.files]
            return _matches(session, call, found)
    with call.house.database.write() as session:
        found = [
            (one, file_links.describe(session, caller.user_id, caller.device_id, _description(one), call.now))
            for one in said.files
        ]
        return _matches(session, call, found)


def link(call: Call, said: wire.Link) -> wire.Linked:
    """A person said on the device that a file is a book, or took it back."""
    caller = call.caller
    with call.house.database.write() as session:
        if not file_links.link(session, caller.user_id, caller.device_id, said.file, said.book, call.now):
            raise Refusal(404, "no-book", "There is no such book. Look for it again.")
        which = file_links.identify(session, caller.user_id, said.file)
        match = _matched(session, wire.FileSaid(said.file), which)
        return wire.Linked(library_mark(session, caller.user_id), match)


def shown_book(book: models.Book) -> wire.Book:
    """A book as the device shows it."""
    return wire.Book(book.id, book.title, list(book.authors), book.series or None, book.series_index)


def _is_exact(session: Session, call: Call, file: str) -> bool:
    return file_links.identify(session, call.caller.user_id, file).how == "exact"


def _matches(session: Session, call: Call, found: Iterable[tuple[wire.FileSaid, Which]]) -> wire.Matches:
    matches = [_matched(session, said, which) for said, which in found]
    return wire.Matches(library_mark(session, call.caller.user_id), matches)


def _matched(session: Session, said: wire.FileSaid, which: Which) -> wire.Matched:
    if which.book_id is not None:
        return wire.Matched(said.file, which.how, shown_book(session.get_one(models.Book, which.book_id)))
    proposed = file_links.proposals(session, said.title or said.name or "", said.authors or "")
    return wire.Matched(said.file, "none", proposals=[shown_book(book) for book in proposed] or None)


def _description(said: wire.FileSaid) -> Description:
    identifiers = said.identifiers.split("\n") if isinstance(said.identifiers, str) else said.identifiers or []
    return Description(
        file=said.file,
        stored=said.stored,
        size=said.size,
        title=said.title or "",
        authors=said.authors or "",
        identifiers=identifiers[:20],
        name=said.name or "",
    )
