"""One rendition, opened for translation: its summary, and the index of each document when it is first needed."""

from pathlib import Path
from typing import Self

from appliance.positions.canonical import Encoded, Place, Position
from appliance.positions.kobospan import KoboLocator
from appliance.positions.quote import Quote
from appliance.positions.summary import BookSummary


class OpenBook:
    """One rendition of a book (an EPUB or KEPUB file). Safe to share between threads.

    Positions are in this rendition's own documents; `translate` carries them to another. Nothing here raises for any
    locator or for a broken file: the status is FAILED and `reason` says why. Only `open` and `summary` raise
    (`BookError`, `OSError`).
    """

    sha256: str

    @classmethod
    def open(cls, path: Path, sha256: str, summary: BookSummary | None = None) -> Self:
        """Open a rendition. With the stored `summary` nothing but the package document is read; without, the summary
        is computed when first needed (up to a second for a long novel)."""
        raise NotImplementedError

    @property
    def summary(self) -> BookSummary:
        """Spine table, lengths, fingerprint."""
        raise NotImplementedError

    def place(self, position: Position) -> Place:
        """An exact place for a position already known, clamped to its document; FAILED if the book has no such document."""
        raise NotImplementedError

    def at_tick(self, tick: int) -> Place:
        """The place after `tick` canonical characters of the book, clamped."""
        raise NotImplementedError

    def decode_xpointer(self, text: str) -> Place:
        """KOReader's XPointer, any spelling, as named in this very file."""
        raise NotImplementedError

    def encode_xpointer(self, position: Position, *, indexed: bool = False) -> Encoded[str]:
        """An XPointer that KOReader resolves in this file. `indexed`: the spelling of DOM version 20260812, with `[1]`
        on every step; answer a device in the spelling it uses (`is_indexed`)."""
        raise NotImplementedError

    def decode_cfi(self, text: str) -> Place:
        """An EPUB CFI as foliate-js (or another reader) writes it; a range CFI stands for its start."""
        raise NotImplementedError

    def encode_cfi(self, position: Position) -> Encoded[str]:
        """The CFI that foliate-js would write for this place."""
        raise NotImplementedError

    def decode_kobo(self, source: str, value: str, offset: int | None = None) -> Place:
        """A koboSpan of this file, with `offset` (UTF-16 units) for annotations, without for reading progress."""
        raise NotImplementedError

    def encode_kobo(self, position: Position, *, offset: bool = False) -> Encoded[KoboLocator]:
        """The koboSpan that holds this place. `offset=False`: reading progress, the span alone; `True`: annotations."""
        raise NotImplementedError

    def fraction(self, position: Position) -> float:
        """Share of the book's text before the position, 0 … 1."""
        raise NotImplementedError

    def decode_fraction(self, share: float) -> Place:
        """The block start nearest before that share of the text: approximate."""
        raise NotImplementedError

    def quote(self, position: Position, before: int = 48, after: int = 48) -> Quote:
        """The words around a position; an empty quote when the document cannot be read."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file. The object stays usable and opens it again when needed."""
        raise NotImplementedError
