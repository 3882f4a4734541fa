"""What must be known of a rendition without opening it: its documents, their lengths and hashes. A few kB of JSON."""

import json
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from itertools import accumulate
from operator import attrgetter

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.document import parse_document
from appliance.epub.errors import BookError
from appliance.epub.package import Package, read_package
from appliance.positions.crengine.fragments import count_fragments
from appliance.positions.text import canonical_utf8

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
    media_type: str
    occurrence: int
    fragment: int | None
    cfi_step: int
    cfi_id: str | None
    linear: bool
    size: int
    length: int
    digest: str
    mode: str


_row = attrgetter(*(column.name for column in fields(SpineDocument)))


@dataclass(frozen=True, slots=True)
class BookSummary:
    """The spine table of a rendition.

    `spine_step`, `spine_id`: of the spine element in a CFI. `fingerprint`: 128-bit hash of all canonical text in spine
    order, hex. `bases`: canonical characters before each document; `weights`: canonical characters of linear documents
    before each document, with the total as an extra last entry in both. `fragments`: how many DocFragments KOReader
    makes. `paths`: the documents of each file, by occurrence.
    """

    documents: tuple[SpineDocument, ...]
    spine_step: int
    spine_id: str | None
    fingerprint: str
    fragments: int
    bases: tuple[int, ...] = field(init=False, repr=False, compare=False)
    weights: tuple[int, ...] = field(init=False, repr=False, compare=False)
    paths: dict[str, list[SpineDocument]] = field(init=False, repr=False, compare=False)
    _by_fragment: dict[int, SpineDocument] = field(init=False, repr=False, compare=False)
    _by_step: dict[int, SpineDocument] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths = [document.length for document in self.documents]
        linear = [document.length if document.linear else 0 for document in self.documents]
        object.__setattr__(self, "bases", tuple(accumulate(lengths, initial=0)))
        object.__setattr__(self, "weights", tuple(accumulate(linear if any(linear) else lengths, initial=0)))
        paths: dict[str, list[SpineDocument]] = {}
        for document in self.documents:
            if document.path:
                paths.setdefault(document.path, []).append(document)
        object.__setattr__(self, "paths", paths)
        fragments: dict[int, SpineDocument] = {}
        end = self.fragments + 1
        for document in reversed(self.documents):
            if document.fragment is not None:  # all up to the next document's: a file has one for each of its bodies
                fragments.update(dict.fromkeys(range(document.fragment, end), document))
                end = document.fragment
        object.__setattr__(self, "_by_fragment", fragments)
        object.__setattr__(self, "_by_step", {d.cfi_step: d for d in self.documents if d.path})

    @property
    def total(self) -> int:
        """Canonical characters of the book."""
        return self.bases[-1]

    def document(self, path: str, occurrence: int) -> SpineDocument | None:
        """The `itemref` that a position names; the first one if there is no such occurrence any more."""
        documents = self.paths.get(path)
        if documents is None:
            return None
        return documents[occurrence if 0 < occurrence < len(documents) else 0]

    def by_fragment(self, fragment: int) -> SpineDocument | None:
        """The document that KOReader shows as that DocFragment."""
        return self._by_fragment.get(fragment)

    def by_step(self, step: int) -> SpineDocument | None:
        """The document whose `itemref` has that step in the package path of a CFI."""
        return self._by_step.get(step)

    def to_json(self) -> str:
        """Compact JSON, the same for equal summaries."""
        rows = [_row(document) for document in self.documents]
        head = [INDEX_VERSION, self.spine_step, self.spine_id, self.fingerprint, self.fragments]
        return json.dumps([head, rows], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "BookSummary | None":
        """The summary, or `None` if another version of the index wrote it."""
        head, rows = json.loads(text)
        if head[0] != INDEX_VERSION:
            return None
        return cls(tuple(SpineDocument(*row) for row in rows), head[1], head[2], head[3], head[4])


def summarise(archive: Archive, package: Package | None = None) -> BookSummary:
    """Read every document of the spine once. `package`: that of the archive, if it was read already. Raises `BookError`
    when the book cannot be used at all."""
    package = package or read_package(archive)
    documents, fragments = _documents(archive, package)
    fingerprint = blake2b(digest_size=16)
    for document in documents:
        # Documents without text (a cover page added by a converter) leave the fingerprint as it is.
        if document.length:
            fingerprint.update(bytes.fromhex(document.digest))
    return BookSummary(documents, package.spine_cfi_step, package.spine_cfi_id, fingerprint.hexdigest(), fragments)


def _documents(archive: Archive, package: Package) -> tuple[tuple[SpineDocument, ...], int]:
    documents: list[SpineDocument] = []
    seen: dict[str, SpineDocument] = {}
    times: dict[str, int] = {}
    fragment = 1
    for spine_item in package.spine:
        item = spine_item.item
        path = item.path if item is not None else ""
        media_type = item.media_type if item is not None else ""
        occurrence = times.get(path, 0)
        times[path] = occurrence + 1
        known = seen.get(path)
        fragments = 0
        size, length, digest, mode = 0, 0, "", "none"
        if known is not None:
            size, length, digest, mode = known.size, known.length, known.digest, known.mode
        if item is not None:
            fragments = 1
            try:
                data = archive.read(path, MAX_MARKUP)
                size = len(data)
                fragments = count_fragments(data)
                if known is None:
                    parsed = parse_document(data, media_type)
                    text = canonical_utf8(parsed)
                    length, digest, mode = len(text.decode()), _hashed(text), parsed.mode
            except BookError:
                pass  # a missing or unreadable document still takes its number
        document = SpineDocument(
            spine_item.ordinal,
            path,
            media_type,
            occurrence,
            fragment if item is not None else None,
            spine_item.cfi_step,
            spine_item.cfi_id,
            spine_item.linear,
            size,
            length,
            digest,
            mode,
        )
        fragment += fragments
        seen.setdefault(path, document)
        documents.append(document)
    return tuple(documents), fragment - 1


def _hashed(text: bytes) -> str:
    """As `document.digest`, of text that is UTF-8 already."""
    return blake2b(text, digest_size=16).hexdigest()
