"""`bookwake rebuild`: derive everybody's places, highlights and reading time again from the recorded facts."""

import argparse
from dataclasses import asdict
from typing import Any

from appliance.commands.failure import Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json, progress_bar


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`rebuild`."""
    text = "derive places, highlights, status and reading time again from what the devices said"
    command = subparsers.add_parser("rebuild", help=text, description=text, parents=[below])
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Rebuild and say what differed."""
    with opened_house(options) as house:
        from appliance.reading.rebuild import rebuild

        with progress_bar("Reading the journal") as progress:
            done = rebuild(house, progress)
    if options["json"]:
        print_json(asdict(done))
        return 0
    print(f"Read {done.entries} entries of {done.people} people about {done.books} books.")
    for one in done.differences:
        if one.is_unknown:
            said = "is not in the journal; left as it is"
        else:
            said = f"put right: {', '.join(one.columns)}" if one.columns else "put right: it was missing or too much"
        print(f"  {one.kind} {one.key} (book {one.book_id}, person {one.user_id}): {said}")
    if done.kept:
        print(f"Of {done.kept} books a part is older than the journal's effects; it was kept as it was.")
    print("Everything was as the journal says." if not done.differences else f"{len(done.differences)} differed.")
    return 0
