"""What must be known of a rendition without opening it: its documents, their lengths and hashes. A few kB of JSON."""

from dataclasses import dataclass

INDEX_VERSION = 1


@dataclass(frozen=True, slots=True)
class SpineDocument:
    """One `itemref` of the spine.

    `ordinal`: 0-based among all `itemref`s. `path`: archive entry, `""` for an `itemref` that names nothing.
    `occurrence`: 0, or more when the same file stood in the spine before. `fragment`: KOReader's DocFragment number.
    `cfi_step`, `cfi_id`: step and id of the `itemref` in the package path of a CFI. `linear`: not `linear="no"`.
    `size`: unpacked bytes. `length`: canonical characters. `digest`: 128-bit hash of the canonical text, hex.
    `mode`: "xml", "html" (not well-formed) or "none" (no readable document).
    """

    ordinal: int
    path: str
    occurrence: int
    fragment: int | None
    cfi_step: int
    cfi_id: str | None
    linear: bool
    size: int
    length: int
    digest: str
    mode: str


@dataclass(frozen=True, slots=True)
class BookSummary:
    """The spine table of a rendition. `fingerprint`: 128-bit hash over all canonical text in spine order, hex;
    `total`: canonical characters of the book; `spine_step`, `spine_id`: of the spine element in a CFI."""

    version: int
    documents: tuple[SpineDocument, ...]
    spine_step: int
    spine_id: str | None
    fingerprint: str
    total: int

    def to_json(self) -> str:
        """Compact JSON, stable for equal summaries."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str) -> "BookSummary | None":
        """The summary, or `None` if it was written by another index version."""
        raise NotImplementedError
