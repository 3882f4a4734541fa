"""One exchange of annotations with one device, worked out on values: rows and links in, changed ones out.

A *link* is what the device holds of an annotation (`models.DeviceAnnotation` as a dictionary), a *row* the annotation
(`models.Annotation`). Nothing here reads a clock, a file or a database.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from appliance.reading.annotation_due import SHOWN, shown_field
from appliance.reading.annotation_effects import PLACE, Effect, Row, fold, range_of
from appliance.reading.annotation_report import Answer, Caller, Deletion, Said
from appliance.reading.clock import happened
from appliance.reading.identity import Mark, Marks
from appliance.reading.locate_range import LocatedRange
from appliance.reading.mass_deletion import is_suspicious
from appliance.reading.merge import (
    FIELDS,
    NOTHING_HELD,
    OTHER_NOTES,
    Change,
    Current,
    Merged,
    Versions,
    beats_delete,
    changed,
    contains,
    merge,
)
from appliance.reading.palette import KOBO_GREY, stored

MAX_OFFERS = 16  # that a device did not answer; the oldest is then taken for lost

Link = dict[str, Any]
Entry = dict[str, Any]

_NEVER_HELD: Link = {"held": {}, "held_versions": dict(NOTHING_HELD), "held_version": 0, "given": [], "fingerprint": ""}


class Exchange:
    """`rows`: the book's annotations by id, tombstones too. `links`: of this device, by native id. `done`: operation
    ids seen before, with the annotation each was about. `version`: the first of the reserved feed numbers, one for
    each thing said. Deletions come first: what was deleted and made again stays one annotation.

    Afterwards: `changed`, the rows to write, of which `created` are new; `held`, the links to write; `dropped`, ids of
    annotations whose link goes; `entries`, for the journal.
    """

    def __init__(
        self,
        caller: Caller,
        rows: Mapping[str, Row],
        links: Mapping[str, Link],
        done: Mapping[str, str | None],
        version: int,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self.caller = caller
        self._new_id = new_id
        self.rows = dict(rows)
        self.links = dict(links)
        self.changed: dict[str, Row] = {}
        self.created: set[str] = set()
        self.held: dict[str, Link] = {}
        self.dropped: set[str] = set()
        self.entries: list[Entry] = []
        self._done = dict(done)
        self._version = version
        # What was only offered may never have arrived; what is gone may be made again.
        self._linked = {link["annotation_id"] for link in links.values() if link["held"] and link["gone_at"] is None}
        self._marks: Marks | None = None

    # -- what a device has

    def take(self, said: Said, located: LocatedRange | None) -> Answer:
        """An annotation that the device has and that is not as it was last known to be there. `located`: its range in
        the book's reference rendition, `None` when the device does not speak of it or did not change it."""
        if said.operation_id is not None and said.operation_id in self._done:
            return self._answer(said.native_id, self._done[said.operation_id], "duplicate", "same-operation")
        at = happened(said.changed_at or said.created_at, self.caller.received_at, self.caller.skew)
        link = self.links.get(said.native_id)
        row = self.rows.get(said.native_id if self.caller.is_person else link["annotation_id"] if link else "")
        if row is None:
            row = self._twin(said, located)
            if row is None:
                return self._create(said, located, at)
            is_first = True
        else:
            is_first = link is not None and not link["held"] and not link["given"]
        if is_first and self._is_deleted_copy(said, row, at):
            self._link(said, row, set(), NOTHING_HELD)
            return self._note(said, row, [], "history", "deleted-since")
        fields, base = (self._first_contact(said, row), NOTHING_HELD) if is_first else self._changed(said, link)
        if link is not None and link["gone_at"] is not None and row["deleted_at"] is not None and not fields:
            # The device had deleted it and shows it as it was: an old file was put back. The device will be told.
            self._link(said, row, set(), base)
            return self._note(said, row, [], "history", "deleted-since")
        if self._is_old(said):
            base = {**base, "note": 0}
        if said.base_version is not None:
            base = dict.fromkeys((*FIELDS, OTHER_NOTES), said.base_version)
        return self._merge(said, row, fields, base, located, at)

    def _create(self, said: Said, located: LocatedRange | None, at: datetime) -> Answer:
        caller = self.caller
        made = happened(said.created_at or said.changed_at, caller.received_at, caller.skew)
        described: Row = {
            "created_at": made.isoformat(),
            "user_id": caller.user_id,
            "book_id": caller.book_id,
            "device_id": caller.device_id,
            "kind": said.kind,
            "text": said.fields.get("text", ""),
            "note": said.fields.get("note", ""),
            "colour": stored(caller.surface, said.fields.get("colour", "")),
            "style": said.fields.get("style", "") or "highlight",
            "chapter": said.chapter,
            **_place(located),
        }
        annotation_id = said.native_id if caller.is_person else self._new_id()
        effect = self._effect("create", annotation_id, at) | {"row": described}
        row = self._apply(None, effect)
        self.created.add(annotation_id)
        self._link(said, row, set(FIELDS), NOTHING_HELD)
        return self._note(said, row, [effect], "current", "created")

    def _merge(
        self, said: Said, row: Row, fields: Row, base: Versions, located: LocatedRange | None, at: datetime
    ) -> Answer:
        columns = self._columns(fields, located)
        current = _current(row)
        merged = merge(current, Change(columns, base, at, said.merges_notes))
        reason = "revived" if merged.revived else "changed" if merged.fields else "unchanged"
        effects: list[Effect] = []
        if merged.changes(current):
            effect = self._effect("set", row["id"], at) | {
                "fields": sorted(merged.fields),
                "columns": _set(merged, located),
                "other_notes": list(merged.other_notes),
                "revived": merged.revived,
            }
            effects.append(effect)
            row = self._apply(row, effect)
            if merged.other_notes != current.other_notes and len(merged.other_notes) > len(current.other_notes):
                reason = "two-notes"
        elif merged.overruled:
            reason = "later-change"
        mine = {name for name, value in columns.items() if value == _value(row, name)}
        if located is not None and range_of(_place(located)) == range_of(row):
            mine |= {"range", "text"}  # another reader's way to say the same
        self._link(said, row, mine, base)
        if not effects and not merged.overruled:
            # Said once more, or only in another spelling.
            return self._answer(said.native_id, row["id"], "echo", "unchanged")
        return self._note(said, row, effects, "current" if effects else "history", reason)

    def _changed(self, said: Said, link: Link | None) -> tuple[dict[str, Any], Versions]:
        """What the device changed, in its own spelling, and the version of each field that it changed from. What it was
        offered and now has is no change of its own."""
        spoken = dict(said.fields) if said.range is None else {**said.fields, "range": said.range}
        if link is None:
            return spoken, NOTHING_HELD
        fields, base = changed(spoken, link["held"]), dict(link["held_versions"])
        for offer in link["given"]:
            for name, value in offer["fields"].items():
                if spoken.get(name) == value:
                    fields.pop(name, None)
                    base[name] = offer["versions"][name]
        if fields.get("colour") == KOBO_GREY and self.caller.surface == "kobo" and self._is_greyscale():
            # A greyscale Kobo writes grey for whatever colour it was sent (kobo-protocol.md 7.8).
            del fields["colour"]
        return fields, base

    def _first_contact(self, said: Said, row: Row) -> dict[str, Any]:
        """What a device that made the same highlight says otherwise. Its words and ends differ by what readers do
        (punctuation, spaces), so those of the first stay."""
        if row["deleted_at"] is not None:  # made again
            return {name: value for name, value in said.fields.items() if name != "text"}
        return changed({name: value for name, value in said.fields.items() if name in ("note", "style")}, row)

    def _is_deleted_copy(self, said: Said, row: Row, at: datetime) -> bool:
        """Whether it is an old copy of what was deleted since, with no other words than that has: it does not come
        back. Where the device's clock is not known it may as well be made anew, and that must not be lost."""
        is_older = row["deleted_at"] is not None and self.caller.skew is not None and at < row["deleted_at"]
        note = said.fields.get("note", "")
        return is_older and any(contains(known, note) for known in (row["note"], *row["other_notes"]))

    def _is_old(self, said: Said) -> bool:
        """Whether the device has told of something newer: this report was under way for long, or an old file was put
        back. By the device's own clock, so that it decides nothing but whether a note may be dropped."""
        link, claimed = self.links.get(said.native_id), self._claimed(said)
        return bool(link and link["claimed_at"] and claimed and claimed < link["claimed_at"])

    def _claimed(self, said: Said) -> datetime | None:
        if said.changed_at is None:
            return None
        try:
            return said.changed_at - (self.caller.skew or timedelta(0))
        except OverflowError:
            return None

    def _columns(self, fields: dict[str, Any], located: LocatedRange | None) -> dict[str, Any]:
        """The changes as they are kept. A range that cannot be found changes nothing: the old one still stands."""
        columns = {name: value for name, value in fields.items() if name in ("text", "note", "style")}
        if "colour" in fields:
            columns["colour"] = stored(self.caller.surface, fields["colour"])
        if "range" in fields and located is not None and located.place.range is not None:
            columns["range"] = range_of(_place(located))
        return columns

    def _twin(self, said: Said, located: LocatedRange | None) -> Row | None:
        """The same highlight made on another device; or by this one, under a name it has since forgotten."""
        if self._marks is None:
            self._marks = Marks()
            for row in sorted(self.rows.values(), key=lambda row: (row["deleted_at"] is not None, row["version"])):
                if row["id"] not in self._linked:
                    self._marks.add(_mark(row), row["id"])
        place = _place(located)
        found = self._marks.find(Mark(said.kind, place["first"], place["last"], said.fields.get("text", "")))
        return self.rows[found] if found is not None and found not in self._linked else None

    def miss(self, names: Collection[str]) -> None:
        """The device has said all that it has, or deleted: `names`. What else it was known to hold it has lost, and is
        given again; absence is never a deletion."""
        for name in self.absent(self.links, names):
            link = self.links[name]
            row = self.rows[link["annotation_id"]]
            self._linked.discard(row["id"])
            if row["deleted_at"] is not None:
                self._gone(link)
            else:
                self._keep({**link, **_NEVER_HELD}, row)

    @staticmethod
    def absent(links: Mapping[str, Link], names: Collection[str]) -> list[str]:
        """Names of what the device was known to hold and does not have."""
        return [name for name, link in links.items() if link["held"] and link["gone_at"] is None and name not in names]

    def _is_greyscale(self) -> bool:
        """Whether this Kobo never chose a colour."""
        own = (row["colour"] for row in self.rows.values() if row["device_id"] == self.caller.device_id)
        return not any(colour.startswith("kobo:") and colour != f"kobo:{KOBO_GREY}" for colour in own)

    # -- what a device is offered

    def offer(self, annotation_id: str, fields: Mapping[str, Any]) -> None:
        """The device is told of an annotation as it is now. `fields`: in its own spelling, with the range."""
        row = self.rows[annotation_id]
        link = self._link_of(annotation_id) or {
            "device_id": self.caller.device_id,
            "annotation_id": annotation_id,
            "book_id": self.caller.book_id,
            "native_id": annotation_id,
            "sha256": self.caller.sha256,
            "native": {},
            "fingerprint": "",
            "held": {},
            "held_versions": dict(NOTHING_HELD),
            "held_version": 0,
            "given": [],
            "claimed_at": None,
            "gone_at": None,
        }
        offer = {
            "version": row["version"],
            "fields": dict(fields),
            "versions": row["versions"],
            "sha256": self.caller.sha256,
        }
        given = [one for one in link["given"] if one["version"] != row["version"]]
        self._keep({**link, "given": [*given, offer][-MAX_OFFERS:]}, row)

    def follow(self, native_id: str, version: int, fields: Mapping[str, Any] | None = None) -> None:
        """The device says that it holds what it was offered as `version`, or that it deleted what it was told to.
        `fields`: where it differs from the offer, such as a range that its engine spells in another way."""
        link = self.links.get(native_id)
        row = self.rows.get(link["annotation_id"]) if link is not None else None
        if link is None or row is None:
            return
        if row["deleted_at"] is not None and version >= row["version"]:
            self._gone(link)
            return
        offer = next((one for one in link["given"] if one["version"] == version), None)
        if offer is None:
            return
        link = {
            **link,
            "held": {**link["held"], **offer["fields"], **(fields or {})},
            "held_versions": dict(offer["versions"]),
            "given": [one for one in link["given"] if one["version"] > version],
            "fingerprint": "",
            "gone_at": None,
        }
        self._keep(link, row)

    def _link_of(self, annotation_id: str) -> Link | None:
        return next((link for link in self.links.values() if link["annotation_id"] == annotation_id), None)

    # -- what a device deleted

    def delete(self, deletions: Sequence[Deletion], lately: int) -> list[Answer]:
        """Deletions that the device speaks of. `lately`: how many more it asked for a short while ago."""
        unsure = sum(not one.is_confirmed for one in deletions)
        living = sum(link["gone_at"] is None for link in self.links.values()) + lately
        suspicious = not self.caller.is_person and is_suspicious(unsure + lately, living)
        return [self._delete(one, suspicious and not one.is_confirmed) for one in deletions]

    def _delete(self, one: Deletion, suspicious: bool) -> Answer:
        if one.operation_id is not None and one.operation_id in self._done:
            return self._answer(one.native_id, self._done[one.operation_id], "duplicate", "same-operation")
        link = self.links.get(one.native_id)
        row = self.rows.get(one.native_id if self.caller.is_person else link["annotation_id"] if link else "")
        if row is None:
            return Answer(one.native_id, "rejected", "unknown-annotation")
        at = happened(one.at, self.caller.received_at, self.caller.skew)
        if link is not None:
            self._gone(link)
        if row["deleted_at"] is not None:
            return self._answer(one.native_id, row["id"], "echo", "deleted-before")
        base = dict.fromkeys(FIELDS, one.base_version) if one.base_version is not None else None
        base = base or (link["held_versions"] if link is not None else dict(NOTHING_HELD))
        if beats_delete(_current(row), base):
            if link is not None:
                self._drop(link)  # it is given to the device again
            return self._note(one, row, [], "history", "changed-since")
        effect = self._effect("hold" if suspicious else "delete", row["id"], at)
        row = self._apply(row, effect)
        if suspicious:
            return self._note(one, row, [effect], "suggestion", "many-deleted")
        return self._note(one, row, [effect], "current", "deleted")

    # -- bookkeeping

    def _effect(self, do: str, annotation_id: str, at: datetime) -> Effect:
        self._version += 1
        return {"do": do, "id": annotation_id, "version": self._version - 1, "at": at.isoformat()}

    def _apply(self, row: Row | None, effect: Effect) -> Row:
        row = fold(row, effect)
        self.rows[row["id"]] = self.changed[row["id"]] = row
        return row

    def _link(self, said: Said, row: Row, mine: set[str], base: Versions) -> None:
        """Remember what the device holds now: what it said, at version `base` of each field. `mine`: the fields in
        which that is what is kept now, in whatever words."""
        if self.caller.is_person:
            return  # a browser shows what is there, and says what it saw
        before = self.links.get(said.native_id)
        held = (dict(before["held"]) if before is not None else {}) | dict(said.fields)
        if said.range is not None:
            held["range"] = said.range
        versions = dict(base)
        for name in FIELDS:
            if name in mine or (name in SHOWN and held.get(name) == shown_field(row, name, self.caller.surface)):
                versions[name] = row["versions"][name]
        self._keep(
            {
                "device_id": self.caller.device_id,
                "annotation_id": row["id"],
                "book_id": self.caller.book_id,
                "native_id": said.native_id,
                "sha256": self.caller.sha256,
                "native": dict(said.native),
                "fingerprint": said.fingerprint,
                "held": held,
                "held_versions": versions,
                "held_version": before["held_version"] if before is not None else 0,
                "given": [],
                "claimed_at": self._claimed(said),
                "gone_at": None,
            },
            row,
        )

    def _keep(self, link: Link, row: Row) -> None:
        versions = link["held_versions"]
        if row["deleted_at"] is None and all(versions[name] >= row["versions"][name] for name in FIELDS):
            link["held_version"] = row["version"]
        before = self._link_of(row["id"])
        if before is not None and before["native_id"] != link["native_id"]:
            del self.links[before["native_id"]]
        self.links[link["native_id"]] = self.held[row["id"]] = link
        if link["held"]:
            self._linked.add(row["id"])

    def _gone(self, link: Link) -> None:
        link = {**link, "gone_at": self.caller.received_at, "fingerprint": "", "given": []}
        self._linked.discard(link["annotation_id"])
        self.links[link["native_id"]] = self.held[link["annotation_id"]] = link

    def _drop(self, link: Link) -> None:
        self.links.pop(link["native_id"], None)
        self.held.pop(link["annotation_id"], None)
        self.dropped.add(link["annotation_id"])
        self._linked.discard(link["annotation_id"])

    def _note(self, said: Said | Deletion, row: Row, effects: list[Effect], outcome: str, reason: str) -> Answer:
        self.entries.append(
            {
                "said": said,
                "row": row,
                "effects": effects,
                "outcome": outcome,
                "reason": reason,
            }
        )
        if said.operation_id is not None:
            self._done[said.operation_id] = row["id"]
        return self._answer(said.native_id, row["id"], outcome, reason)

    def _answer(self, native_id: str, annotation_id: str | None, outcome: str, reason: str) -> Answer:
        row = self.rows.get(annotation_id or "")
        if row is None:
            return Answer(native_id, outcome, reason, annotation_id)
        return Answer(native_id, outcome, reason, row["id"], row["version"], row["deleted_at"] is not None)


def _current(row: Row) -> Current:
    return Current(
        {name: _value(row, name) for name in FIELDS},
        row["versions"],
        {name: datetime.fromisoformat(at) for name, at in row["times"].items()},
        tuple(row["other_notes"]),
        row["deleted_at"],
    )


def _value(row: Row, name: str) -> Any:
    return range_of(row) if name == "range" else row[name]


def _mark(row: Row) -> Mark:
    return Mark(row["kind"], row["first"], row["last"], row["text"])


def _set(merged: Merged, located: LocatedRange | None) -> Row:
    columns = {name: value for name, value in merged.fields.items() if name != "range"}
    return columns | _place(located) if "range" in merged.fields else columns


def _place(located: LocatedRange | None) -> Row:
    """The columns of a place; those of an annotation that has none yet say why."""
    if located is None:
        return dict(
            zip(PLACE, (None, None, 0, None, None, 0, None, None, None, "failed", "not-given", {}), strict=True)
        )
    place, where = located.place, located.place.range
    start, end = (where.start, where.end) if where is not None else (None, None)
    return {
        "reference_sha256": located.reference_sha256,
        "start_document": start.document if start else None,
        "start_occurrence": start.occurrence if start else 0,
        "start_k": start.k if start else None,
        "end_document": end.document if end else None,
        "end_occurrence": end.occurrence if end else 0,
        "end_k": end.k if end else None,
        "first": place.start.tick if where is not None else None,
        "last": place.end.tick if where is not None else None,
        "place_status": place.status.value,
        "place_reason": str(place.reason),
        "quote": located.quote,
    }
