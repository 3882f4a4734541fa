"""A place of one rendition in another rendition of the same book (docs/reference/positions.md C.2, C.6)."""

from dataclasses import replace

from appliance.positions.book import UNREADABLE, OpenBook
from appliance.positions.canonical import Place, Position, Reason, Status, worst
from appliance.positions.summary import BookSummary, SpineDocument

SAME_DOCUMENT = 0.5  # share of equal text below which two files of the same name are different documents


def translate(place: Place, source: OpenBook, target: OpenBook) -> Place:
    """The same word in `target`. The status is the weakest of the steps; never raises.

    Documents are matched by path, then by the hash of their text; with equal text the place is the same. Documents of
    the same path whose text differs are aligned. Otherwise the share of the book is all there is: approximate.
    """
    position = place.position
    if position is None:
        return place
    if source.sha256 == target.sha256:
        return place
    try:
        here, there = source.summary, target.summary
    except UNREADABLE:
        return Place(None, Status.FAILED, Reason.UNREADABLE, None, 0)
    document = here.document(position.document, position.occurrence)
    if document is None:
        return Place(None, Status.FAILED, Reason.NO_DOCUMENT, None, there.total)
    twin = _equal(document, here, there)
    if twin is not None:
        return _land(place, target, Position(twin.path, twin.occurrence, position.k, position.affinity), place.status)
    namesake = there.document(document.path, document.occurrence)
    if namesake is not None:
        alignment = source.alignment(document, target, namesake)
        if alignment is not None and alignment.share >= SAME_DOCUMENT:
            k, equal = alignment.to_right(position.k, before=position.affinity == "before")
            moved = Position(namesake.path, namesake.occurrence, k, position.affinity)
            status = Status.EXACT if equal else Status.APPROXIMATE
            return _land(place, target, moved, worst(place.status, status))
    share = (place.tick or 0) / here.total if here.total else 0.0
    guess = target.at_tick(round(share * there.total))
    if guess.position is None:
        return guess
    return replace(guess, status=Status.APPROXIMATE, reason=Reason.DIFFERENT_TEXT)


def _equal(document: SpineDocument, here: BookSummary, there: BookSummary) -> SpineDocument | None:
    """The document of the other rendition that has the same text: the one of the same path, else, where the text
    stands as often in both books, the one of the same rank."""
    if not document.digest:
        return None
    namesake = there.document(document.path, document.occurrence)
    if namesake is not None and namesake.digest == document.digest:
        return namesake
    if not document.length:
        return None  # any two empty documents are equal; that says nothing
    same = [other for other in there.documents if other.digest == document.digest]
    ranks = [other.ordinal for other in here.documents if other.digest == document.digest]
    return same[ranks.index(document.ordinal)] if len(same) == len(ranks) else None


def _land(place: Place, target: OpenBook, position: Position, status: Status) -> Place:
    landed = target.place(position)
    if landed.position is None:
        return landed
    status = worst(status, landed.status)
    reason = place.reason if status is place.status else Reason.DIFFERENT_TEXT
    return replace(landed, position=replace(landed.position, affinity=position.affinity), status=status, reason=reason)
