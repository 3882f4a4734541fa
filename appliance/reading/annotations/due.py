"""What a device has to be told of an annotation. Functions of values.

Rows and links are dictionaries of `models.Annotation` and `models.DeviceAnnotation`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from appliance.reading.annotations.palette import Surface, shown

SHOWN = ("note", "colour", "style")
"""Fields that are compared as the device shows them; a range and its words have as many spellings as readers."""

Due = Literal["give", "change", "remove"]


def due(row: Mapping[str, Any], link: Mapping[str, Any] | None, surface: Surface) -> Due | None:
    """`give`: the device does not have it; `change`: it has it otherwise; `remove`: it was deleted elsewhere."""
    has_it = link is not None and link["gone_at"] is None and bool(link["held"])
    if row["deleted_at"] is not None:
        # What was only offered may have arrived.
        may_have_it = link is not None and (link["gone_at"] is None or bool(link["given"]))
        return "remove" if may_have_it else None
    if not has_it or link is None:
        # A deletion that waits for a person is not undone on the device that asked for it.
        return None if row["held_at"] is not None and link is not None else "give"
    if link["held_version"] >= row["version"]:
        return None
    for name in SHOWN:
        if shown_field(row, name, surface) != link["held"].get(name, ""):
            return "change"
    newer = any(row["versions"][name] > link["held_versions"][name] for name in ("range", "text"))
    return "change" if newer else None


def shown_field(row: Mapping[str, Any], name: str, surface: Surface) -> str:
    """A field as a device shows it."""
    if name == "style" and surface == "koreader" and row["style"] == "squiggly":
        return "underline"  # KOReader has no wavy lines
    return shown(row["colour"], surface) if name == "colour" else str(row[name])
