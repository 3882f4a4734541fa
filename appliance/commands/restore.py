"""`bookwake restore`: go back to a backup. The appliance must be stopped."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance import settings
from appliance.commands.failure import Failure, Options
from appliance.commands.output import print_json


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`restore`."""
    text = "make a backup the database again; the one in use is kept beside it"
    command = subparsers.add_parser("restore", help=text, description=text, parents=[below])
    command.add_argument("backup", type=Path, metavar="BACKUP")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Restore; nothing has changed when it fails."""
    from appliance.operations.errors import OperationError
    from appliance.operations.restore import restore

    try:
        restored = restore(settings.load(options), options["backup"], datetime.now(UTC))
    except OperationError as error:
        raise Failure(f"{error} {error.remedy}".strip()) from None
    previous = str(restored.previous) if restored.previous else None
    if options["json"]:
        print_json({"rows": restored.rows, "previous": previous})
    else:
        kept = f" The database that was in use is kept as {previous}." if previous else ""
        print(f"Restored {sum(restored.rows.values()):,} rows.{kept}")
    return 0
