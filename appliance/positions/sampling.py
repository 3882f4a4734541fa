"""Places of a book to try things with: beginnings and ends of documents, images, block borders, anything between."""

import re
from collections.abc import Iterator
from random import Random

from appliance.positions.book import UNREADABLE, OpenBook
from appliance.positions.canonical import ATOM, Position, Range
from appliance.positions.summary import SpineDocument

PER_DOCUMENT = 10  # places: fewer would spend the time on indexing documents
LONGEST = 400  # canonical characters of a range


def sample(book: OpenBook, points: int, ranges: int, random: Random) -> Iterator[Position | Range]:
    """So many points and ranges, document by document, spread over the book by the amount of text.

    Deterministic for a seed. Reads one document for every ten places. Raises `BookError`, `OSError`.
    """
    documents = _spread(book, max((points + ranges) // PER_DOCUMENT, 1))
    # The shortest first: what they have no room for falls to the others.
    for left, document in zip(range(len(documents), 0, -1), sorted(documents, key=lambda d: d.length), strict=True):
        try:
            text = book.canonical_text(document)
        except UNREADABLE:
            continue
        few, some = min(-(-points // left), len(text) + 1), min(-(-ranges // left), len(text))
        points, ranges = points - few, ranges - some
        places = _places(text, random)
        for _ in range(few):
            k = next(places)
            yield Position(document.path, document.occurrence, k, "before" if k == len(text) else "after")
        places = _places(text, random)
        for _ in range(some):
            yield _range(book, document, next(places), random)


def _spread(book: OpenBook, most: int) -> list[SpineDocument]:
    """Documents at equal distances in the text, the first and the last among them."""
    summary = book.summary
    readable = [document for document in summary.documents if document.length]
    if len(readable) <= most:
        return readable
    chosen = {readable[0].ordinal, readable[-1].ordinal} if most > 1 else set()
    for number in range(most):
        position = book.at_tick(summary.total * (2 * number + 1) // (2 * most)).position
        document = summary.document(position.document, position.occurrence) if position is not None else None
        if document is not None:
            chosen.add(document.ordinal)
    return [document for document in readable if document.ordinal in chosen]


def _places(text: str, random: Random) -> Iterator[int]:
    """First what is special, then anything."""
    atoms = [match.start() for match in re.finditer(ATOM, text)]
    special = [0, len(text), *random.sample(atoms, min(len(atoms), 3))]
    special += [k + 1 for k in special[2:4]]
    yield from dict.fromkeys(special)
    while True:
        yield random.randrange(len(text) + 1)


def _range(book: OpenBook, document: SpineDocument, k: int, random: Random) -> Range:
    """A stretch of text from `k` on, one in five into the next document that has any."""
    start = Position(document.path, document.occurrence, min(k, document.length - 1))
    later = book.summary.documents[document.ordinal + 1 :]
    follower = next((other for other in later if other.length), None)
    if follower is not None and random.random() < 0.2:
        stop = min(random.randint(1, LONGEST), follower.length)
        return Range(start, Position(follower.path, follower.occurrence, stop, "before"))
    stop = min(start.k + round(random.triangular(1, LONGEST, 1)), document.length)
    return Range(start, Position(document.path, document.occurrence, stop, "before"))
