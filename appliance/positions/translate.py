"""A place of one rendition in another rendition of the same book (docs/reference/positions.md C.2, C.6)."""

from dataclasses import replace

from appliance.positions.book import UNREADABLE, OpenBook
from appliance.positions.book_alignment import SAME_BOOK, SAME_DOCUMENT, BookAlignment, Stretch, length
from appliance.positions.canonical import Place, Position, RangePlace, Reason, Status, worst
from appliance.positions.correspondence import Correspondence, Landing
from appliance.positions.ranges import range_text
from appliance.positions.summary import SpineDocument

LARGE = 12 * 1024 * 1024  # bytes of markup, unpacked, in both renditions: comparing more takes too long in a request
_SURE = (Status.EXACT, Status.RECOVERED)


def translate(place: Place, source: OpenBook, target: OpenBook) -> Place:
    """The same word in `target`. The status is the weakest of the steps; never raises.

    Documents are matched by path and hash of their text, then by the hash; there the place is the same, exactly. The
    others are compared: at first with the document of the same path, then all with all, because text moves between
    documents when they are split, merged or renamed. Where the text is equal the place is exact; where it is equal but
    for punctuation and the like, or moved, it is recovered; where it exists on one side only it is snapped to the
    nearest text of both. Of two books that have less than half of their text in common, only the share of the book
    is carried over.
    """
    position = place.position
    if position is None or source.sha256 == target.sha256:
        return place
    try:
        document = source.summary.document(position.document, position.occurrence)
        if document is None:
            return Place(None, Status.FAILED, Reason.NO_DOCUMENT, None, target.summary.total)
        namesake = target.summary.document(position.document, position.occurrence)
        if namesake is not None and (namesake.digest, namesake.occurrence) == (document.digest, document.occurrence):
            return _land(place, target, namesake, Landing(position.k, Status.EXACT, Reason.NONE))
        return _carry(place, position, document, source, target)
    except UNREADABLE:
        return Place(None, Status.FAILED, Reason.UNREADABLE, None, 0)


def translate_range(found: RangePlace, source: OpenBook, target: OpenBook) -> RangePlace:
    """The same text in `target`. Exact only where all of it is the same text; never raises."""
    start, end = found.start, found.end
    if start.position is None or end.position is None or source.sha256 == target.sha256:
        return RangePlace(translate(start, source, target), translate(end, source, target))
    here = translate(start, source, target)
    if start.tick == end.tick:
        position = replace(here.position, affinity="before") if here.position is not None else None
        return RangePlace(here, replace(here, position=position))
    if end.position.affinity != "before":
        end = replace(end, position=replace(end.position, affinity="before"))
    there = translate(end, source, target)
    if here.tick is None or there.tick is None or start.tick is None or end.tick is None:
        return RangePlace(here, there)
    if there.tick < here.tick:
        # Its ends went to different places: what is sure is where it begins.
        end_tick = target.at_tick(here.tick + end.tick - start.tick).position
        position = replace(end_tick, affinity="before") if end_tick is not None else None
        return RangePlace(here, replace(there, position=position, status=Status.APPROXIMATE, reason=Reason.MOVED))
    carried = RangePlace(here, there)
    if carried.status is Status.EXACT and not _is_same_text(found, source, carried, target):
        return RangePlace(here, replace(there, status=Status.RECOVERED, reason=Reason.DIFFERENT_TEXT))
    return carried


def _is_same_text(found: RangePlace, source: OpenBook, carried: RangePlace, target: OpenBook) -> bool:
    assert found.range is not None and carried.range is not None
    here, there = found.range, carried.range
    one = source.summary.document(here.start.document, here.start.occurrence)
    other = target.summary.document(there.start.document, there.start.occurrence)
    is_inside = (here.start.document, there.start.document) == (here.end.document, there.end.document)
    if is_inside and one is not None and other is not None and one.digest == other.digest:
        return here.end.k - here.start.k == there.end.k - there.start.k
    return range_text(source, here) == range_text(target, there)


def share_of_text(source: OpenBook, target: OpenBook) -> float | None:
    """How much of the text of `source` stands in `target` too, 0 … 1; `None` when they are too large to be compared.
    Raises `BookError` or `OSError`."""
    alignment = source.alignment(target)
    if _is_rest(alignment) and _compare_rest(alignment, source, target) is None:
        return None
    whole = length(source.summary)
    return min(alignment.matched / whole, 1.0) if whole else 1.0


def _carry(place: Place, position: Position, document: SpineDocument, source: OpenBook, target: OpenBook) -> Place:
    alignment = source.alignment(target)
    # A file that is in the spine several times is compared once.
    document = source.summary.document(document.path, 0) or document
    twin = alignment.twin(document)
    if twin is not None:
        return _land(place, target, twin, Landing(position.k, Status.EXACT, Reason.NONE))
    is_before = position.affinity == "before"
    run = alignment.run(document)
    if run is not None and _is_equal(alignment, source, target, *run):
        _, left, right = run
        part, k = right.find(left.offset(document, position.k), before=is_before)
        return _land(place, target, part, Landing(k, Status.EXACT, Reason.NONE))
    landing, other = None, alignment.namesake(document)
    if other is not None:
        found = _compare(
            alignment, source, target, Stretch([document]), Stretch([other]), (document.ordinal, other.ordinal)
        )
        if found is not None and found.share >= SAME_DOCUMENT:
            landing = _across(alignment, found, position.k, is_before)
    if other is None or landing is None or landing.status not in _SURE:
        rest = _compare_rest(alignment, source, target)
        if rest is not None and alignment.share >= SAME_BOOK and document.length:
            elsewhere = _across(alignment, rest, alignment.left_rest.offset(document, position.k), is_before)
            if landing is None or elsewhere.status.rank < landing.status.rank:
                other, k = alignment.right_rest.find(elsewhere.k, before=is_before)
                landing = elsewhere._replace(k=k)
    if other is None or landing is None:
        return _guess(place, document, source, target, alignment)
    landed = _land(place, target, other, landing)
    low, high = alignment.between(document)
    if landing.status not in _SURE and landed.tick is not None and not low <= landed.tick <= high:
        return _at_tick(place, target, min(max(landed.tick, low), high), landing.status, landing.reason)
    return landed


def _is_rest(alignment: BookAlignment) -> bool:
    return bool(alignment.left_rest.documents) and bool(alignment.right_rest.documents)


def _compare_rest(alignment: BookAlignment, source: OpenBook, target: OpenBook) -> Correspondence | None:
    if not _is_rest(alignment):
        return None
    return _compare(alignment, source, target, alignment.left_rest, alignment.right_rest, None)


def _compare(
    alignment: BookAlignment,
    source: OpenBook,
    target: OpenBook,
    left: Stretch,
    right: Stretch,
    pair: tuple[int, int] | None,
) -> Correspondence | None:
    """The correspondence of some documents; `None` when they cannot be read, or are too large to be compared now."""
    if alignment.is_flipped:
        source, target, left, right = target, source, right, left
        pair = pair[::-1] if pair is not None else None
    found = alignment.compared.get(pair)
    if found is None and left.size + right.size <= LARGE:
        try:
            found = Correspondence(_text(source, left), _text(target, right))
        except UNREADABLE:  # the file is gone; its summary still knows the documents
            return None
        alignment.compared[pair] = found
        source.keep_alignment(target, alignment)
    return found


def _is_equal(
    alignment: BookAlignment, source: OpenBook, target: OpenBook, at: tuple[int, int], left: Stretch, right: Stretch
) -> bool:
    """Whether two runs of documents, which lie at the same place of the rest, have the same text."""
    known = alignment.equal.get(at)
    if known is None:
        if left.size + right.size > LARGE:
            return False
        try:
            known = alignment.equal[at] = _text(source, left) == _text(target, right)
        except UNREADABLE:
            return False
    return known


def _text(book: OpenBook, stretch: Stretch) -> str:
    return "".join(book.canonical_text(document) for document in stretch.documents)


def _across(alignment: BookAlignment, found: Correspondence, k: int, is_before: bool) -> Landing:
    return (found.to_left if alignment.is_flipped else found.to_right)(k, before=is_before)


def _guess(
    place: Place, document: SpineDocument, source: OpenBook, target: OpenBook, alignment: BookAlignment
) -> Place:
    """From the share of the book alone; between the documents that both books have."""
    here = source.summary
    low, high = alignment.between(document)
    if low == high:  # nothing stands here in the other book: its neighbours meet
        return _at_tick(place, target, low, Status.SNAPPED, Reason.DIFFERENT_TEXT)
    share = (place.tick or 0) / here.total if here.total else 0.0
    tick = min(max(round(share * target.summary.total), low), high)
    is_large = alignment.left_rest.size + alignment.right_rest.size > LARGE and _is_rest(alignment)
    reason = Reason.TOO_LARGE if is_large else Reason.DIFFERENT_TEXT
    return _at_tick(place, target, tick, Status.APPROXIMATE, reason)


def _at_tick(place: Place, target: OpenBook, tick: int, status: Status, reason: Reason) -> Place:
    landed = target.at_tick(tick)
    if landed.position is None or place.position is None:
        return landed
    weakest = worst(place.status, status)
    position = replace(landed.position, affinity=place.position.affinity)
    return replace(landed, position=position, status=weakest, reason=reason if weakest is status else place.reason)


def _land(place: Place, target: OpenBook, document: SpineDocument, landing: Landing) -> Place:
    assert place.position is not None
    affinity, occurrence = place.position.affinity, place.position.occurrence
    same = target.summary.document(document.path, occurrence) or document
    landed = target.place(Position(same.path, same.occurrence, landing.k, affinity))
    if landed.position is None:
        return landed
    status = worst(place.status, landing.status, landed.status)
    reason = landing.reason
    if landing.status is not status:
        reason = place.reason if place.status is status else landed.reason
    if (status, reason) == (landed.status, landed.reason):
        return landed
    return replace(landed, status=status, reason=reason)
