"""`bookwake backup`: save the database now, also while the appliance runs."""

import argparse
from typing import Any

from appliance.commands.failure import Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`backup`."""
    text = "save the database now and prove the copy by restoring it"
    command = subparsers.add_parser("backup", help=text, description=text, parents=[below])
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Make a backup."""
    with opened_house(options) as house:
        from appliance.operations import backup

        made = backup.make(house)
    if options["json"]:
        print_json({"path": str(made.path), "size": made.size, "rows": made.rows, "unproven": made.unproven})
    else:
        proof = f"It could not be restored for trial: {made.unproven}" if made.unproven else "Restored for trial."
        print(f"Saved {sum(made.rows.values()):,} rows as {made.path}. {proof}")
    return 0
