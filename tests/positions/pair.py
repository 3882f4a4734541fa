"""A book, the KEPUB made from it, and the names of a word in both."""

from pathlib import Path
from typing import Any

from appliance.kepub import convert
from appliance.positions import Encoded, KoboLocator, OpenBook, Place, Position, Reason, Status, translate
from appliance.positions.ink import ink
from tests import needs
from tests.kepub.kepubs import epub


class Pair:
    """A book and the KEPUB that the built-in converter makes of it."""

    def __init__(self, folder: Path, documents: dict[str, bytes], package: str = "") -> None:
        folder.mkdir(exist_ok=True)
        (folder / "b.epub").write_bytes(epub(documents, package=package))
        convert(folder / "b.epub", folder / "b.kepub.epub", engine="built-in")
        self.epub = OpenBook.open(folder / "b.epub", "epub")
        self.kepub = OpenBook.open(folder / "b.kepub.epub", "kepub")

    def place(self, word: str, nth: int = 0) -> Place:
        """The place before the nth occurrence of a word, by counting characters in the documents' text."""
        wanted = ink(word)
        for each in (each for each in self.epub.summary.documents if each.path):
            text = self.epub._index(each).text
            at = -1
            while (at := text.find(wanted, at + 1)) >= 0:
                if not nth:
                    return self.epub.place(Position(each.path, each.occurrence, at))
                nth -= 1
        raise LookupError(word)

    def check(self, word: str, xpointer: str, cfi: str, kobo: tuple[str, int], nth: int = 0) -> None:
        """All three names of a word: they are written so, and read again they mean that word."""
        place = self.place(word, nth)
        position = known(place)
        assert exactly(self.epub.encode_xpointer(position)) == xpointer
        assert exactly(self.epub.encode_cfi(position)) == cfi
        there = translate(place, self.epub, self.kepub)
        assert there.status is Status.EXACT
        annotated = exactly(self.kepub.encode_kobo(known(there), offset=True))
        assert (annotated.value, annotated.offset) == kobo
        assert annotated.source == position.document
        progress = self.kepub.encode_kobo(known(there))
        assert exactly(progress) == KoboLocator(position.document, kobo[0])
        # Read back, and through KOReader on the KEPUB, where the spans are elements too.
        assert self.epub.decode_xpointer(xpointer) == place
        assert self.epub.decode_cfi(cfi) == place
        assert translate(self.kepub.decode_kobo(position.document, *kobo), self.kepub, self.epub) == place
        start = known(self.kepub.decode_kobo(position.document, kobo[0]))
        assert start.k + progress.distance == known(there).k, "progress is the start of the span that holds the word"
        pointer = exactly(self.kepub.encode_xpointer(known(there)))
        assert translate(self.kepub.decode_xpointer(pointer), self.kepub, self.epub) == place
        assert self.epub.quote(position, 0, len(ink(word))).suffix == ink(word)


def by_kepubify(book: Pair) -> OpenBook:
    """The KEPUB that kepubify makes of it, which reads every document as HTML."""
    path = book.epub.path.with_name("other.kepub.epub")
    convert(book.epub.path, path, engine="kepubify", kepubify=needs.kepubify())
    return OpenBook.open(path, "other")


def known(place: Place) -> Position:
    assert place.position is not None
    return place.position


def exactly(encoded: Encoded[Any]) -> Any:
    assert (encoded.status, encoded.reason) == (Status.EXACT, Reason.NONE)
    assert encoded.locator is not None
    return encoded.locator
