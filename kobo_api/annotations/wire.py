"""Annotations as a Kobo writes and reads them (docs/reference/kobo-protocol.md 7.5, 7.8, 7.9). Functions of values.

What a device sent is kept as the very text that it sent and goes back as that, unless somebody changed what it says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Raw

from appliance.positions.kobospan import MAX_LENGTH, parse_value, selector
from kobo_api.wire import read_time, write_time

MAX_ITEM = 256 * 1024  # characters of one annotation; more is kept, but is none
KINDS = {"highlight": "highlight", "note": "highlight", "dogear": "bookmark"}
OPAQUE = "markup"  # ink, and whatever firmware there will be: given back as it came
# Names that were seen for the same, in whatever case (7.5).
_UPDATED = ("updatedannotations", "annotations")
_DELETED = ("deletedannotationids", "deletedannotations", "removedannotations")
_FLAGS = ("deleted", "isdeleted", "isremoved")
_SECOND = timedelta(seconds=1)  # as exactly as times are written
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,63}")

Range = dict[str, Any] | list[dict[str, Any]] | None  # as `positions.dialects` has it


@dataclass(frozen=True, slots=True)
class Item:
    """An annotation of a device. `kind`: highlight, bookmark or markup. `range`: as `positions.dialects` has it, `None`
    when it cannot be read. `fields`: the note, and of a highlight its text and colour. `raw`: the very text."""

    id: str
    kind: str
    range: Range
    fields: Mapping[str, str]
    chapter: str
    changed_at: datetime | None
    raw: str


@dataclass(frozen=True, slots=True)
class Patch:
    """What a device changed. `items`: one for each id, those in `deleted` among them. `unread`: texts of what could not
    be understood."""

    items: Sequence[Item] = ()
    deleted: Mapping[str, datetime | None] = field(default_factory=dict)
    unread: Sequence[str] = ()

    @property
    def names(self) -> set[str]:
        """Ids of everything it speaks of."""
        return {item.id for item in self.items} | set(self.deleted)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An annotation as a device should show it; the fields are those of `Item`. `progress`: share of its document
    before it, 0 to 1. `at`: when it was changed last."""

    id: str
    kind: str
    range: Range
    fields: Mapping[str, str]
    at: datetime
    chapter: str = ""
    progress: float | None = None


def read_patch(body: bytes) -> Patch:
    """The body of a PATCH, whatever it holds; never raises. Of one id twice, the newest counts (7.5)."""
    try:
        parts = msgspec.json.decode(body, type=dict[str, Raw]) if body.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Patch(unread=[_text(body)])
    items: dict[str, Item] = {}
    deleted: dict[str, datetime | None] = {}
    unread: list[str] = []
    for name, part in parts.items():
        for text in _elements(part):
            value = _decode(text)
            if name.lower() in _DELETED:
                id, at = _deletion(value)
                if id is None:
                    unread.append(text)
                else:
                    deleted[id] = at
            elif name.lower() not in _UPDATED or (item := read_item(text)) is None:
                unread.append(text)
            elif _is_deleted(value):
                deleted[item.id] = item.changed_at
            elif not _is_older(item, items.get(item.id)):
                items[item.id] = item
    return Patch(list(items.values()), deleted, unread)


def read_item(raw: str) -> Item | None:
    """One annotation; `None` for what has no id, or is too long to be one."""
    value = _decode(raw) if len(raw) <= MAX_ITEM else None
    if not isinstance(value, dict) or not _is_id(value.get("id")):
        return None
    kind = KINDS.get(str(value.get("type")).lower(), OPAQUE)
    span = value.get("location")
    span = span.get("span") if isinstance(span, dict) else None
    span = span if isinstance(span, dict) else {}
    fields = {"note": _words(value, "noteText")}
    if kind == "highlight":
        fields |= {"text": _words(value, "highlightedText"), "colour": _words(value, "highlightColor")[:64]}
    return Item(
        id=value["id"],
        kind=kind,
        range=_range(span, kind),
        fields=fields,
        chapter=_words(span, "chapterTitle")[:500],
        changed_at=read_time(value.get("clientLastModifiedUtc")),
        raw=raw,
    )


def render(wanted: Wanted, raw: str | None = None) -> str:
    """The annotation as a device reads it. `raw`: what it once sent of it, which is given back as it is when it says
    what is wanted; else everything in it that Bookwake does not know stays."""
    item = read_item(raw) if raw is not None else None
    if raw is not None and (wanted.kind == OPAQUE or (item is not None and _says(item, wanted))):
        return raw
    value: dict[str, Any] = _decode(raw) if raw is not None and item is not None else {}
    note = wanted.fields.get("note", "")
    at = wanted.at
    if item is not None and item.changed_at is not None:
        # Later than what it says itself, however far its clock runs ahead: so that a request of before the change, that
        # was under way for long, is known for what it is (`Links.is_old`).
        at = max(at, _after(item.changed_at))
    value = {"attachments": {}, **value, "clientLastModifiedUtc": write_time(at), "id": wanted.id}
    if wanted.kind == "bookmark":
        value |= {"context": value.get("context"), "type": "dogear"}
    else:
        value |= {
            "context": value.get("context"),
            "highlightColor": wanted.fields.get("colour", ""),
            "highlightedText": wanted.fields.get("text", ""),
            "type": "note" if note else "highlight",
        }
    value.pop("noteText", None)
    if note:
        value["noteText"] = note
    if item is None or item.range != wanted.range:
        value["location"] = {"span": _span(wanted)}
    return msgspec.json.encode(value, order="sorted").decode()


def read_check(body: bytes) -> list[tuple[str, str]]:
    """The books of `checkforchanges`, with the etag of each, empty for none (7.6). Never raises."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    found = []
    for entry in value if isinstance(value, list) else []:
        named = {str(key).lower(): value for key, value in entry.items()} if isinstance(entry, dict) else {}
        id, etag = named.get("contentid"), named.get("etag")
        if isinstance(id, str) and 0 < len(id) <= 64:
            found.append((id.lower(), etag[:200] if isinstance(etag, str) else ""))
    return found


def _after(moment: datetime) -> datetime:
    return min(moment, datetime.max.replace(tzinfo=UTC) - _SECOND) + _SECOND


def _says(item: Item, wanted: Wanted) -> bool:
    said = {name: wanted.fields.get(name, "") for name in item.fields}
    return item.range == wanted.range and said == item.fields


def _span(wanted: Wanted) -> dict[str, Any]:
    ends = wanted.range if isinstance(wanted.range, list) else [wanted.range, wanted.range]
    start, end = ends[0] or {}, ends[-1] or {}
    span: dict[str, Any] = {
        "chapterFilename": start.get("source", ""),
        "chapterTitle": wanted.chapter,
        "endChar": end.get("offset") or 0,
        "endPath": selector(end.get("value", "")),
        "startChar": start.get("offset") or 0,
        "startPath": selector(start.get("value", "")),
    }
    if end.get("source") != start.get("source"):
        # A path may carry its file (7.9): the only way to end in another document.
        span["endPath"] = f"{end.get('source')}#{end.get('value')}"
    if wanted.progress is not None:
        span["chapterProgress"] = wanted.progress
    return span


def _range(span: Mapping[str, Any], kind: str) -> Range:
    file = span.get("chapterFilename")
    ends = []
    for name in ("start", "end"):
        path, offset = span.get(f"{name}Path"), span.get(f"{name}Char")
        value = parse_value(path) if isinstance(path, str) else None
        if not value or not isinstance(path, str) or not isinstance(file, str) or not 0 < len(file) <= MAX_LENGTH:
            return None
        if isinstance(offset, bool) or not isinstance(offset, int) or not 0 <= offset < 2**31:
            return None
        own = path.rpartition("#")[0]
        source = own if "." in own and own != file else file
        ends.append({"source": source, "value": value, "offset": offset})  # a `KoboLocator`
    return ends[0] if kind == "bookmark" else ends


def _deletion(value: object) -> tuple[str | None, datetime | None]:
    if isinstance(value, dict):
        id, at = value.get("id"), read_time(value.get("clientLastModifiedUtc"))
    else:
        id, at = value, None
    return (id, at) if isinstance(id, str) and _is_id(id) else (None, None)


def _is_deleted(value: object) -> bool:
    return isinstance(value, dict) and any(value[name] is True for name in value if str(name).lower() in _FLAGS)


def _is_older(item: Item, other: Item | None) -> bool:
    if other is None or other.changed_at is None or item.changed_at is None:
        return False
    return item.changed_at < other.changed_at


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _elements(part: Raw) -> list[str]:
    """The texts of a list's elements; of anything else but an empty value, its own."""
    text = _text(bytes(part)).strip()
    if text.startswith("["):
        return [_text(bytes(element)) for element in msgspec.json.decode(text, type=list[Raw])]
    return [] if text in ("null", "{}", '""') else [text]


def _decode(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _words(value: Mapping[str, Any], name: str) -> str:
    """A text without what no database takes."""
    found = value.get(name)
    return found.replace("\0", "") if isinstance(found, str) else ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")
