"""Annotations folded from what the journal says was done to them. Functions of values.

An effect is a JSON object: `do` is create, set, delete, restore, hold, release or place; `id` the annotation, `version`
its number in the person's feed, `at` when it was done. An annotation is a dictionary of its columns.
"""

from datetime import datetime
from typing import Any

from appliance.reading.annotations.merge import FIELDS, OTHER_NOTES

Effect = dict[str, Any]
Row = dict[str, Any]


def fold(row: Row | None, effect: Effect) -> Row:
    """The annotation after an effect."""
    version, at = effect["version"], datetime.fromisoformat(effect["at"])
    if effect["do"] == "create":
        made = {
            **effect["row"],
            "id": effect["id"],
            "versions": dict.fromkeys(FIELDS, version),
            "times": dict.fromkeys(FIELDS, effect["at"]),
            "other_notes": [],
            "deleted_at": None,
            "held_at": None,
            "created_at": datetime.fromisoformat(effect["row"]["created_at"]),
        }
        return {**made, "version": version, "changed_at": at}
    assert row is not None, "only an annotation that was created can be changed"
    if effect["do"] == "place":  # the same words, found at another place: nobody's change
        return {**row, **effect["columns"], "version": version}
    row = {**row, "version": version, "changed_at": at}
    match effect["do"]:
        case "set":
            row |= effect["columns"]
            news = effect["fields"] if row["other_notes"] == effect["other_notes"] else [*effect["fields"], OTHER_NOTES]
            row["versions"] = row["versions"] | dict.fromkeys(news, version)
            row["times"] = row["times"] | dict.fromkeys(effect["fields"], effect["at"])
            row["other_notes"] = effect["other_notes"]
            if effect["revived"]:
                row["deleted_at"] = row["held_at"] = None
        case "delete":
            row["deleted_at"], row["held_at"] = at, None
        case "restore":
            row["deleted_at"] = row["held_at"] = None
        case "hold":
            row["held_at"] = at
        case "release":
            row["held_at"] = None
        case unknown:
            raise ValueError(f"unknown effect {unknown!r}")
    return row
