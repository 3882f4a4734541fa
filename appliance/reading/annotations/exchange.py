"""One exchange of annotations with one device, worked out on values: rows and links in, changed ones out.

A *link* is what the device holds of an annotation (`links`), a *row* the annotation (`models.Annotation` as
a dictionary). Nothing here reads a clock, a file or a database.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import uuid4

from appliance.reading.annotations.effects import Effect, Row, fold
from appliance.reading.annotations.identity import Mark, Marks
from appliance.reading.annotations.links import Link, Links, base_of
from appliance.reading.annotations.locate import LocatedRange
from appliance.reading.annotations.mass_deletion import is_suspicious
from appliance.reading.annotations.merge import (
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
from appliance.reading.annotations.palette import KOBO_GREY, stored
from appliance.reading.annotations.place import columns_of, range_of
from appliance.reading.annotations.report import Answer, Caller, Deletion, Entry, Said
from appliance.reading.clock import happened

CLOCK_STEP = timedelta(seconds=2)
"""Devices tell whole seconds, and how far off their clock is is measured with each request."""


class Exchange:
    """`rows`: the book's annotations by id, tombstones too. `links`: of this device, by native id. `done`: operation
    ids seen before, with the annotation each was about. `version`: the first of the reserved feed numbers, one for
    each thing said and each of `deleted_names`: what the device said before that it deleted. `former_notes`: by
    annotation, for a list that the device did not write last. Deletions come first: what was deleted and made again
    stays one annotation.

    Afterwards: `changed`, the rows to write, of which `created` are new; `links`; `entries`, for the journal.
    """

    def __init__(
        self,
        caller: Caller,
        rows: Mapping[str, Row],
        links: Mapping[str, Link],
        done: Mapping[str, str | None],
        version: int,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        deleted_names: Collection[str] = (),
        former_notes: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.caller = caller
        self._new_id = new_id
        self.rows = dict(rows)
        self.links = Links(caller, links)
        self.changed: dict[str, Row] = {}
        self.created: set[str] = set()
        self.entries: list[Entry] = []
        self._done = dict(done)
        self._deleted_names = deleted_names
        self._former_notes = former_notes
        self._version = version
        self._marks: Marks | None = None

    # -- what a device has

    def take(self, said: Said, located: LocatedRange | None) -> Answer:
        """An annotation that the device has and that is not as it was last known to be there. `located`: its range in
        the book's reference rendition, `None` when the device does not speak of it or did not change it."""
        if said.operation_id is not None and said.operation_id in self._done:
            return self._answer(said.native_id, self._done[said.operation_id], "duplicate", "same-operation")
        at = happened(said.changed_at or said.created_at, self.caller.received_at, self.caller.skew)
        link = self.links.by_name.get(said.native_id)
        row = self.rows.get(said.native_id if self.caller.is_person else link["annotation_id"] if link else "")
        if link is not None and row is not None and row["deleted_at"] is None and said.base_version is not None:
            # Who was told of an offer took it, also if the answer that says so was lost.
            self.links.follow(said.native_id, said.base_version, self.rows)
            link = self.links.by_name[said.native_id]
        is_gone = link is not None and link["gone_at"] is not None
        if said.native_id in self._deleted_names and (link is None or (is_gone and not link["given"])):
            return self._take_late(said, row, located, at)
        if row is None:
            row = self._twin(said, located)
            if row is None:
                return self._create(said, located, at)
            is_first = True
        else:
            is_first = link is not None and not link["held"] and not link["given"]
        if (is_first or is_gone) and self._is_deleted_copy(said, row, at):
            self.links.hold(said, row, set(), NOTHING_HELD)
            return self._note(said, row, [], "history", "deleted-since")
        fields, base = (self._first_contact(said, row), NOTHING_HELD) if is_first else self._changed(said, link)
        if is_gone and row["deleted_at"] is not None and not fields:
            # The device had deleted it and shows it as it was: an old file was put back. The device will be told.
            self.links.hold(said, row, set(), base)
            return self._note(said, row, [], "history", "deleted-since")
        if (is_gone and said.operation_id is None) or self.links.is_old(said):
            base = {**base, "note": 0}  # it may be from before the device had the note
        if said.base_version is not None:
            base = self._base(link, said.base_version)
        return self._merge(said, row, fields, base, located, at)

    def _create(self, said: Said, located: LocatedRange | None, at: datetime, *, was_deleted: bool = False) -> Answer:
        """`was_deleted`: by the device that says it, before anybody else knew it. A person decides then."""
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
            **columns_of(located),
        }
        annotation_id = said.native_id if caller.is_person else self._new_id()
        effects = [self._effect("create", annotation_id, at) | {"row": described}]
        row = self._apply(None, effects[0])
        self.created.add(annotation_id)
        self.links.hold(said, row, set(FIELDS), NOTHING_HELD)
        if not was_deleted:
            return self._note(said, row, effects, "current", "created", located=located)
        effects.append(self._effect("hold", annotation_id, at))
        row = self._apply(row, effects[1])
        self.links.gone(self.links.by_name[said.native_id])
        return self._note(said, row, effects, "suggestion", "deleted-unseen", located=located)

    def _merge(
        self, said: Said, row: Row, fields: Row, base: Versions, located: LocatedRange | None, at: datetime
    ) -> Answer:
        columns = self._columns(fields, located)
        current = _current(row)
        merged = merge(current, Change(columns, base, at, said.merges_notes))
        reason = "revived" if merged.revived else "changed" if merged.fields else "unchanged"
        effects: list[Effect] = []
        if merged.changes(current):
            effects.append(self._set(row, merged, located, at))
            row = self.rows[row["id"]]
            if merged.other_notes != current.other_notes and len(merged.other_notes) > len(current.other_notes):
                reason = "two-notes"
        elif merged.overruled:
            reason = "later-change"
        mine = {name for name, value in columns.items() if value == _value(row, name)}
        if located is not None and range_of(columns_of(located)) == range_of(row):
            mine |= {"range", "text"}  # another reader's way to say the same
        self.links.hold(said, row, mine, base)
        is_unplaced = "range" in fields and "range" not in columns
        if is_unplaced and not effects:
            reason = "not-placed"
        if not effects and not merged.overruled and not is_unplaced:
            # Said once more, or only in another spelling.
            return self._answer(said.native_id, row["id"], "echo", "unchanged")
        return self._note(said, row, effects, "current" if effects else "history", reason, located=located)

    def _take_late(self, said: Said, row: Row | None, located: LocatedRange | None, at: datetime) -> Answer:
        """What was under way while the device deleted it. Of `row`, or of one that it has made again since, it changes
        nothing but the note."""
        if row is None:
            found = _marks(self.rows.values()).find(_mark_said(said, located))
            if found is None:
                return self._create(said, located, at, was_deleted=True)
            row = self.rows[found]
        current = _current(row)
        merged = merge(current, Change({"note": said.fields.get("note", "")}, NOTHING_HELD, at))
        effects: list[Effect] = []
        if merged.fields or merged.other_notes != current.other_notes:
            effects.append(self._set(row, replace(merged, revived=False), located, at))
            row = self.rows[row["id"]]
        return self._note(said, row, effects, "history", "deleted-since", located=located)

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

    def _base(self, link: Link | None, version: int) -> Versions:
        if self.caller.is_person:
            return dict.fromkeys((*FIELDS, OTHER_NOTES), version)  # the page showed all of it
        return base_of(link, version) if link is not None else NOTHING_HELD

    def _first_contact(self, said: Said, row: Row) -> dict[str, Any]:
        """What a device that made the same highlight says otherwise. Its words and ends differ by what readers do
        (punctuation, spaces), so those of the first stay. In a copied or older list, a note that it once had is none of
        the device's own."""
        if row["deleted_at"] is not None:  # made again
            return {name: value for name, value in said.fields.items() if name != "text"}
        fields = {name: value for name, value in said.fields.items() if name in ("note", "style")}
        if fields.get("note") in self._formerly(row):
            del fields["note"]
        return changed(fields, row)

    def _is_deleted_copy(self, said: Said, row: Row, at: datetime) -> bool:
        """Whether it is an old copy of what was deleted since, with no other words than that has: it does not come
        back. Where the device's clock is not known it may as well be made anew, and that must not be lost; but in a
        list that the device did not write last, what has the name of the deleted one is that."""
        if row["deleted_at"] is None:
            return False
        is_older = self.caller.skew is not None and at + CLOCK_STEP < row["deleted_at"]
        is_old_list = self._former_notes is not None and said.native_id in self.links.by_name
        known = (row["note"], *row["other_notes"], *self._formerly(row))
        return (is_older or is_old_list) and any(contains(note, said.fields.get("note", "")) for note in known)

    def _formerly(self, row: Row) -> Collection[str]:
        return (self._former_notes or {}).get(row["id"], ())

    def _columns(self, fields: dict[str, Any], located: LocatedRange | None) -> dict[str, Any]:
        """The changes as they are kept. A range that cannot be found changes nothing: the old one still stands."""
        columns = {name: value for name, value in fields.items() if name in ("text", "note", "style")}
        if "colour" in fields:
            columns["colour"] = stored(self.caller.surface, fields["colour"])
        if "range" in fields and located is not None and located.place.range is not None:
            columns["range"] = range_of(columns_of(located))
        return columns

    def _twin(self, said: Said, located: LocatedRange | None) -> Row | None:
        """The same highlight made on another device; or by this one, under a name it has since forgotten."""
        if self._marks is None:
            self._marks = _marks(row for row in self.rows.values() if not self.links.has(row["id"]))
        found = self._marks.find(_mark_said(said, located))
        return self.rows[found] if found is not None and not self.links.has(found) else None

    def _is_greyscale(self) -> bool:
        """Whether nothing tells that this Kobo has colours: not its model, and it said none last, and made no highlight
        that still has the one it was made in. A colour that others chose since tells nothing, nor that of a bookmark,
        which has none."""
        if self.caller.has_colours:
            return False
        own = (row for row in self.rows.values() if row["device_id"] == self.caller.device_id)
        made = (
            row["colour"]
            for row in own
            if row["kind"] == "highlight" and datetime.fromisoformat(row["times"]["colour"]) == row["created_at"]
        )
        said = (stored("kobo", colour) for colour in self.links.last_said("colour") if colour)
        return all(colour == f"kobo:{KOBO_GREY}" for colour in chain(made, said))

    # -- what a device deleted

    def delete(self, deletions: Sequence[Deletion], lately: int) -> list[Answer]:
        """Deletions that the device speaks of. `lately`: how many more it asked for a short while ago."""
        unsure = sum(not one.is_confirmed for one in deletions)
        living = sum(link["gone_at"] is None for link in self.links.by_name.values()) + lately
        suspicious = not self.caller.is_person and is_suspicious(unsure + lately, living)
        return [self._delete(one, suspicious and not one.is_confirmed) for one in deletions]

    def _delete(self, one: Deletion, suspicious: bool) -> Answer:
        self.links.lacks(one.native_id)
        if one.operation_id is not None and one.operation_id in self._done:
            return self._answer(one.native_id, self._done[one.operation_id], "duplicate", "same-operation")
        link = self.links.by_name.get(one.native_id)
        row = self.rows.get(one.native_id if self.caller.is_person else link["annotation_id"] if link else "")
        if row is None:
            # What was said of it may still be under way.
            return self._note(one, None, [], "rejected", "unknown-annotation")
        at = happened(one.at, self.caller.received_at, self.caller.skew)
        if link is not None:
            self.links.gone(link)
        if row["deleted_at"] is not None:
            if link is None or link["gone_at"] is not None:
                return self._answer(one.native_id, row["id"], "echo", "deleted-before")
            return self._note(one, row, [], "history", "deleted-before")
        base = link["held_versions"] if link is not None else NOTHING_HELD
        if one.base_version is not None:
            base = self._base(link, one.base_version)
        if beats_delete(_current(row), base):
            if link is not None:
                self.links.drop(link)  # it is given to the device again
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

    def _set(self, row: Row, merged: Merged, located: LocatedRange | None, at: datetime) -> Effect:
        effect = self._effect("set", row["id"], at) | {
            "fields": sorted(merged.fields),
            "columns": _columns_of(merged, located),
            "other_notes": list(merged.other_notes),
            "revived": merged.revived,
        }
        self._apply(row, effect)
        return effect

    def _apply(self, row: Row | None, effect: Effect) -> Row:
        row = fold(row, effect)
        self.rows[row["id"]] = self.changed[row["id"]] = row
        return row

    def _note(
        self,
        said: Said | Deletion,
        row: Row | None,
        effects: list[Effect],
        outcome: str,
        reason: str,
        located: LocatedRange | None = None,
    ) -> Answer:
        subject = row["id"] if row is not None else None
        claimed_at, deleted = (said.changed_at, None) if isinstance(said, Said) else (said.at, said.native_id)
        self.entries.append(
            Entry(subject, said.payload, effects, outcome, reason, said.operation_id, claimed_at, located, deleted)
        )
        if said.operation_id is not None:
            self._done[said.operation_id] = subject
        return self._answer(said.native_id, subject, outcome, reason)

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
    return Mark(row["kind"], row["first"], row["last"], row["text"], row["reference_sha256"])


def _mark_said(said: Said, located: LocatedRange | None) -> Mark:
    return _mark({**columns_of(located), "kind": said.kind, "text": said.fields.get("text", "")})


def _marks(rows: Iterable[Row]) -> Marks:
    """To be found: what lives before what is deleted, the older first."""
    marks = Marks()
    for row in sorted(rows, key=lambda row: (row["deleted_at"] is not None, row["version"])):
        marks.add(_mark(row), row["id"])
    return marks


def _columns_of(merged: Merged, located: LocatedRange | None) -> Row:
    columns = {name: value for name, value in merged.fields.items() if name != "range"}
    return columns | columns_of(located) if "range" in merged.fields else columns
