"""`bookwake sweeps`: the scheduled work, and running one of it now."""

import argparse
from typing import Any

from appliance.commands.failure import Failure, Options


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`sweeps`."""
    text = "list the scheduled work, or run one sweep now"
    command = subparsers.add_parser("sweeps", help=text, description=text, parents=[below])
    command.add_argument("--run", metavar="NAME", dest="sweep", help="run this one now")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """List or run."""
    raise Failure("There are no sweeps yet.")
