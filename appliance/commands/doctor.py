"""`bookwake doctor`: look for everything that can be wrong on this machine."""

import argparse
from dataclasses import asdict
from typing import Any

from appliance.commands.failure import Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`doctor`."""
    text = "look for what can be wrong on this machine, and say what to do"
    command = subparsers.add_parser("doctor", help=text, description=text, parents=[below])
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Examine; the exit status is 1 when anything is wrong."""
    with opened_house(options) as house:
        from appliance.operations.doctor import examine

        checks = examine(house)
    if options["json"]:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            print(f"{'well ' if check.ok else 'WRONG'}  {check.name}: {check.said}")
    return 0 if all(check.ok for check in checks) else 1
