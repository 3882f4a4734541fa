"""The KEPUB of a book: made once per source, registered with its digests, kept for ever."""

from pathlib import Path
from typing import Any

import msgspec
from sqlmodel import Session, col, select

from appliance.epub.archive import Archive
from appliance.epub.contents import read_contents
from appliance.epub.errors import BookError
from appliance.epub.package import read_package
from appliance.house import House
from appliance.kepub import engine_in_use
from appliance.kepub.kepubify import KepubifyError
from appliance.library.digests import digests
from appliance.library.renditions import path_of
from appliance.models import Book, Digest, Rendition
from appliance.positions import OpenBook
from appliance.positions.summary import BookSummary, summarise
from appliance.positions.translate import share_of_text


class BookFileMissing(BookError):
    """No file of the book is left in the book folders."""

    remedy = "See that the disk with the book folders is connected, or put the file back, and scan again."

    def __init__(self) -> None:
        super().__init__("The file of this book is not in the book folders any more.")


def planned_revision(house: House, session: Session, book_id: str) -> str | None:
    """A name for the KEPUB that a Kobo would get now, without making it: changes exactly when its bytes would.

    That is when the book's reference rendition changes: what was once made of it is kept, whatever becomes of the
    converters (`KepubStore.find`). `None` when no KEPUB can be made of it, and the plain EPUB has to do.
    """
    query = (
        select(Rendition.sha256, Rendition.kind, Rendition.conversion_tried)
        .join(Book, col(Book.main_sha256) == col(Rendition.sha256))
        .where(Book.id == book_id)
    )
    row = session.exec(query).first()
    if row is None:
        return None
    sha256, kind, tried = row
    if kind == "kepub":
        return sha256
    return None if tried is not None and tried == _engine(house) else f"kepub-of-{sha256}"


def prepare(house: House, book_id: str) -> Rendition:
    """The book's KEPUB, made now if needed (and registered in its own transaction). A book that is a KEPUB already is
    its own. Raises `BookError`; then the plain EPUB has to do (kobo-protocol.md 6.1)."""
    with house.database.read() as session:
        book = session.get(Book, book_id)
        source = session.get(Rendition, book.main_sha256) if book is not None and book.main_sha256 else None
        if source is None:
            raise BookFileMissing
        if source.kind == "kepub":
            return source
        made = _made_before(house, session, source.sha256)
        if made is not None:
            return made
        path = path_of(house, session, source.sha256)
    if path is None:
        raise BookFileMissing
    try:
        kepub = _convert(house, source.sha256, path)
        with Archive(kepub) as archive:
            package = read_package(archive)
            summary = summarise(archive, package)
            contents = msgspec.json.decode(msgspec.json.encode(read_contents(archive, package)))
        is_same = _is_same_text(source, path, kepub, summary)
    except BookError as error:
        with house.database.write() as session:
            failed = session.get_one(Rendition, source.sha256)
            failed.conversion_tried, failed.conversion_problem = _engine(house), str(error)
            session.add(failed)
        raise
    return _register(house, source, kepub, summary, contents, is_same_text=is_same)


def _made_before(house: House, session: Session, source_sha256: str) -> Rendition | None:
    made = select(Rendition).where(Rendition.origin_sha256 == source_sha256).order_by(col(Rendition.created_at))
    for rendition in session.exec(made).all():
        if path_of(house, session, rendition.sha256) is not None:
            return rendition
    return None


def _engine(house: House) -> str:
    try:
        return "-".join(engine_in_use("auto", house.settings.kepubify))
    except KepubifyError:
        return "-".join(engine_in_use("built-in"))


def _convert(house: House, source_sha256: str, source: Path) -> Path:
    try:
        return house.kepubs.ensure(source_sha256, source)
    except KepubifyError:
        # The built-in converter numbers the spans in the same way (kepub.md 4), so it can step in.
        return house.kepubs.ensure(source_sha256, source, "built-in")


def _is_same_text(source: Rendition, path: Path, kepub: Path, summary: BookSummary) -> bool:
    """Whether a KEPUB says what the EPUB at `path` says. Its documents may be divided otherwise."""
    if summary.fingerprint == source.text_fingerprint:
        return True
    known = BookSummary.from_json(source.summary) if source.summary else None
    before, after = OpenBook.open(path, source.sha256, known), OpenBook.open(kepub, "kepub", summary)
    try:
        # `None`: too large to be compared.
        return before.summary.total == summary.total and share_of_text(before, after) in (1.0, None)
    finally:
        before.close()
        after.close()


def _register(
    house: House,
    source: Rendition,
    kepub: Path,
    summary: BookSummary,
    contents: list[dict[str, Any]],
    *,
    is_same_text: bool,
) -> Rendition:
    """Make the file known under all its names, so that what devices say about it is understood for ever."""
    conversion = house.kepubs.conversion(kepub)
    with kepub.open("rb") as stream:
        names = digests(stream)
    doubts = list(conversion.doubts)
    if not is_same_text:
        doubts.append(
            "The text of the KEPUB is not that of the EPUB; some positions will be found by their words only."
        )
    with house.database.write() as session:
        known = session.get(Rendition, names.sha256)
        if known is not None:
            return known
        rendition = Rendition(
            sha256=names.sha256,
            book_id=source.book_id,
            kind="kepub",
            origin_sha256=source.sha256,
            engine=conversion.engine,
            engine_version=conversion.version,
            size=names.size,
            unique_identifier=source.unique_identifier,
            text_fingerprint=summary.fingerprint,
            summary=summary.to_json(),
            contents=contents,
            doubts=doubts,
            created_at=house.now(),
        )
        session.add(rendition)
        session.flush()
        session.merge(Digest(value=names.partial_md5, kind="partial_md5", sha256=names.sha256))
    return rendition
