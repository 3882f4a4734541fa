"""What is in a sidecar of KOReader, at a glance: for a person to choose a backup by. It is Lua, and is never run."""

import re
from dataclasses import dataclass

_PERCENT = re.compile(rb'^    \["percent_finished"\] = ([0-9.eE+-]{1,30}),$', re.MULTILINE)
_LIST = re.compile(rb'^    \["annotations"\] = \{$(.*?)^    \},$', re.MULTILINE | re.DOTALL)
_ITEM = re.compile(rb"^        \[\d+\] = \{$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Glance:
    """How many annotations there are, and how much was read (0 to 1); `None` where that cannot be seen."""

    annotations: int | None = None
    percent: float | None = None


def glance(metadata: bytes) -> Glance:
    """Looks for lines as KOReader writes them (docs/reference/koreader.md 6): each level is indented by four spaces, so
    that nothing inside a note can be taken for one."""
    listed = _LIST.search(metadata)
    annotations = len(_ITEM.findall(listed[1])) if listed else 0 if b'["annotations"] = {},' in metadata else None
    found = _PERCENT.search(metadata)
    try:
        percent = float(found[1]) if found else None
    except ValueError:
        percent = None
    return Glance(annotations, percent if percent is not None and 0 <= percent <= 1 else None)
