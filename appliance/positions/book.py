"""One rendition, opened for translation: its summary, and the index of each document when it is first needed."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Self, TypeVar

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.document import parse_document
from appliance.epub.errors import BookError
from appliance.positions import cfi, cfi_places, kobospan, naming, xpointer
from appliance.positions.aside import Aside, StillWorking
from appliance.positions.book_alignment import BookAlignment
from appliance.positions.canonical import Encoded, Place, Position, Reason, Status
from appliance.positions.crengine.book import EngineBook
from appliance.positions.crengine.defaults import Dom
from appliance.positions.crengine.tree import FragmentTree
from appliance.positions.document import DocumentIndex
from appliance.positions.epubjs import EpubjsView
from appliance.positions.found import Found
from appliance.positions.fraction import at_text_share, text_share, whole_percent
from appliance.positions.kobospan import KoboLocator
from appliance.positions.open_document import Documents, OpenDocument
from appliance.positions.quote import Quote, quote
from appliance.positions.recent import Recent
from appliance.positions.summary import BookSummary, SpineDocument, summarise
from appliance.positions.text import canonical_utf8

Alignments = Recent[tuple[str, str], BookAlignment]
Made = TypeVar("Made")

# Larger documents take too long to be read as epub.js does, for a CFI that only may be its.
MAX_GUESSED = 512 * 1024  # bytes

# A document of more bytes than this would take more memory than a small machine has (some 30 times its size at the
# peak), so nothing in it can be named or found.
TOO_LARGE = 8_000_000

# A longer document, in bytes, is indexed beside the request that needs it, if there is somebody to do that.
LONG = 2_000_000


class DocumentTooLarge(BookError):
    """A content document is longer than any index of it is worth."""


UNREADABLE = (BookError, OSError, StillWorking)


class OpenBook:
    """One rendition of a book (an EPUB or KEPUB file). Safe to share between threads.

    Positions are in this rendition's own documents; `translate` carries them to another. Nothing here raises for any
    locator or for a broken file: the status is FAILED and `reason` says why. Only `summary` raises (`BookError`,
    `OSError`).
    """

    def __init__(
        self, path: Path, sha256: str, summary: BookSummary | None, documents: Documents, alignments: Alignments
    ) -> None:
        self.path = path
        self.sha256 = sha256
        self._summary = summary
        self._documents = documents
        self.aside: Aside | None = None  # who indexes long documents, so that no request waits for it
        self._archive: Archive | None = None
        self._engine = EngineBook(self._opened, self._read)
        self._alignments = alignments
        self._lock = RLock()

    @classmethod
    def open(
        cls,
        path: Path,
        sha256: str,
        summary: BookSummary | None = None,
        documents: Documents | None = None,
        alignments: Alignments | None = None,
    ) -> Self:
        """A rendition. Nothing is read until it is needed; without the stored `summary` that includes every document
        once (up to a second for a long novel). `documents`, `alignments`: where indices, and what was found out about
        pairs of renditions, are kept; by default, 16 MB and 4 MB of its own."""
        documents = Recent(16 * 1024 * 1024) if documents is None else documents
        return cls(path, sha256, summary, documents, Recent(4 * 1024 * 1024) if alignments is None else alignments)

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
        return 0.0 if document is None else text_share(self.summary, document, position.k)

    def decode_fraction(self, share: float) -> Place:
        """The start of the block at that share of the text: approximate."""
        try:
            return self.near(*at_text_share(self.summary, share))
        except UNREADABLE:
            return self._failed(Reason.UNREADABLE)

    def near(self, document: SpineDocument, k: int) -> Place:
        """The start of the block that holds a place known only by a percentage: approximate."""
        try:
            k = min(max(k, 0), document.length)
            if k < document.length:
                k = self._index(document).block_start(k)
        except (StillWorking, DocumentTooLarge):
            pass  # where its block starts is not known
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

    def alignment(self, other: "OpenBook") -> BookAlignment:
        """How the documents of another rendition correspond to those of this one. Raises `BookError` or `OSError`."""
        one, two = sorted((self, other), key=lambda book: book.sha256)
        alignment = self._alignments.get((one.sha256, two.sha256))
        if alignment is None:
            alignment = BookAlignment(one.summary, two.summary)
            self._alignments.put((one.sha256, two.sha256), alignment, alignment.weight)
        return alignment if one is self else alignment.flipped()

    def keep_alignment(self, other: "OpenBook", alignment: BookAlignment) -> None:
        """Keep what was found out since `alignment` gave it."""
        one, two = sorted((self.sha256, other.sha256))
        unflipped = alignment.flipped() if alignment.is_flipped else alignment
        self._alignments.put((one, two), unflipped, unflipped.weight)

    # -- KOReader

    def decode_xpointer(self, text: str, *, end: bool = False) -> Place:
        """KOReader's XPointer, any spelling, as named in this very file. `end`: as the exclusive end of a range."""
        pointer = xpointer.parse(text)
        if isinstance(pointer, Reason):
            return self._failed(pointer)
        if pointer.boxed:
            pointer = self._renumbered(pointer)
        return self._decode(
            lambda summary: summary.by_fragment(pointer.fragment),
            lambda document: xpointer.find(
                self._tree(document, pointer.dom), pointer, _body(pointer, document), end=end
            ),
        )

    def encode_xpointer(self, position: Position, *, indexed: bool = False) -> Encoded[str]:
        """An XPointer that KOReader resolves in this file. `indexed`: the spelling of DOM version 20260812, with `[1]`
        on every step; answer a device in the spelling it uses (`is_indexed`)."""

        def attempt(document: SpineDocument, at: Position) -> tuple[str, int, Found]:
            tree = self._tree(document, Dom.NEWEST if indexed else Dom.NORMAL)
            named = tried(document, tree, xpointer.point(tree, at))
            if at.k == 0 and named[2].status is not Status.EXACT and named[2].reason is not Reason.UNDECIDED:
                # The engine has other text here throughout; the document is all that can be named.
                named = tried(document, tree, xpointer.WHOLE)
            return named

        def tried(document: SpineDocument, tree: FragmentTree, name: xpointer.Name) -> tuple[str, int, Found]:
            text = name.spell(document.fragment or 0, self.summary.fragments, indexed=indexed)
            pointer = xpointer.parse(text)
            if isinstance(pointer, Reason):
                return text, name.k, Found(0, Status.FAILED)
            found = xpointer.find(tree, pointer, _body(pointer, document), end=position.affinity == "before")
            return text, name.k, found

        return self._encode(position, attempt)

    # -- browsers

    def decode_cfi(self, text: str, *, end: bool = False, dialect: cfi.Dialect = "standard") -> Place:
        """An EPUB CFI; a range CFI stands for its start, with `end` for its exclusive end. `dialect`: "epubjs" for what
        epub.js wrote, "standard" for foliate-js and when that is not known: what leads nowhere is then tried as
        epub.js's, and never exact."""
        try:
            start, stop = cfi.parse(text, dialect)
        except cfi.CfiSyntaxError:
            return self._failed(Reason.TOO_LONG if len(text) > cfi.MAX_LENGTH else Reason.SYNTAX)
        return self.resolve_cfi(stop if end and stop is not None else start, end=end, dialect=dialect)

    def resolve_cfi(self, point: cfi.Cfi, *, end: bool = False, dialect: cfi.Dialect = "standard") -> Place:
        """A parsed CFI, or one of the two of a range."""

        def document(summary: BookSummary) -> SpineDocument | None:
            if len(point.package) != 2 or point.package[0].index != summary.spine_step:
                return None
            return summary.by_step(point.package[1].index)

        def find(document: SpineDocument) -> Found:
            if dialect == "epubjs":
                return self._view(document).find(point, end=end)
            found = cfi_places.find(self._index(document), point, end=end)
            if found.reason not in (Reason.NO_PLACE, Reason.BEYOND_END) or document.size > MAX_GUESSED:
                return found
            other = self._view(document).find(point, end=end)
            return (
                other._replace(status=Status.APPROXIMATE, reason=Reason.OTHER_DIALECT)
                if other.status is Status.EXACT
                else found
            )

        return self._decode(document, find)

    def encode_cfi(self, position: Position, *, dialect: cfi.Dialect = "standard") -> Encoded[str]:
        """The CFI that foliate-js, or epub.js, would write for this place and can resolve."""

        def attempt(document: SpineDocument, at: Position) -> tuple[str, int, Found]:
            view = self._view(document) if dialect == "epubjs" else None
            index = self._index(document)
            name = cfi_places.point(index, at) if view is None else view.point(at)
            summary = self.summary
            # epub.js writes the id of the `itemref` and none for the spine.
            package = (
                cfi.Step(summary.spine_step, summary.spine_id if view is None else None),
                cfi.Step(document.cfi_step, document.cfi_id),
            )
            text = str(cfi.Cfi(package, name.steps, name.offset))
            read, _ = cfi.parse(text, dialect)
            end = position.affinity == "before"
            found = cfi_places.find(index, read, end=end) if view is None else view.find(read, end=end)
            return text, name.k, found

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
        except UNREADABLE as error:
            return Encoded(None, Status.FAILED, _why(error))
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
            whole_percent(text_share(self.summary, document, found.k)),
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
        except (StillWorking, DocumentTooLarge) as error:
            return self._failed(_why(error))
        except UNREADABLE:
            # The document is in the book but has no text: its start is all there is to know.
            return self._place(document, Found(0, Status.APPROXIMATE, Reason.UNREADABLE))

    def _encode(self, position: Position, attempt: Callable[[SpineDocument, Position], naming.Attempt]) -> Encoded[str]:
        """The nearest name that reads back as what it stands for."""
        try:
            document = self._find(position)
            if document is None:
                return Encoded(None, Status.FAILED, Reason.NO_DOCUMENT)
            at = replace(position, document=document.path, occurrence=document.occurrence)
            named = naming.name(self._index(document), at, lambda place: attempt(document, place))
        except UNREADABLE as error:
            return Encoded(None, Status.FAILED, _why(error))
        if named is None:
            return Encoded(None, Status.FAILED, Reason.NOT_ADDRESSABLE)
        return Encoded(
            named.text,
            named.status,
            named.reason,
            position.k - named.k,
            100 * named.k // document.length if document.length else 0,
            whole_percent(text_share(self.summary, document, named.k)),
        )

    def canonical_text(self, document: SpineDocument) -> str:
        """All of a document's ink. Raises `BookError` or `OSError` if it cannot be read."""
        opened = self._documents.get((self.sha256, document.path))
        if opened is not None:
            return opened.index.text
        if not document.length:
            return ""
        # Without the index, which takes many times as long: whole books are read like this.
        return canonical_utf8(parse_document(self._read(document.path), document.media_type)).decode()

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
        return opened or self._make(document, "index", lambda: self._documents.get(key) or self._read_index(document))

    def _make(self, document: SpineDocument, what: object, work: Callable[[], Made]) -> Made:
        """Only once at a time, and without holding up a request for long. Raises `StillWorking`."""
        if self.aside is not None and document.size > LONG:
            return self.aside.make((self.sha256, document.path, what), work)
        with self._lock:
            return work()

    def _read_index(self, document: SpineDocument) -> OpenDocument:
        if document.size > TOO_LARGE:
            raise DocumentTooLarge(f"{document.path} has more than {TOO_LARGE // 1_000_000} MB")
        opened = OpenDocument(DocumentIndex(parse_document(self._read(document.path), document.media_type)))
        self._documents.put((self.sha256, document.path), opened, opened.weight * document.size)
        return opened

    def _index(self, document: SpineDocument) -> DocumentIndex:
        return self._document(document).index

    def _view(self, document: SpineDocument) -> EpubjsView:
        opened = self._document(document)
        if opened.view is None:
            with self._lock:
                opened.view = EpubjsView(self._read(document.path), document.media_type, opened.index.text)
                self._documents.put((self.sha256, document.path), opened, opened.weight * document.size)
        return opened.view

    def _tree(self, document: SpineDocument, dom: Dom = Dom.NORMAL) -> FragmentTree:
        opened = self._documents.get((self.sha256, document.path))
        tree = opened.trees.get(dom) if opened is not None else None
        try:
            # The index it hangs on is made in the same piece of work, so that nobody has to wait twice.
            return tree or self._make(document, dom, lambda: self._read_tree(document, dom))
        except DocumentTooLarge:
            raise
        except BookError:
            return self._engine.notice(document)

    def _read_tree(self, document: SpineDocument, dom: Dom) -> FragmentTree:
        opened = self._documents.get((self.sha256, document.path)) or self._read_index(document)
        if dom in opened.trees:
            return opened.trees[dom]
        tree = opened.trees.get(Dom.NORMAL if dom is Dom.NEWEST else Dom.NEWEST)
        if tree is None or tree.varies:
            tree = self._engine.tree(document, opened.index.text, dom)
        opened.trees[dom] = tree
        self._documents.put((self.sha256, document.path), opened, opened.weight * document.size)
        return tree

    def _renumbered(self, pointer: xpointer.Pointer) -> xpointer.Pointer:
        try:
            return replace(pointer, fragment=self._engine.current_fragment(self.summary, pointer.fragment))
        except UNREADABLE:
            return pointer


def _why(error: Exception) -> Reason:
    if isinstance(error, DocumentTooLarge):
        return Reason.TOO_LARGE
    return Reason.INDEXING if isinstance(error, StillWorking) else Reason.UNREADABLE


def _body(pointer: xpointer.Pointer, document: SpineDocument) -> int:
    """Which body of its file a pointer's fragment is."""
    return pointer.fragment - (document.fragment or 0)
