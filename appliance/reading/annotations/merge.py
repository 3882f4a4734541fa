"""Merging what a device did to an annotation with what became of it elsewhere. Functions of values, nothing else.

Each field is merged by itself, against the version the device last confirmed: what the device did not change is never
taken from it, and what it changed is never lost (docs/reference/koreader.md 9.7).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FIELDS = ("range", "text", "note", "colour", "style")

OTHER_NOTES = "other_notes"
"""Their version, beside those of the fields."""

Versions = Mapping[str, int]

NOTHING_HELD: Versions = dict.fromkeys(FIELDS, 0)
"""What a device held that never had the annotation."""


@dataclass(frozen=True, slots=True)
class Current:
    """An annotation as it stands. `versions`, `times`: of the last change of each field. `other_notes`: what other
    devices wrote at the same time, until a person merges them; `versions` has when one came last."""

    fields: Mapping[str, Any]
    versions: Versions
    times: Mapping[str, datetime]
    other_notes: tuple[str, ...] = ()
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a device did. `fields`: only those that differ from what it held; `base`: the version of each field that it
    held; `at`: when (`clock.happened`). `merges_notes`: a person saw all notes and wrote this one instead."""

    fields: Mapping[str, Any]
    base: Versions
    at: datetime
    merges_notes: bool = False


@dataclass(frozen=True, slots=True)
class Merged:
    """What becomes of it. `fields`: to be set. `other_notes`: afterwards. `revived`: the tombstone is lifted.
    `overruled`: fields whose value stays in the journal only, because a later act set another."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    other_notes: tuple[str, ...] = ()
    revived: bool = False
    overruled: tuple[str, ...] = ()

    def changes(self, current: Current) -> bool:
        """Whether anything is different afterwards."""
        return bool(self.fields) or self.revived or self.other_notes != current.other_notes


def changed(said: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a device changed: it says something else than what it held, in its own spelling and palette.
    A field that it does not speak of is not changed."""
    return {name: said[name] for name in FIELDS if name in said and said[name] != held.get(name)}


def merge(current: Current, change: Change) -> Merged:
    """Three-way merge of one annotation. An edit beats a delete."""
    fields: dict[str, Any] = {}
    overruled: list[str] = []
    notes = current.other_notes
    for name in FIELDS:
        if name not in change.fields:
            continue
        mine, theirs = change.fields[name], current.fields[name]
        if name == "note":
            taken, notes = _merge_notes(current, change)
            if taken != theirs:
                fields[name] = taken
        elif mine == theirs:
            continue
        elif current.versions[name] <= change.base[name] or _is_later(change.at, mine, current, name):
            fields[name] = mine
        else:
            overruled.append(name)
    revived = current.deleted_at is not None and bool(change.fields)
    return Merged(fields, notes, revived, tuple(overruled))


def beats_delete(current: Current, base: Versions) -> bool:
    """Whether somebody changed the annotation since the device that deletes it last saw it."""
    return any(current.versions[name] > base.get(name, 0) for name in FIELDS)


def _is_later(at: datetime, mine: Any, current: Current, name: str) -> bool:
    """Two devices changed the same field without knowing of each other: the later act counts. Of two at the very same
    time, the greater value, so that it does not matter whose report came first."""
    return (at, str(mine)) > (current.times[name], str(current.fields[name]))


def _merge_notes(current: Current, change: Change) -> tuple[str, tuple[str, ...]]:
    """The note, and the other notes. Words that a person wrote are never dropped."""
    mine, theirs = change.fields["note"], current.fields["note"]
    has_seen = current.versions["note"] <= change.base["note"]
    if change.merges_notes:
        unseen: tuple[str, ...] = () if has_seen else (theirs,)
        if current.versions.get(OTHER_NOTES, 0) > change.base.get(OTHER_NOTES, 0):
            unseen += current.other_notes
        return mine, tuple(dict.fromkeys(note for note in unseen if note and note != mine))
    if not has_seen and (contains(theirs, mine) or mine in current.other_notes):
        return theirs, current.other_notes
    others = tuple(note for note in current.other_notes if not contains(mine, note))
    if has_seen or contains(mine, theirs):
        return mine, others
    if current.deleted_at is not None:
        return mine, (*others, theirs)  # who marks the words again sees what they have just written
    return theirs, (*others, mine)


def contains(note: str, other: str) -> bool:
    """Whether `note` is `other`, or goes on from it with further words. Everything goes on from an empty one."""
    if other in ("", note):
        return True
    return note.startswith(other) and not (other[-1] + note[len(other)]).isalnum()
