"""A person's annotations as one device needs them: in its dialect, for the file it holds. The only way out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition, remember_rendition
from appliance.positions import OpenBook, Range, RangePlace, Reason, Status
from appliance.positions.dialects import write
from appliance.positions.translate import translate_range
from appliance.reading.annotations.due import Due, due, shown_field
from appliance.reading.annotations.effects import Row
from appliance.reading.annotations.links import Link
from appliance.reading.annotations.locate import decode_range
from appliance.reading.annotations.place import as_known, has_its_words, place_in
from appliance.reading.annotations.report import Caller

FIELDS = ("text", "note", "colour", "style")


@dataclass(frozen=True, slots=True)
class ProjectedAnnotation:
    """An annotation for a device. `range`: in the caller's dialect, its own words where it made the annotation; `None`
    when the place cannot be named there, and `status` and `reason` say why. `fields`: as the device spells them.
    `native`: everything the device itself once sent. `due`: what it has to be told, `None` for nothing. `is_sure`:
    it may be drawn there; where the place is only roughly known, that would be over other words."""

    row: Mapping[str, Any]
    native_id: str
    range: Any
    status: Status
    reason: Reason
    fields: Mapping[str, str]
    native: Mapping[str, Any]
    due: Due | None
    is_sure: bool


def project_annotations(
    house: House, session: Session, caller: Caller, rows: Iterable[Row], links: Mapping[str, Link]
) -> list[ProjectedAnnotation]:
    """Every annotation that lives, or that the device has to be told is gone. `links`: by annotation. Opens files."""
    target = open_rendition(house, session, caller.sha256)
    sources: dict[str, OpenBook | None] = {}
    result = []
    for row in sorted(rows, key=lambda row: (row["first"] is None, row["first"])):  # document by document
        link = links.get(row["id"])
        what = due(row, link, caller.surface)
        if row["deleted_at"] is not None and what is None:
            continue
        sha256 = row["reference_sha256"]
        if sha256 is not None and sha256 not in sources:
            sources[sha256] = remember_rendition(house, session, sha256)
        said, status, reason, is_sure = _range(caller, row, link, target, sources.get(sha256 or ""))
        fields = {name: shown_field(row, name, caller.surface) for name in FIELDS}
        native_id, native = (link["native_id"], link["native"]) if link is not None else (row["id"], {})
        projected = ProjectedAnnotation(row, native_id, said, status, reason, fields, native, what, is_sure)
        if what is None and link is not None and _is_misplaced(caller, row, link, projected):
            projected = replace(projected, due="change")
        result.append(projected)
    return result


def _range(
    caller: Caller, row: Row, link: Link | None, target: OpenBook | None, source: OpenBook | None
) -> tuple[Any, Status, Reason, bool]:
    own = _own(row, link)
    if own is not None and link is not None and link["sha256"] == caller.sha256:
        return own, Status.EXACT, Reason.NONE, True
    if row["start_k"] is None or source is None or target is None:
        reason = Reason(row["place_reason"]) if row["start_k"] is None else Reason.UNREADABLE
        return None, Status.FAILED, reason, False
    found = place_in(source, row)
    if source.sha256 != target.sha256:
        found = translate_range(found, source, target)
    if found.range is None:
        return None, found.status, found.reason, False
    is_sure = row["kind"] == "bookmark" or (found.status.rank < Status.APPROXIMATE.rank and has_its_words(row))
    place = as_known(found, row)
    if own is not None and _is_at(decode_range(target, caller.dialect, own), place):
        return own, place.status, place.reason, is_sure
    where = found.range.start if row["kind"] == "bookmark" else Range(found.range.start, found.range.end)
    written = write(target, caller.dialect, where)
    if written.status.rank >= place.status.rank:
        return written.value, written.status, written.reason, is_sure and written.value is not None
    return written.value, place.status, place.reason, is_sure and written.value is not None


def _is_misplaced(caller: Caller, row: Row, link: Link, projected: ProjectedAnnotation) -> bool:
    """Whether the device holds another file now than the one its range is of, and the range names other words there."""
    is_there = link["gone_at"] is None and row["deleted_at"] is None
    return is_there and link["sha256"] != caller.sha256 and projected.is_sure and projected.range != _own(row, link)


def _own(row: Row, link: Link | None) -> Any:
    """The range as the device itself said it, `None` when it is not the present one."""
    if link is None or link["held_versions"]["range"] < row["versions"]["range"]:
        return None
    return link["held"].get("range")


def _is_at(one: RangePlace, other: RangePlace) -> bool:
    return (one.start.tick, one.end.tick) == (other.start.tick, other.end.tick)
