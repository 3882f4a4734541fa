"""The page on the screen, and what the device says of it (kepub.md 11)."""

from collections.abc import Callable
from typing import Any

from tests.simulators.kobo.kepub import WORDS, Document, Kepub, Span
from tests.simulators.kobo.shelf import Book, Place
from tests.simulators.kobo.violation import check


class Reader:
    """An open book. Pages are a fixed grid of words, document by document."""

    def __init__(self, book: Book, file: Kepub, say: Callable[[str], None]) -> None:
        check(file.documents, "a book without documents does not open")
        self.book, self.file, self.say = book, file, say
        self.number = 0  # of the document
        self.page = 0
        if book.place.source:
            self.go(book.place.source, book.place.span)

    @property
    def document(self) -> Document:
        return self.file.documents[self.number]

    @property
    def text(self) -> str:
        return " ".join(self.document.words[self.page * WORDS : (self.page + 1) * WORDS])

    def go(self, source: str, id: str) -> None:
        """Open the page that shows a span."""
        document = self.file.document(source)
        check(document, f"the server named {source}, which the file on the device does not have")
        assert document is not None
        self.number, self.page = self.file.documents.index(document), 0
        if not self.file.has_spans:
            return
        span = self.file.span(source, id)
        check(span, f"the server named {id} of {source}, a span that the file on the device does not have")
        assert span is not None
        self.page = min(span.word // WORDS, document.pages - 1)

    def turn(self, count: int) -> bool:
        """Turn pages; false at the end of the book."""
        for _ in range(abs(count)):
            if not self._turn(1 if count > 0 else -1):
                return False
        return True

    def _turn(self, step: int) -> bool:
        if 0 <= self.page + step < self.document.pages:
            self.page += step
        elif 0 <= self.number + step < len(self.file.documents):
            self.number += step
            self.page = 0 if step > 0 else self.document.pages - 1
        else:
            return False
        return True

    def shows(self, span: Span) -> bool:
        """Whether a span begins on the page."""
        return span.source == self.document.source and span.word // WORDS == self.page

    @property
    def top(self) -> Span | None:
        """The first span that begins at or below the top of the page; else the last one before it."""
        start = self.page * WORDS
        spans = self.document.spans
        for span in spans:
            if start <= span.word < start + WORDS:
                return span
        before = [span for span in spans if span.word < start]
        return before[-1] if before else None

    def note_place(self) -> None:
        """Remember the page as the device's own place."""
        span = self.top
        percent, document_percent = self.file.percent(self.document.source, span.word if span else self.page * WORDS)
        # A plain EPUB has no spans; the device names the chapter (5.3).
        self.book.place = Place(self.document.source, span.id if span else "kobo.1.1", percent, document_percent)

    def bookmark(self) -> dict[str, Any]:
        """The place as it is reported."""
        place = self.book.place
        return {
            "ContentSourceProgressPercent": place.document_percent,
            "Location": {"Source": place.source, "Type": "KoboSpan", "Value": place.span},
            "ProgressPercent": place.percent,
        }
