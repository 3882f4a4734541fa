"""The set of annotations that a Kobo should hold of a book (docs/reference/kobo-protocol.md 7.4, 7.7, 7.9).

What the device itself sent goes back as the text that it sent. What was made elsewhere is written for the very file
that the device holds, and only where the same words stand there. Nothing here reads a clock or a database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.positions import OpenBook, RangePlace, Status
from appliance.positions.dialects import NotALocator, decode, parse
from appliance.positions.recover import confirm
from appliance.reading.annotations.projection import ProjectedAnnotation
from appliance.reading.annotations.record import Survey
from appliance.reading.annotations.report import Said
from kobo_api.annotations.authority import Sets
from kobo_api.annotations.wire import OPAQUE, Wanted, render

Row = Mapping[str, Any]
Link = Mapping[str, Any]
Fields = Mapping[str, Any]

OTHER_WORDS = "other-words"
INK = "ink"


@dataclass(frozen=True, slots=True)
class NoteSet:
    """`items`: the JSON of each annotation in the order of the book. `sets`: what `authority` decides from.
    `offers`: what the device has not said itself: annotation, version, fields with the range. `left_out`: why an
    annotation is not in the set, by its id. `version`: of the newest change that it takes into account."""

    items: list[str] = field(default_factory=list)
    sets: Sets = field(default_factory=Sets)
    offers: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    version: int = 0


def note_set(
    survey: Survey, book: OpenBook | None, sha256: str, served_version: int, *, pushes: bool, is_fresh: bool
) -> NoteSet:
    """`book`, `sha256`: the file on the device. `served_version`: `KoboNotes.served_version`. Without `pushes` the set
    is what the device holds already; after a download (`is_fresh`) what it said itself before."""
    held = {id: fields for id, link in survey.links.items() if (fields := holds(link, sha256)) is not None}
    placed = {one.row["id"]: one for one in survey.projected}
    shown: list[tuple[Row, str]] = []
    offers: list[tuple[str, int, dict[str, Any]]] = []
    left_out: dict[str, str] = {}
    news = False
    for id, row in survey.rows.items():
        link = survey.links.get(id)
        found = _found(row, link, placed.get(id), held.get(id), sha256, book, pushes=pushes, is_fresh=is_fresh)
        fields = held.get(id) if isinstance(found, str) else found
        if fields is not None and fields.get("range") is None and _raw(link) is None:
            fields = None  # without a place it would not be drawn
        if isinstance(found, str) and fields is None:
            left_out[id] = found
        if fields is None:
            news |= id in held and row["version"] > served_version
            continue
        raw = _raw(link)
        if raw is None or not _is_as_said(row, link, fields):
            raw = render(_wanted(row, link, fields, book), raw)
        shown.append((row, raw))
        if not _is_same(fields, held.get(id)):
            news |= row["version"] > served_version or id not in held
        is_said = link is not None and link["sha256"] == sha256 and _is_same(fields, link["held"])
        if (pushes or is_fresh) and not is_said:
            offers.append((id, row["version"], dict(fields)))
    shown.sort(key=lambda one: (one[0]["first"] is None, one[0]["first"] or 0, one[0]["id"]))
    sets = Sets(
        held=() if is_fresh else held.keys(),
        given={row["id"] for row, _ in shown},
        deleted={id for id, row in survey.rows.items() if row["deleted_at"] is not None},
        news=news,
        has_ink=any(row["kind"] == OPAQUE for row, _ in shown),
    )
    version = max((row["version"] for row in survey.rows.values()), default=0)
    return NoteSet([text for _, text in shown], sets, offers, left_out, version)


def holds(link: Link, sha256: str) -> Fields | None:
    """What the device is known to hold of an annotation: what it said last, or was given since. What it had in another
    file it holds no more."""
    return link["held"] if link["gone_at"] is None and link["held"] and link["sha256"] == sha256 else None


def is_verified(book: OpenBook, range: Any, text: str) -> bool:
    """Whether the words of a range in this file are those of the annotation (7.9). Of none, nothing can be said."""
    try:
        found = decode(book, "kobo", parse("kobo", range))
    except NotALocator:
        return False
    if not isinstance(found, RangePlace):
        return found.status is not Status.FAILED
    return not text.strip() or confirm(book, found, text) is found


def _found(
    row: Row,
    link: Link | None,
    placed: ProjectedAnnotation | None,
    held: Fields | None,
    sha256: str,
    book: OpenBook | None,
    *,
    pushes: bool,
    is_fresh: bool,
) -> Fields | str | None:
    """How the device should have it, `None` for not at all, or why it cannot."""
    if not is_fresh and not pushes:
        return held
    if row["deleted_at"] is not None or _is_refused(row, link) or (not pushes and not _is_own(link)):
        return None
    if row["kind"] == OPAQUE:
        return dict(link["held"]) if link is not None and _raw(link) is not None else INK
    if placed is None:
        return "not-given"
    fields = {"note": placed.fields["note"]}
    if row["kind"] != "bookmark":
        fields |= {"text": _text(row, link, placed), "colour": _colour(row, link, placed)}
    if _has_own_range(row, link, sha256):
        return {**fields, "range": placed.range}
    range = placed.range
    if isinstance(range, dict):
        range = {**range, "offset": 0}  # a Kobo marks a page by a sentence on it
    elif range is not None and placed.status not in (Status.EXACT, Status.RECOVERED):
        range = None
    if range is not None and held is not None and held.get("range") == range:
        return {**fields, "range": range}
    if range is None or book is None:
        # What stood there before still does: the same place in the same file.
        return {**fields, "range": held.get("range")} if held is not None else str(placed.reason) or "not-given"
    return {**fields, "range": range} if is_verified(book, range, row["text"]) else OTHER_WORDS


def _text(row: Row, link: Link | None, placed: ProjectedAnnotation) -> str:
    """The words as this device has them; else as they were marked; else as the book has them."""
    if link is not None and "text" in link["held"] and link["held_versions"]["text"] >= row["versions"]["text"]:
        return str(link["held"]["text"])
    quote = row["quote"] or {}
    return placed.fields["text"] or str(quote.get("display") or quote.get("exact") or "")


def _colour(row: Row, link: Link | None, placed: ProjectedAnnotation) -> str:
    if link is not None and "colour" in link["held"] and link["held_versions"]["colour"] >= row["versions"]["colour"]:
        return str(link["held"]["colour"])
    return placed.fields["colour"]


def _wanted(row: Row, link: Link | None, fields: Fields, book: OpenBook | None) -> Wanted:
    return Wanted(
        id=link["native_id"] if link is not None else row["id"],
        kind=row["kind"],
        range=fields.get("range"),
        fields={name: str(value) for name, value in fields.items() if name != "range"},
        at=row["changed_at"],
        chapter=row["chapter"],
        progress=_progress(row, book),
    )


def _progress(row: Row, book: OpenBook | None) -> float | None:
    """How far into its document it is; of no consequence on the device (7.8)."""
    if book is None or row["start_k"] is None or row["reference_sha256"] is None:
        return None
    document = book.summary.document(row["start_document"], row["start_occurrence"])
    if document is None or not document.length:
        return None
    return round(min(float(row["start_k"]) / document.length, 1.0), 6)


def _has_own_range(row: Row, link: Link | None, sha256: str) -> bool:
    if link is None or link["sha256"] != sha256 or not link["held"]:
        return False
    return "range" not in link["held"] or bool(link["held_versions"]["range"] >= row["versions"]["range"])


def _is_refused(row: Row, link: Link | None) -> bool:
    """Whether this device asked to delete it, and a person has yet to decide."""
    return row["held_at"] is not None and link is not None and link["gone_at"] is not None


def _is_own(link: Link | None) -> bool:
    return link is not None and bool(link["held"]) and link["gone_at"] is None


def _raw(link: Link | None) -> str | None:
    """What the device sent of it."""
    raw = link["native"].get("raw") if link is not None else None
    return raw if isinstance(raw, str) else None


def _is_as_said(row: Row, link: Link | None, fields: Fields) -> bool:
    """Whether that is just what the device said last, so that nobody has to read again what it sent."""
    if link is None or not link["fingerprint"]:
        return False
    spoken = {name: value for name, value in fields.items() if name != "range"}
    said = Said(link["native_id"], row["kind"], fields.get("range"), spoken)
    return said.fingerprint == str(link["fingerprint"])


def _is_same(fields: Fields, held: Fields | None) -> bool:
    return held is not None and all(held.get(name) == value for name, value in fields.items())
