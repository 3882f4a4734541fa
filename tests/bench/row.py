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


def print_table(rows: list[Row]) -> None:
    """On a terminal as wide as it is, else as wide as it needs to be."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=170)
    table = Table(show_lines=False)
    for title in ("", "Bookwake", "target", "", "calibre-web or kepubify"):
        table.add_column(title, overflow="fold")
    part = None
    for row in rows:
        if row.part != part:
            part = row.part
            table.add_section()
        met = {True: "met", False: "MISSED", None: ""}[row.met]
        table.add_row(f"{row.part}: {row.name}", row.value or f"skipped: {row.skipped}", row.target, met, row.peer)
    console.print(table)


def markdown(rows: list[Row]) -> str:
    """The same table for docs/benchmarks.md."""
    lines = ["| | Bookwake | target | | peer |", "|---|---|---|---|---|"]
    for row in rows:
        met = {True: "met", False: "**missed**", None: ""}[row.met]
        value = row.value or f"skipped: {row.skipped}"
        lines.append(f"| {row.part}: {row.name} | {value} | {row.target} | {met} | {row.peer} |")
    return "\n".join(lines) + "\n"


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
