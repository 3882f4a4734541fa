"""One rendition, opened for translation: its summary, and the index of each document when it is first needed."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import Self

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.document import parse_document
from appliance.epub.errors import BookError
from appliance.epub.package import read_package
from appliance.positions import cfi, cfi_places, kobospan, xpointer
from appliance.positions.alignment import Alignment, align
from appliance.positions.canonical import ATOM, Affinity, Encoded, Place, Position, Reason, Status
from appliance.positions.crengine import FragmentTree
from appliance.positions.crengine_fragments import notice
from appliance.positions.crengine_scan import decode
from appliance.positions.crengine_styles import StyleBook
from appliance.positions.document import DocumentIndex
from appliance.positions.found import Found
from appliance.positions.kobospan import KoboLocator
from appliance.positions.quote import Quote, quote
from appliance.positions.recent import Recent
from appliance.positions.summary import BookSummary, SpineDocument, summarise


def _ladder(index: DocumentIndex, position: Position) -> list[tuple[int, Affinity, bool]]:
    """Places to try in turn until one has a name, and whether each is safe where numbers are in doubt: the start of a
    block is the safest there is. An end moves on rather than back, so that no range turns round."""
    k = min(max(position.k, 0), index.length)
    block = index.block_start(k)
    if position.affinity == "after" or k == 0:
        return [(at, "after", at in (block, 0)) for at in dict.fromkeys((k, block, 0))]
    # There is no name for the place behind an atom; that of the place before what follows means the same.
    nearest: list[Affinity] = ["after"] if index.text[k - 1] == ATOM and k < index.length else ["before", "after"]
    border = index.block_end(k)
    ladder: list[tuple[int, Affinity, bool]] = [(k, affinity, False) for affinity in nearest]
    return [*ladder, (border, "after", border < index.length), (index.length, "before", True)]


class OpenDocument:
    """The index of one document and, once KOReader asks, the engine's tree of it."""

    __slots__ = ("index", "tree")

    def __init__(self, index: DocumentIndex) -> None:
        self.index = index
        self.tree: FragmentTree | None = None


Documents = Recent[tuple[str, str], OpenDocument]

# Bytes kept for each byte of the file, measured over the corpus: 6 to 10 for the index, 5 to 8 for the tree.
INDEX_WEIGHT = 8
TREE_WEIGHT = 7

UNREADABLE = (BookError, OSError)


class OpenBook:
    """One rendition of a book (an EPUB or KEPUB file). Safe to share between threads.

    Positions are in this rendition's own documents; `translate` carries them to another. Nothing here raises for any
    locator or for a broken file: the status is FAILED and `reason` says why. Only `summary` raises (`BookError`,
    `OSError`).
    """

    def __init__(self, path: Path, sha256: str, summary: BookSummary | None, documents: Documents) -> None:
        self.path = path
        self.sha256 = sha256
        self._summary = summary
        self._documents = documents
        self._archive: Archive | None = None
        self._styles: StyleBook | None = None
        self._alignments: Recent[tuple[str, str], Alignment] = Recent(10_000)  # blocks
        self._lock = RLock()

    @classmethod
    def open(
        cls, path: Path, sha256: str, summary: BookSummary | None = None, documents: Documents | None = None
    ) -> Self:
        """A rendition. Nothing is read until it is needed; without the stored `summary` that includes every document
        once (up to a second for a long novel). `documents`: where indices are kept; by default, 16 MB of its own."""
        return cls(path, sha256, summary, Recent(16 * 1024 * 1024) if documents is None else documents)

    def close(self) -> None:
        """Close the file. The object stays usable and opens it again when needed."""
        with self._lock:
            if self._archive is not None:
                self._archive.close()
                self._archive = None

    @property
    def summary(self) -> BookSummary:
        """Spine table, lengths, fingerprint. Raises `BookError` or `OSError` if the book cannot be read."""
        if self._summary is None:
            with self._lock:
                if self._summary is None:
                    self._summary = summarise(self._opened())
        return self._summary

    # -- places without a dialect

    def place(self, position: Position) -> Place:
        """The place of a known position: exact, clamped to its document; FAILED if the book has no such document."""
        document = self._find(position)
        if document is None:
            return self._failed(Reason.NO_DOCUMENT)
        k = min(max(position.k, 0), document.length)
        status = Status.EXACT if k == position.k else Status.APPROXIMATE
        reason = Reason.NONE if k == position.k else Reason.BEYOND_END
        return self._place(document, Found(k, status, reason, position.affinity))

    def at_tick(self, tick: int) -> Place:
        """The place after `tick` canonical characters of the book, clamped."""
        try:
            summary = self.summary
        except UNREADABLE:
            return self._failed(Reason.UNREADABLE)
        tick = min(max(tick, 0), summary.total)
        at = min(bisect_right(summary.bases, tick) - 1, len(summary.documents) - 1)
        if tick == summary.total:  # the end of the book is the end of its last text
            at = max((d.ordinal for d in summary.documents if d.length), default=0)
        return self._place(summary.documents[at], Found(tick - summary.bases[at], Status.EXACT))

    def fraction(self, position: Position) -> float:
        """Share of the book's text before the position, 0 … 1 (positions.md C.7); documents outside the reading order
        weigh nothing."""
        document = self._find(position)
        if document is None:
            return 0.0
        return self._fraction(document, position.k)

    def decode_fraction(self, share: float) -> Place:
        """The block start nearest before that share of the text: approximate."""
        try:
            summary = self.summary
            wanted = min(max(share, 0.0), 1.0) if share == share else 0.0  # NaN is not equal to itself
            weight = round(wanted * summary.weights[-1])
            at = bisect_right(summary.weights, weight) - 1
            if weight == summary.weights[-1]:  # the end is that of the last text, not of an empty page behind it
                at = max(bisect_left(summary.weights, weight) - 1, 0)
            document = summary.documents[at]
            k = min(weight - summary.weights[at], document.length)
            if k < document.length:
                k = self._index(document).block_start(k)
        except UNREADABLE:
            return self._failed(Reason.UNREADABLE)
        return self._place(document, Found(k, Status.APPROXIMATE, Reason.FRACTION))

    def quote(self, position: Position, before: int = 48, after: int = 48) -> Quote:
        """The words around a position; an empty quote when the document cannot be read."""
        document = self._find(position)
        try:
            return Quote("", "", "") if document is None else quote(self._index(document), position.k, before, after)
        except UNREADABLE:
            return Quote("", "", "")

    def alignment(self, document: SpineDocument, other: "OpenBook", counterpart: SpineDocument) -> Alignment | None:
        """Which stretches of a document are the same text in a document of another rendition; `None` if one cannot be
        read."""
        key = (document.digest, counterpart.digest)
        alignment = self._alignments.get(key)
        if alignment is None:
            try:
                alignment = align(self._index(document).text, other._index(counterpart).text)
            except UNREADABLE:
                return None
            self._alignments.put(key, alignment, 1 + len(alignment.blocks))
        return alignment

    # -- KOReader

    def decode_xpointer(self, text: str, *, end: bool = False) -> Place:
        """KOReader's XPointer, any spelling, as named in this very file. `end`: as the exclusive end of a range."""
        pointer = xpointer.parse(text)
        if isinstance(pointer, Reason):
            return self._failed(pointer)
        return self._decode(
            lambda summary: summary.by_fragment(pointer.fragment),
            lambda document: xpointer.find(self._tree(document), pointer, _body(pointer, document), end=end),
        )

    def encode_xpointer(self, position: Position, *, indexed: bool = False) -> Encoded[str]:
        """An XPointer that KOReader resolves in this file. `indexed`: the spelling of DOM version 20260812, with `[1]`
        on every step; answer a device in the spelling it uses (`is_indexed`)."""

        def attempt(document: SpineDocument, at: Position) -> tuple[str, int, Found]:
            tree = self._tree(document)
            name = xpointer.point(tree, at)
            text = name.spell(document.fragment or 0, self.summary.fragments, indexed=indexed)
            pointer = xpointer.parse(text)
            if isinstance(pointer, Reason):
                return text, name.k, Found(0, Status.FAILED)
            return text, name.k, xpointer.find(tree, pointer, _body(pointer, document), end=at.affinity == "before")

        return self._encode(position, attempt)

    # -- browsers

    def decode_cfi(self, text: str, *, end: bool = False) -> Place:
        """An EPUB CFI as foliate-js (or another reader) writes it; a range CFI stands for its start, with `end` for its
        exclusive end."""
        try:
            start, stop = cfi.parse(text)
        except cfi.CfiSyntaxError:
            return self._failed(Reason.TOO_LONG if len(text) > cfi.MAX_LENGTH else Reason.SYNTAX)
        return self.resolve_cfi(stop if end and stop is not None else start, end=end)

    def resolve_cfi(self, point: cfi.Cfi, *, end: bool = False) -> Place:
        """A parsed CFI, or one of the two of a range."""

        def document(summary: BookSummary) -> SpineDocument | None:
            if len(point.package) != 2 or point.package[0].index != summary.spine_step:
                return None
            return summary.by_step(point.package[1].index)

        return self._decode(document, lambda found: cfi_places.find(self._index(found), point, end=end))

    def encode_cfi(self, position: Position) -> Encoded[str]:
        """The CFI that foliate-js would write for this place."""

        def attempt(document: SpineDocument, at: Position) -> tuple[str, int, Found]:
            index = self._index(document)
            name = cfi_places.point(index, at)
            summary = self.summary
            package = (
                cfi.Step(summary.spine_step, summary.spine_id),
                cfi.Step(document.cfi_step, document.cfi_id),
            )
            text = str(cfi.Cfi(package, name.steps, name.offset))
            read, _ = cfi.parse(text)
            return text, name.k, cfi_places.find(index, read, end=at.affinity == "before")

        return self._encode(position, attempt)

    # -- Kobo

    def decode_kobo(self, source: str, value: str, offset: int | None = None, *, end: bool = False) -> Place:
        """A koboSpan of this file, with `offset` (UTF-16 units) for annotations, without for reading progress, which
        means the start of the span. `end`: as the exclusive end of a range."""
        span = kobospan.parse_value(value)
        if span is None or len(source) > kobospan.MAX_LENGTH:
            return self._failed(Reason.SYNTAX)

        def document(summary: BookSummary) -> SpineDocument | None:
            path = kobospan.match_source(source, summary.paths)
            return None if path is None else summary.document(path, 0)

        return self._decode(document, lambda found: kobospan.find(self._index(found), span, offset, end=end))

    def encode_kobo(self, position: Position, *, offset: bool = False) -> Encoded[KoboLocator]:
        """The koboSpan that holds this place. `offset=False`: reading progress, the span alone; `True`: annotations.

        A document without spans is named alone (`value` is empty), which is approximate.
        """
        try:
            document = self._find(position)
            if document is None:
                return Encoded(None, Status.FAILED, Reason.NO_DOCUMENT)
            index = self._index(document)
        except UNREADABLE:
            return Encoded(None, Status.FAILED, Reason.UNREADABLE)
        value, place, status, reason = kobospan.point(index, position, offset=offset)
        found = kobospan.find(index, value, place, end=position.affinity == "before")
        if offset and status is Status.EXACT and found.k != position.k:
            status, reason = Status.SNAPPED, Reason.NOT_ADDRESSABLE
        if found.status is not Status.EXACT:
            value, place, status, reason, found = "", None, Status.APPROXIMATE, Reason.NO_PLACE, Found(0, Status.EXACT)
        return Encoded(
            KoboLocator(document.path, value, place),
            status,
            reason,
            position.k - found.k,
            100 * found.k // document.length if document.length else 0,
            int(100 * self._fraction(document, found.k)),
        )

    # -- inside

    def _decode(
        self,
        choose: Callable[[BookSummary], SpineDocument | None],
        find: Callable[[SpineDocument], Found],
    ) -> Place:
        try:
            document = choose(self.summary)
            if document is None:
                return self._failed(Reason.NO_DOCUMENT)
        except UNREADABLE:
            return self._failed(Reason.UNREADABLE)
        try:
            return self._place(document, find(document))
        except UNREADABLE:
            # The document is in the book but has no text: its start is all there is to know.
            return self._place(document, Found(0, Status.APPROXIMATE, Reason.UNREADABLE))

    def _encode(
        self, position: Position, attempt: Callable[[SpineDocument, Position], tuple[str, int, Found]]
    ) -> Encoded[str]:
        """Name a place, read the name back, and fall back to the block's and the document's start (positions.md C.4,
        rule 10): a locator that does not resolve must never reach a device."""
        try:
            document = self._find(position)
            if document is None:
                return Encoded(None, Status.FAILED, Reason.NO_DOCUMENT)
            for at, affinity, safe in _ladder(self._index(document), position):
                text, expected, found = attempt(document, Position(document.path, document.occurrence, at, affinity))
                undecided = found.reason is Reason.UNDECIDED and safe
                if (found.status is Status.EXACT or undecided) and found.k == expected:
                    status = Status.EXACT if expected == position.k and not undecided else Status.SNAPPED
                    reason = Reason.NONE if status is Status.EXACT else Reason.NOT_ADDRESSABLE
                    reason = Reason.UNDECIDED if undecided else reason
                    return Encoded(
                        text,
                        status,
                        reason,
                        position.k - expected,
                        100 * expected // document.length if document.length else 0,
                        int(100 * self._fraction(document, expected)),
                    )
        except UNREADABLE:
            return Encoded(None, Status.FAILED, Reason.UNREADABLE)
        return Encoded(None, Status.FAILED, Reason.NOT_ADDRESSABLE)

    def canonical_text(self, document: SpineDocument) -> str:
        """All of a document's ink. Raises `BookError` or `OSError` if it cannot be read."""
        return self._index(document).text

    def _find(self, position: Position) -> SpineDocument | None:
        try:
            return self.summary.document(position.document, position.occurrence)
        except UNREADABLE:
            return None

    def _place(self, document: SpineDocument, found: Found) -> Place:
        position = Position(document.path, document.occurrence, found.k, found.affinity)
        tick = self.summary.bases[document.ordinal] + found.k
        return Place(position, found.status, found.reason, tick, self.summary.total)

    def _failed(self, reason: Reason) -> Place:
        return Place(None, Status.FAILED, reason, None, self._summary.total if self._summary is not None else 0)

    def _fraction(self, document: SpineDocument, k: int) -> float:
        weights = self.summary.weights
        first, last = weights[document.ordinal], weights[document.ordinal + 1]
        return min(first + min(max(k, 0), document.length), last) / weights[-1] if weights[-1] else 0.0

    def _opened(self) -> Archive:
        if self._archive is None:
            self._archive = Archive(self.path)
        return self._archive

    def _read(self, path: str) -> bytes:
        with self._lock:
            return self._opened().read(path, MAX_MARKUP)

    def _document(self, document: SpineDocument) -> OpenDocument:
        key = (self.sha256, document.path)
        opened = self._documents.get(key)
        if opened is None:
            with self._lock:
                opened = self._documents.get(key)
                if opened is None:
                    index = DocumentIndex(parse_document(self._read(document.path), document.media_type))
                    opened = OpenDocument(index)
                    self._documents.put(key, opened, INDEX_WEIGHT * document.size)
        return opened

    def _index(self, document: SpineDocument) -> DocumentIndex:
        return self._document(document).index

    def _tree(self, document: SpineDocument) -> FragmentTree:
        try:
            opened = self._document(document)
        except BookError:
            tree = FragmentTree("", "", StyleBook(self._read))
            tree.show(self._notice(document))
            return tree
        if opened.tree is None:
            with self._lock:
                if opened.tree is None:
                    if self._styles is None:
                        self._styles = StyleBook(self._read)
                    source = decode(self._read(document.path))
                    opened.tree = FragmentTree(source, document.path, self._styles, opened.index.text)
                    if not opened.tree.bodies:
                        opened.tree.show(self._notice(document))
                    key = (self.sha256, document.path)
                    self._documents.put(key, opened, (INDEX_WEIGHT + TREE_WEIGHT) * document.size)
        return opened.tree

    def _notice(self, document: SpineDocument) -> str:
        item_id = read_package(self._opened()).spine[document.ordinal].idref
        return notice(document.path, document.media_type, item_id)


def _body(pointer: xpointer.Pointer, document: SpineDocument) -> int:
    """Which body of its file a pointer's fragment is."""
    return pointer.fragment - (document.fragment or 0)
