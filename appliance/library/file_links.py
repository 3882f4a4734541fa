"""Which book a file on somebody's KOReader is: by its bytes, by what it says of itself, or because a person said so.

Wrong here is worse than unknown: another book's status and highlights would go to it. So bytes come first, what a file
says of itself counts only together with its title, and all else is only proposed (docs/reference/koreader.md 9.10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, or_, select

from appliance.library.books import is_present
from appliance.library.sorting import folded
from appliance.models import Book, Digest, FileLink, Rendition
from appliance.reading.sessions.record import attach

MAX_LINKS = 2_000  # of a person; the one that was not seen for longest is then forgotten
PROPOSALS = 5
SEEN_STEP = timedelta(days=1)  # `seen_at` is written no more often
UNLINKED = "unlinked"
"""`FileLink.how` where a person took it back: not to be found by itself again."""

_MANY = 200  # candidates for a proposal
_LIKENESS = 0.34  # of the words of two titles

_EXACT = (
    select(Rendition.sha256, Rendition.book_id)
    .join(Digest, col(Digest.sha256) == col(Rendition.sha256))
    .join(Book, col(Book.id) == col(Rendition.book_id))
    .where(col(Digest.value) == bindparam("file"), Digest.kind == "partial_md5")
    .order_by((col(Book.main_sha256) == col(Rendition.sha256)).desc(), col(Rendition.created_at).desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Which:
    """`how`: exact, stored, identifier, linked or none. `sha256`: the rendition that has these very bytes, `None` for
    a file whose bytes are not known."""

    how: str
    book_id: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a reader says of a file. `stored`: the digest that its sidecar remembers."""

    file: str
    stored: str | None = None
    size: int | None = None
    title: str = ""
    authors: str = ""
    identifiers: Sequence[str] = ()
    name: str = ""


NOBODY_KNOWS = Which("none")


def identify(session: Session, user_id: int, file: str) -> Which:
    """Which book a file is, by its partial MD5. A look or two."""
    exact = session.connection().execute(_EXACT, {"file": file}).first()
    if exact is not None:
        return Which("exact", exact.book_id, exact.sha256)
    link = session.get(FileLink, (user_id, file))
    return Which(link.how, link.book_id) if link is not None and link.book_id is not None else NOBODY_KNOWS


def describe(session: Session, user_id: int, device_id: int, said: Description, now: datetime) -> Which:
    """Which book a file is, from what a reader says of it; remembered for when it names the file alone. Call it in a
    write transaction."""
    known = identify(session, user_id, said.file)
    if known.how == "exact":
        return known
    link = session.get(FileLink, (user_id, said.file))
    if known.book_id is None and (link is None or link.how != UNLINKED):
        known = _by_itself(session, said)
    told = {
        "title": said.title[:500],
        "authors": said.authors[:500],
        "name": said.name[:500],
        "size": said.size,
        "device_id": device_id,
    }
    if known.book_id is not None:
        told |= {"book_id": known.book_id, "how": known.how}
    if link is None:
        _make_room(session, user_id)
        link = FileLink(user_id=user_id, file=said.file, device_id=device_id, seen_at=now)
    elif all(getattr(link, name) == value for name, value in told.items()) and now - link.seen_at < SEEN_STEP:
        return known
    for name, value in told.items():
        setattr(link, name, value)
    link.seen_at = now
    session.add(link)
    if known.book_id is not None:
        attach(session, user_id, said.file, known.book_id)
    return known


def link(session: Session, user_id: int, device_id: int, file: str, book_id: str | None, now: datetime) -> bool:
    """A person says which book a file is, or (`None`) takes it back. `False`: there is no such book. Call it in a write
    transaction."""
    if book_id is not None and session.get(Book, book_id) is None:
        return False
    row = session.get(FileLink, (user_id, file))
    if row is None:
        _make_room(session, user_id)
        row = FileLink(user_id=user_id, file=file, device_id=device_id, seen_at=now)
    row.book_id, row.how = book_id, "linked" if book_id is not None else UNLINKED
    session.add(row)
    session.flush()
    if book_id is not None:
        attach(session, user_id, file, book_id)
    return True


def links_of(session: Session, user_id: int) -> list[FileLink]:
    """The files of a person whose bytes the library does not have, those that nobody knows first, the latest first."""
    exact = select(Digest.value).where(Digest.kind == "partial_md5")
    query = select(FileLink).where(FileLink.user_id == user_id, col(FileLink.file).not_in(exact))
    return list(session.exec(query.order_by(col(FileLink.book_id).is_not(None), col(FileLink.seen_at).desc())))


def proposals(session: Session, title: str, authors: str = "") -> list[Book]:
    """Books that a file of that title may be, the likeliest first: for a person to choose from."""
    words = _words(title)
    if not words:
        return []
    longest = sorted(words, key=len, reverse=True)[:4]
    having = or_(*(col(Book.search_text).contains(word, autoescape=True) for word in longest))
    found = session.exec(select(Book).where(is_present(), having).limit(_MANY)).all()
    wanted = words | _words(authors)
    scored = [(_likeness(words, wanted, book), book) for book in found]
    likely = sorted((one for one in scored if one[0] >= _LIKENESS), key=lambda one: (-one[0], one[1].title_key))
    return [book for _, book in likely[:PROPOSALS]]


def library_mark(session: Session, user_id: int) -> str:
    """Changes with every change of the books, and of what the person said of files."""
    books = session.exec(select(func.count(), func.max(Book.changed_at)).select_from(Book)).one()
    renditions = session.exec(select(func.count()).select_from(Rendition)).one()
    linked = select(func.count()).where(FileLink.user_id == user_id, col(FileLink.how).in_(["linked", UNLINKED]))
    changed = books[1].timestamp() if books[1] is not None else 0
    return f"{books[0]}-{renditions}-{changed:.0f}-{session.exec(linked).one()}"


def _by_itself(session: Session, said: Description) -> Which:
    """By the digest or the identifier that the file remembers, if its title is that of the book."""
    if said.stored and said.stored != said.file:
        stored = session.connection().execute(_EXACT, {"file": said.stored.lower()}).first()
        if stored is not None and _is_of(session, stored.book_id, said, is_title_needed=False):
            return Which("stored", stored.book_id)
    names = {name for line in said.identifiers for name in _spellings(line)}
    if names:
        query = select(Rendition.book_id).where(col(Rendition.unique_identifier).in_(sorted(names))).distinct().limit(9)
        books = [book for book in session.exec(query) if _is_of(session, book, said, is_title_needed=True)]
        if len(books) == 1:
            return Which("identifier", books[0])
    return NOBODY_KNOWS


def _is_of(session: Session, book_id: str, said: Description, *, is_title_needed: bool) -> bool:
    """A sidecar may have been copied from another book, and makers of books copy identifiers."""
    book = session.get(Book, book_id)
    if book is None or not said.title:
        return book is not None and not is_title_needed
    return folded(book.title) == folded(said.title)


def _spellings(identifier: str) -> set[str]:
    """How a package document may spell what KOReader shows: `uuid:1234` may be `urn:uuid:1234` or `1234`."""
    plain = identifier.strip()[:200]
    if len(plain) < 6:
        return set()
    bare = plain.removeprefix("urn:")
    value = bare.partition(":")[2]
    return {plain, bare, f"urn:{bare}"} | ({value} if len(value) >= 6 else set())


def _words(text: str) -> set[str]:
    words = {"".join(letter for letter in word if letter.isalnum()) for word in folded(text).split()}
    return {word for word in words if len(word) > 1}


def _likeness(title: set[str], wanted: set[str], book: Book) -> float:
    has = _words(book.title)
    if not has & title:
        return 0.0
    everything = has | _words(" ".join(book.authors))
    return max(len(has & title) / len(has | title), len(everything & wanted) / len(everything | wanted))


def _make_room(session: Session, user_id: int) -> None:
    mine = select(FileLink).where(FileLink.user_id == user_id)
    if session.exec(select(func.count()).select_from(mine.subquery())).one() >= MAX_LINKS:
        oldest = session.exec(mine.order_by(col(FileLink.how) == "linked", col(FileLink.seen_at)).limit(1)).one()
        session.delete(oldest)
        session.flush()
