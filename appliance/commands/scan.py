"""`bookwake scan`: look for books now."""

import argparse
from typing import Any

from appliance.commands.failure import Options
from appliance.commands.opening import opened_house


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`scan`."""
    text = "look for new, changed and removed books"
    command = subparsers.add_parser("scan", help=text, description=text, parents=[below])
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Scan the book folders once."""
    with opened_house(options):
        raise NotImplementedError
