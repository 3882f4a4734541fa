"""A person's annotations as one device needs them: in its dialect, for the file it holds. The only way out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.positions import OpenBook, Position, Range, RangePlace, Reason, Status
from appliance.positions.dialects import write
from appliance.positions.translate import translate_range
from appliance.reading.annotation_due import Due, due, shown_field
from appliance.reading.annotation_effects import Row
from appliance.reading.annotation_links import Link
from appliance.reading.annotation_report import Caller

FIELDS = ("text", "note", "colour", "style")


@dataclass(frozen=True, slots=True)
class ProjectedAnnotation:
    """An annotation for a device. `range`: in the caller's dialect, its own words where it made the annotation; `None`
    when the place cannot be named there, and `status` and `reason` say why. `fields`: as the device spells them.
    `native`: everything the device itself once sent. `due`: what it has to be told, `None` for nothing."""

    row: Mapping[str, Any]
    native_id: str
    range: Any
    status: Status
    reason: Reason
    fields: Mapping[str, str]
    native: Mapping[str, Any]
    due: Due | None


def project_annotations(
    house: House, session: Session, caller: Caller, rows: Iterable[Row], links: Mapping[str, Link]
) -> list[ProjectedAnnotation]:
    """Every annotation that lives, or that the device has to be told is gone. `links`: by annotation. Opens files."""
    target = open_rendition(house, session, caller.sha256)
    sources: dict[str, OpenBook | None] = {}
    result = []
    for row in rows:
        link = links.get(row["id"])
        what = due(row, link, caller.surface)
        if row["deleted_at"] is not None and what is None:
            continue
        sha256 = row["reference_sha256"]
        if sha256 is not None and sha256 not in sources:
            sources[sha256] = open_rendition(house, session, sha256)
        said, status, reason = _range(caller, row, link, target, sources.get(sha256 or ""))
        fields = {name: shown_field(row, name, caller.surface) for name in FIELDS}
        native_id, native = (link["native_id"], link["native"]) if link is not None else (row["id"], {})
        result.append(ProjectedAnnotation(row, native_id, said, status, reason, fields, native, what))
    return result


def _range(
    caller: Caller, row: Row, link: Link | None, target: OpenBook | None, source: OpenBook | None
) -> tuple[Any, Status, Reason]:
    if link is not None and link["sha256"] == caller.sha256 and "range" in link["held"]:
        if link["held_versions"]["range"] >= row["versions"]["range"]:
            return link["held"]["range"], Status.EXACT, Reason.NONE
    if row["start_k"] is None or source is None or target is None:
        reason = Reason(row["place_reason"]) if row["start_k"] is None else Reason.UNREADABLE
        return None, Status.FAILED, reason
    start = Position(row["start_document"], row["start_occurrence"], row["start_k"])
    end = Position(row["end_document"], row["end_occurrence"], row["end_k"], "before")
    place = RangePlace(source.place(start), source.place(end))
    if source.sha256 != target.sha256:
        place = translate_range(place, source, target)
    if place.range is None:
        return None, place.status, place.reason
    where = place.range.start if row["kind"] == "bookmark" else Range(place.range.start, place.range.end)
    written = write(target, caller.dialect, where)
    if written.status.rank >= place.status.rank:
        return written.value, written.status, written.reason
    return written.value, place.status, place.reason
