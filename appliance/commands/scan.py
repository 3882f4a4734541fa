"""`bookwake scan`: look for books now."""

import argparse
from dataclasses import asdict
from typing import Any

from appliance.commands.failure import Failure, Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json, progress_bar


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`scan`."""
    text = "look for new, changed, moved and missing books in the book folders"
    command = subparsers.add_parser("scan", help=text, description=text, parents=[below])
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Scan the book folders once. Files that are no usable books are listed with the reason and are no failure."""
    with opened_house(options) as house:
        from appliance.library.books import refused_files
        from appliance.library.scan import ScanRunning, scan
        from appliance.sweeps.library_scan import sentence

        try:
            with progress_bar("Reading books") as progress:
                result = scan(house, lambda done, due, _path: progress(done, due))
        except ScanRunning as error:
            raise Failure(str(error)) from None
        with house.database.read() as session:
            refused = refused_files(session)
    if options["json"]:
        files = [{"path": file.path, "problem": file.problem, "remedy": file.remedy} for file in refused]
        print_json({**asdict(result), "refused_files": files})
        return 0
    print(sentence(result))
    for file in refused:
        print(f"  {file.path}: {file.problem} {file.remedy or ''}".rstrip())
    return 0
