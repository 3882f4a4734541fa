"""A book's own places, walked through every dialect and back (docs/reference/positions.md C.10).

Each system is a dialect in one file: KOReader in the EPUB and in the KEPUB, the browser in both, the Kobo in the KEPUB.
A place begins as one system names it; what another makes of that is read again, and the status it claims is held
against the character that it means. What is called exact and is not is *silently wrong*; there must be none.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from appliance.positions import dialects
from appliance.positions.book import OpenBook
from appliance.positions.canonical import Place, Position, Range, RangePlace, Status
from appliance.positions.dialects import Dialect, Written
from appliance.positions.interpreter import carry, place_of, say
from appliance.positions.ranges import decode_cfi_range, range_text
from appliance.positions.sampling import sample

Found = Place | RangePlace

HOPS = 10
WALKS = 10  # one place in so many goes ten hops
MAX_EXAMPLES = 20
EQUAL = 24  # canonical characters that must agree at a place in two documents of equal text


@dataclass(frozen=True)
class System:
    """A dialect in the coordinates of one file. `name`: `X-EPUB`, `C-KEPUB`, `K` …"""

    name: str
    dialect: Dialect
    book: OpenBook


@dataclass
class Pair:
    """What became of the places of one system in another: how many by the status they were given, and how many of
    those were not what the status says."""

    statuses: Counter[Status] = field(default_factory=Counter)
    wrong: int = 0

    @property
    def exact(self) -> float:
        """Share that is rightly called exact."""
        total = self.statuses.total()
        return (self.statuses[Status.EXACT] - self.wrong) / total if total else 0.0


Pairs = dict[tuple[str, str], Pair]


@dataclass
class SelfTest:
    """The result. `points`, `ranges`: by the names of two systems, from and to. `walks`: places that went ten hops, of
    which `flagged` were not called exact on the way and `drifted` ended elsewhere though they were. `examples`: some of
    what was silently wrong, in words."""

    systems: tuple[str, ...]
    places: int = 0
    points: Pairs = field(default_factory=dict)
    ranges: Pairs = field(default_factory=dict)
    walks: int = 0
    flagged: int = 0
    drifted: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """How many translations were silently wrong."""
        return sum(pair.wrong for pair in (*self.points.values(), *self.ranges.values())) + self.drifted


def systems(book: OpenBook, kepub: OpenBook | None) -> tuple[System, ...]:
    """The systems of a book and the KEPUB made of it; of a KEPUB alone without the second."""
    found: list[System] = []
    for file in (book, kepub):
        if file is not None:
            kind = "KEPUB" if file is kepub or dialects.has_spans(file) else "EPUB"
            found += [System(f"X-{kind}", "xpointer", file), System(f"C-{kind}", "cfi", file)]
    return (*found, *(System("K", "kobo", file) for file in (kepub or book,) if dialects.has_spans(file)))


def walk(
    book: OpenBook,
    kepub: OpenBook | None,
    points: int,
    ranges: int,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> SelfTest:
    """Try so many places of `book` in all pairs of systems. `kepub`: the KEPUB of it, if it is none itself.

    The work is bounded by the number of places and the size of the documents they lie in (one for every ten places).
    Raises `BookError` or `OSError` when a file cannot be read.
    """
    known = systems(book, kepub)
    result = SelfTest(tuple(system.name for system in known))
    random = Random(seed)
    for number, where in enumerate(sample(book, points, ranges, random)):
        progress(number, points + ranges)
        result.places += 1
        found = _found(book, where)
        for system in known:
            begun = _named(system, carry(found, book, system.book))
            if begun is not None:
                for other in known:
                    _go(result, system, other, begun)
        if number % WALKS == 0:
            _hop(result, found, book, [random.choice(known) for _ in range(HOPS)])
    return result


def _found(book: OpenBook, where: Position | Range) -> Found:
    return RangePlace(book.place(where.start), book.place(where.end)) if isinstance(where, Range) else book.place(where)


def _named(system: System, found: Found) -> Found | None:
    """The place that the system's own name for it means; `None` where it has no name."""
    written = say(system.book, system.dialect, found)
    if written.value is None:
        return None
    read = _read(system, written.value, found)
    # A name that is only near the place is a good name of where it is.
    return read if place_of(read) is not None else None


def _read(system: System, value: Any, kind: Found) -> Found:
    """What a name means; read as a range where `kind` is one, because the CFI of an empty range is that of a point."""
    if system.dialect == "cfi" and isinstance(kind, RangePlace):
        return decode_cfi_range(system.book, value)
    return dialects.decode(system.book, system.dialect, dialects.parse(system.dialect, value))


def _go(result: SelfTest, system: System, other: System, begun: Found) -> None:
    """One place from one system to another, and what the other's name for it means."""
    there = carry(begun, system.book, other.book)
    written = say(other.book, other.dialect, there)
    pairs = result.ranges if isinstance(begun, RangePlace) else result.points
    pair = pairs.setdefault((system.name, other.name), Pair())
    pair.statuses[written.status] += 1
    if written.status not in (Status.EXACT, Status.SNAPPED):
        return
    read = _read(other, written.value, begun)
    fault = _fault(written, there, read)
    if not fault and written.status is Status.EXACT:
        fault = _differs(begun, system.book, read, other.book)
        if not fault and not _same(begun, carry(read, other.book, system.book)):
            fault = "does not come back"
    if fault:
        pair.wrong += 1
        if len(result.examples) < MAX_EXAMPLES:
            result.examples.append(f"{system.name} → {other.name}: {written.value}, called {written.status}, {fault}")


def _hop(result: SelfTest, found: Found, book: OpenBook, way: list[System]) -> None:
    """A place through many systems, one after the other; at the end it must be where it was."""
    result.walks += 1
    here, at = found, book
    for system in way:
        written = say(system.book, system.dialect, carry(here, at, system.book))
        if written.status is not Status.EXACT:
            result.flagged += 1
            return
        here, at = _read(system, written.value, here), system.book
    if not _same(found, carry(here, at, book)):
        result.drifted += 1
        if len(result.examples) < MAX_EXAMPLES:
            names = " → ".join(system.name for system in way)
            result.examples.append(f"{names}: {_said(found)} came back as {_said(carry(here, at, book))}")


def _fault(written: Written, there: Found, read: Found) -> str:
    """Why a name does not stand for the place it was given for, or not for one at the distance that was said."""
    distances = written.distance if isinstance(written.distance, tuple) else (written.distance,)
    for wanted, meant, distance in zip(_ends(there), _ends(read), distances, strict=True):
        if meant.position is None or wanted.position is None:
            return f"cannot be read ({meant.reason})"
        if written.status is Status.EXACT:
            distance = 0
        # A file that stands in the spine twice has each place twice, and a Kobo cannot tell which.
        aways = {(wanted.tick or 0) - (meant.tick or 0)}
        if wanted.position.document == meant.position.document:
            aways.add(wanted.position.k - meant.position.k)
        if distance not in aways:
            return f"is {min(aways, key=abs)} characters away, not {distance}"
    return ""


def _differs(begun: Found, source: OpenBook, read: Found, target: OpenBook) -> str:
    """Why the text at two places is not the same text."""
    one, other = place_of(begun), place_of(read)
    if isinstance(one, Range) and isinstance(other, Range):
        return "" if range_text(source, one) == range_text(target, other) else "selects other text"
    if not isinstance(one, Position) or not isinstance(other, Position):
        return "is a point here and a range there"
    here = source.summary.document(one.document, one.occurrence)
    there = target.summary.document(other.document, other.occurrence)
    # In documents that differ, nothing is said of more than the character beside the place.
    length = EQUAL if here is not None and there is not None and here.digest == there.digest else 1
    before, after = (length, 0) if one.affinity == "before" else (0, length)
    mine, its = source.quote(one, before, after), target.quote(other, before, after)
    return "" if (mine.prefix, mine.suffix) == (its.prefix, its.suffix) else "stands at other text"


def _same(one: Found, other: Found) -> bool:
    """The same characters. A file that stands in the spine twice has them twice, and not every dialect can tell."""
    return all(
        a.position is not None
        and b.position is not None
        and (a.tick == b.tick or (a.position.document, a.position.k) == (b.position.document, b.position.k))
        for a, b in zip(_ends(one), _ends(other), strict=True)
    )


def _ends(found: Found) -> tuple[Place, ...]:
    return (found.start, found.end) if isinstance(found, RangePlace) else (found,)


def _said(found: Found) -> str:
    places = (place.position for place in _ends(found))
    return " to ".join("nothing" if at is None else f"{at.document} {at.k} ({at.affinity})" for at in places)
