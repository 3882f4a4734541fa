"""Find a place again by its text (docs/reference/positions.md C.5), and judge a place by the text a device sent."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from appliance.positions.approximate import EDITS, LONGEST, distance, search
from appliance.positions.book import UNREADABLE, OpenBook
from appliance.positions.canonical import Place, Position, RangePlace, Reason, Status
from appliance.positions.correspondence import Correspondence
from appliance.positions.fold import Folded, fold
from appliance.positions.grams import Grams
from appliance.positions.ink import ink
from appliance.positions.quote import WHOLE, TextQuote, text_between
from appliance.positions.ranges import range_text

EVIDENCE = 24  # characters that must agree, text and context together, for a place to be believed
OCCURRENCES = 1000  # places of a text that are looked at
CANDIDATES = 6  # documents that are searched because they share words with the quote
LARGE = 16 * 1024 * 1024  # bytes of markup, unpacked, that are read to find one quote
SEED = 12  # characters that agree where two texts may be alike


class _Needle(NamedTuple):
    """`inside` is what is looked for; the other two are its context."""

    before: str
    inside: str
    after: str

    @property
    def whole(self) -> str:
        return self.before + self.inside + self.after


class _Hit(NamedTuple):
    """Ticks of the book. `reason`: how it was found."""

    start: int
    end: int
    reason: Reason


def recover(book: OpenBook, quote: TextQuote, grams: Grams | None = None) -> RangePlace:
    """The place or range of a quote in a book, whichever file it was made from.

    EXACT: the same text stands at the same place. RECOVERED: it was found elsewhere (MOVED), with other punctuation or
    up to 20 % other characters (DIFFERENT_TEXT), or in several places alike of which this is the nearest (AMBIGUOUS).
    APPROXIMATE: from the share of the document or the book. `grams`: of this book, for whoever looks for many quotes;
    made when needed otherwise. Never raises.
    """
    try:
        return _recover(book, quote, grams)
    except UNREADABLE:
        failed = Place(None, Status.FAILED, Reason.UNREADABLE, None, 0)
        return RangePlace(failed, failed)


def confirm(book: OpenBook, found: RangePlace, device_text: str) -> RangePlace:
    """A decoded range, checked against the text that the device sent with it.

    Structure is trusted before text, because devices insert and leave out characters: only when more than a fifth of
    the folded characters differ, or the locator was not resolved, is the text looked for (positions.md C.5). If it
    cannot be found, what the structure says stays, as APPROXIMATE.
    """
    text = ink(device_text)
    if not text:
        return found
    selected = range_text(book, found.range) if found.range is not None else ""
    if found.range is not None and (selected == text or _is_alike(fold(selected), fold(text))):
        return found
    start = found.start.position
    quote = TextQuote(
        text if len(text) <= WHOLE else text[: WHOLE // 2] + text[-WHOLE // 2 :],
        "",
        "",
        len(text),
        start.document if start is not None else "",
        start.occurrence if start is not None else 0,
        start.k if start is not None else 0,
        0,
        found.start.tick or 0,
        found.start.total,
        "",
    )
    recovered = recover(book, quote)
    if recovered.status in (Status.EXACT, Status.RECOVERED):
        return _judged(recovered, Status.RECOVERED, recovered.reason or Reason.DIFFERENT_TEXT)
    if found.range is None:
        return found
    return _judged(found, Status.APPROXIMATE, Reason.DIFFERENT_TEXT)


def _judged(found: RangePlace, status: Status, reason: Reason) -> RangePlace:
    return RangePlace(
        replace(found.start, status=status, reason=reason), replace(found.end, status=status, reason=reason)
    )


def _is_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    if max(len(one), len(other)) > LONGEST:  # both ends tell enough
        half = LONGEST // 2
        return abs(len(one) - len(other)) <= EDITS * len(other) and all(
            _is_alike(*pair) for pair in ((one[:half], other[:half]), (one[-half:], other[-half:]))
        )
    return distance(one, other) <= EDITS * max(len(one), len(other))


def _recover(book: OpenBook, quote: TextQuote, grams: Grams | None) -> RangePlace:
    summary = book.summary
    document = summary.document(quote.document, quote.occurrence)
    if document is not None and document.length:
        base = summary.bases[document.ordinal]
        if quote.k <= document.length and _stands_at(book, quote, base, base + quote.k):
            return _found(book, _Hit(base + quote.k, base + quote.k + quote.length, Reason.NONE), Status.EXACT)
        scale = document.length / quote.document_length if quote.document_length else 1.0
        expected = base + min(round(quote.k * scale), document.length)
    else:
        expected = round(quote.tick * summary.total / quote.total) if quote.total else 0
    finder = _Finder(book, grams)
    if quote.length <= WHOLE:
        hit = finder.find(_Needle(quote.prefix, quote.exact, quote.suffix), expected)
    else:
        first = finder.find(_Needle(quote.prefix, quote.head, ""), expected)
        last = finder.find(_Needle("", quote.tail, quote.suffix), (first.start if first else expected) + quote.length)
        hit = None
        if (
            first is not None
            and last is not None
            and abs(last.end - first.start - quote.length) <= EDITS * quote.length
        ):
            hit = _Hit(first.start, last.end, max(first.reason, last.reason, key=_DOUBT.index))
    if hit is not None:
        return _found(book, hit, Status.RECOVERED)
    reason = Reason.TOO_LARGE if finder.gave_up else Reason.DIFFERENT_TEXT
    return _found(book, _Hit(expected, min(expected + quote.length, summary.total), reason), Status.APPROXIMATE)


_DOUBT = (Reason.MOVED, Reason.DIFFERENT_TEXT, Reason.AMBIGUOUS)


def _stands_at(book: OpenBook, quote: TextQuote, base: int, tick: int) -> bool:
    if not quote.prefix and not quote.exact and not quote.suffix:
        return False
    end = tick + quote.length
    return (
        tick - len(quote.prefix) >= base
        and text_between(book, tick - len(quote.prefix), tick + len(quote.head)) == quote.prefix + quote.head
        and text_between(book, end - len(quote.tail), end + len(quote.suffix)) == quote.tail + quote.suffix
    )


def _found(book: OpenBook, hit: _Hit, status: Status) -> RangePlace:
    start = book.at_tick(hit.start)
    if hit.end <= hit.start:
        end = start
    else:  # behind its last character, not before the next one, which may stand in another document
        end = book.at_tick(hit.end - 1)
        position = end.position
        if position is not None:
            end = replace(end, position=Position(position.document, position.occurrence, position.k + 1, "before"))
        end = replace(end, tick=hit.end)
    return _judged(RangePlace(start, end), status, hit.reason)


class _Finder:
    """Looks for needles in one book: as they stand and then folded, in the expected document, its neighbours and
    wherever their words stand; at last, in all of these, with some characters changed."""

    def __init__(self, book: OpenBook, grams: Grams | None) -> None:
        self._book = book
        self._grams = grams
        self._texts: dict[tuple[int, int], tuple[int, Folded]] = {}
        self.gave_up = False

    def find(self, needle: _Needle, expected: int) -> _Hit | None:
        """`expected`: the tick where it should stand."""
        at = self._book.at_tick(expected).position
        document = self._book.summary.document(at.document, at.occurrence) if at is not None else None
        if document is None or not needle.whole:
            return None
        here, last = document.ordinal, len(self._book.summary.documents) - 1
        near = [[here], [max(here - 1, 0), min(here + 1, last)]]
        for look in (self._as_it_stands, self._folded):
            for ordinals in near:
                if hit := _nearest([hit for at in ordinals for hit in look(needle, at, expected)], expected):
                    return hit
        likely = self._likely(needle)
        for look, ordinals in (
            (self._as_it_stands, likely),
            (self._folded, likely),
            *((self._changed, ordinals) for ordinals in [*near, likely]),
        ):
            if hit := _nearest([hit for at in ordinals for hit in look(needle, at, expected)], expected):
                return hit
        return None

    def _likely(self, needle: _Needle) -> list[int]:
        """Documents that share words with the needle."""
        if self._grams is None:
            if sum(document.size for document in self._book.summary.documents) > LARGE:
                self.gave_up = True
                return []
            self._grams = Grams(self._book)
        return self._grams.documents(fold(needle.whole))[:CANDIDATES]

    def _as_it_stands(self, needle: _Needle, ordinal: int, expected: int) -> list[_Hit]:
        low, text = self._text(needle, ordinal)
        return _shifted(_occurrences(text.source, needle, expected - low, Reason.MOVED), low)

    def _folded(self, needle: _Needle, ordinal: int, expected: int) -> list[_Hit]:
        low, text = self._text(needle, ordinal)
        hits = _occurrences(text.text, _folded(needle), _expected(text, expected - low), Reason.DIFFERENT_TEXT)
        return _shifted([_unfolded(text, hit) for hit in hits], low)

    def _changed(self, needle: _Needle, ordinal: int, expected: int) -> list[_Hit]:
        low, text = self._text(needle, ordinal)
        hits = _alike(text.text, _folded(needle), _expected(text, expected - low))
        return _shifted([_unfolded(text, hit) for hit in hits], low)

    def _text(self, needle: _Needle, ordinal: int) -> tuple[int, Folded]:
        """A document with a little around it, because a quote may run into the next one, and the tick it begins at."""
        around = len(needle.whole)
        if (ordinal, around) not in self._texts:
            bases = self._book.summary.bases
            low = max(bases[ordinal] - around, 0)
            self._texts[ordinal, around] = low, Folded(text_between(self._book, low, bases[ordinal + 1] + around))
        return self._texts[ordinal, around]


def _folded(needle: _Needle) -> _Needle:
    return _Needle(fold(needle.before), fold(needle.inside), fold(needle.after))


def _nearest(hits: list[_Hit], expected: int) -> _Hit | None:
    """The nearest of the hits with least doubt; what several documents have is ambiguous."""
    if not hits:
        return None
    best = min(hits, key=lambda hit: (_DOUBT.index(hit.reason), abs(hit.start - expected)))
    several = len({hit.start for hit in hits if hit.reason is best.reason}) > 1
    return best._replace(reason=Reason.AMBIGUOUS) if several else best


def _shifted(hits: list[_Hit], by: int) -> list[_Hit]:
    return [_Hit(by + hit.start, by + hit.end, hit.reason) for hit in hits]


def _expected(text: Folded, k: int) -> int:
    return text.from_source(min(max(k, 0), len(text.source)))


def _unfolded(folded: Folded, hit: _Hit) -> _Hit:
    start = folded.to_source(hit.start)
    end = folded.to_source(hit.end - 1) + 1 if hit.end > hit.start else start
    return _Hit(start, end, hit.reason)


def _occurrences(text: str, needle: _Needle, expected: int, reason: Reason) -> list[_Hit]:
    """Where the text stands with the most context around it; of several places as good the nearest, as ambiguous."""
    starts = [at + len(needle.before) for at in _all(text, needle.whole)]
    if not starts and not needle.inside:  # something was put in, or left out, right here: then one side has to do
        for side, offset in ((needle.after, 0), (needle.before, len(needle.before))):
            if not starts and len(side) >= EVIDENCE:
                starts = [at + offset for at in _all(text, side)]
    if not starts and needle.inside:
        scored = [(_agreement(text, at, needle), at) for at in _all(text, needle.inside)]
        best = max(scored, default=(0, 0))[0]
        if best + len(needle.inside) >= min(EVIDENCE, len(needle.whole)):
            starts = [at for score, at in scored if score == best]
    elif (
        len(needle.whole) < EVIDENCE
        and abs(min(starts, key=lambda at: abs(at - expected), default=0) - expected) > EVIDENCE
    ):
        return []  # too little to be believed anywhere but in its place
    starts.sort(key=lambda at: abs(at - expected))
    if len(starts) > 1:
        reason = Reason.AMBIGUOUS
    return [_Hit(at, at + len(needle.inside), reason) for at in starts[:1]]


def _all(text: str, needle: str) -> Iterable[int]:
    at = text.find(needle)
    for _ in range(OCCURRENCES):
        if at < 0:
            return
        yield at
        at = text.find(needle, at + 1)


def _agreement(text: str, at: int, needle: _Needle) -> int:
    """Characters of context that agree on both sides of the text at `at`."""
    before, after = text[max(at - len(needle.before), 0) : at], text[at + len(needle.inside) :][: len(needle.after)]
    return _common(before[::-1], needle.before[::-1]) + _common(after, needle.after)


def _common(one: str, other: str) -> int:
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _alike(text: str, needle: _Needle, expected: int) -> list[_Hit]:
    """Where most of the needle stands, looked for only where some of it stands, and in its place."""
    whole = needle.whole
    if len(whole) < EVIDENCE:
        return []
    begins = {expected - len(needle.before)}
    for at in range(0, len(whole) - SEED + 1, SEED // 3):
        found = text.find(whole[at : at + SEED])
        while found >= 0 and len(begins) < 3 * CANDIDATES:
            begins.add(found - at)
            found = text.find(whole[at : at + SEED], found + SEED)
    matches = {}
    slack = len(whole) // 4
    for begin in begins:
        low = max(begin - slack, 0)
        match = search(whole, text[low : begin + len(whole) + slack])
        if match is not None:
            matches[low + match.start, low + match.end] = match.edits
    if not matches:
        return []
    fewest = min(matches.values())
    best = [span for span, edits in matches.items() if edits == fewest]
    start, end = min(best, key=lambda span: abs(span[0] - expected))
    apart = any(other_end <= start or other_start >= end for other_start, other_end in best)
    carried = Correspondence(whole, text[start:end])
    first = carried.to_right(len(needle.before)).k
    last = carried.to_right(len(needle.before) + len(needle.inside), before=True).k if needle.inside else first
    reason = Reason.AMBIGUOUS if apart else Reason.DIFFERENT_TEXT
    return [_Hit(start + first, start + max(first, last), reason)]
