"""What the bench found, as a table for people and JSON for programs."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measurement. `value`, `peer`: in words with their unit. `target`: what was to be reached, "" if nothing was
    set; `met`: whether it was, `None` without a target. `skipped`: why it was not measured. `numbers`: for programs."""

    part: str
    name: str
    value: str = ""
    target: str = ""
    met: bool | None = None
    peer: str = ""
    skipped: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


def table(rows: list[Row]) -> str:
    """A table in Markdown that can also be read as it stands."""
    cells = [("", "Bookwake", "target", "", "peer"), ("", "", "", "", "")]
    for row in rows:
        met = {True: "met", False: "**missed**", None: ""}[row.met]
        cells.append((f"{row.part}: {row.name}", row.value or f"skipped: {row.skipped}", row.target, met, row.peer))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    cells[1] = tuple("-" * width for width in widths)
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join(f"| {line} |" for line in lines)


def write_json(rows: list[Row], loads: dict[str, float], file: Path) -> None:
    """`loads`: the load average of the last minute, at the begin and at the end."""
    found = {
        "machine": {
            "processors": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "system": platform.system(),
            "load_average": loads,
        },
        "rows": [asdict(row) for row in rows],
    }
    file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
