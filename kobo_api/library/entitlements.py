"""A book as a Kobo is told of it: entitlement, metadata, and the fingerprint that says whether either changed."""

import hashlib
import uuid
from datetime import datetime
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from appliance.library.covers import picture_id
from kobo_api.wire import BookEntitlement, BookMetadata, DownloadUrl, RemovedMetadata, Series, write_time

MAX_DESCRIPTION = 20_000  # characters


class BookRow(Protocol):
    """What is needed of a book; the rows of `book_rows` have it."""

    id: str
    title: str
    authors: list[str]
    language: str
    identifiers: list[str]
    series: str | None
    series_index: float | None
    description: str
    publisher: str
    published: str
    cover_sha256: str | None


def entitlement(id: str, created: datetime, modified: datetime, *, removed: bool = False) -> BookEntitlement:
    """4.5. A removed book is hidden from the device's archive too."""
    start = write_time(created)
    return BookEntitlement(
        active_period={"From": start},
        created=start,
        cross_revision_id=id,
        id=id,
        last_modified=write_time(modified),
        revision_id=id,
        is_removed=removed,
        is_hidden_from_archive=removed,
    )


def metadata(id: str, book: BookRow, url: DownloadUrl) -> BookMetadata:
    """4.6, with exactly one URL: of two, the device may take the one without spans."""
    description = book.description[:MAX_DESCRIPTION]
    return BookMetadata(
        contributor_roles=[{"Name": name, "Role": "Author"} for name in book.authors],
        contributors=book.authors,
        cover_image_id=cover_image_id(id, book),
        cross_revision_id=id,
        download_urls=[url],
        entitlement_id=id,
        language=book.language[:2].lower() or "en",
        publisher={"Imprint": "", "Name": book.publisher},
        revision_id=id,
        title=book.title,
        work_id=id,
        # An empty description would not replace an old one on the device; one space does.
        description=description or " ",
        isbn=_isbn(book.identifiers),
        publication_date=_published(book.published),
        series=_series(book.series, book.series_index),
    )


def removed_metadata(id: str) -> RemovedMetadata:
    """4.7: the stub that goes with a removal."""
    return RemovedMetadata(id, id, id, id, id)


def fingerprint(shown: BookMetadata) -> str:
    """What changes when a person would see a difference. The file is not part of it: it has its own (`edition`)."""
    frozen = msgspec.structs.replace(shown, download_urls=[])
    return hashlib.blake2b(msgspec.json.encode(frozen), digest_size=16).hexdigest()


def cover_image_id(id: str, book: BookRow) -> str:
    """Names the picture by its content, because the device keeps what it once got under an id for ever (6.3)."""
    return f"{id}-{picture_id(book)[:16]}"  # type: ignore[arg-type]  # the row has what it needs of a Book


def _isbn(identifiers: list[str]) -> str | UnsetType:
    for identifier in identifiers:
        scheme, _, value = identifier.partition(":")
        if scheme.lower() == "isbn" and value:
            return value
    return UNSET


def _published(text: str) -> str | UnsetType:
    """`2019`, `2019-05` or `2019-05-14…` as a time; years before 1000 broke clients (1.2)."""
    year, month, day = text[:4], text[5:7] or "01", text[8:10] or "01"
    try:
        time = datetime(int(year), int(month), int(day))  # noqa: DTZ001  (a date, not an instant)
    except ValueError:
        return UNSET
    return f"{time:%Y-%m-%d}T00:00:00Z" if time.year >= 1000 else UNSET


def _series(name: str | None, index: float | None) -> Series | UnsetType:
    if not name:
        return UNSET
    number = 0.0 if index is None else index
    shown: Any = int(number) if number == int(number) else number
    return Series(str(uuid.uuid3(uuid.NAMESPACE_DNS, name)), name, str(shown), float(number))
