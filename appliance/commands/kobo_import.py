"""`bookwake kobo import`: what was read and marked on a Kobo before, from its own database."""

import argparse
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.commands.failure import Failure, Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json, progress_bar

if TYPE_CHECKING:
    from appliance.house import House
    from appliance.models import Device
    from kobo_api.plugged_in.files import PluggedIn
    from kobo_api.plugged_in.importing import Found, Taken

WHY = {
    "not-epub": "is no EPUB",
    "not-in-library": "is not in the library",
    "several-books": "could be several books of the library",
}


def declare(actions: Any, below: argparse.ArgumentParser) -> None:
    """`kobo import`."""
    text = "take over highlights, notes, bookmarks, places, status and reading time from a plugged-in Kobo"
    command = actions.add_parser(
        "import", help=text, description=f"{text}; says first what it would do", parents=[below]
    )
    command.add_argument("path", type=Path, metavar="PATH", help="where the Kobo is mounted")
    command.add_argument("--device", type=int, metavar="ID", help="which device it is (default: as it is configured)")
    command.add_argument("--yes", action="store_true", help="do it without asking")
    command.add_argument("--json", action="store_true", help="print JSON; without --yes only what would be done")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Count, ask, take over."""
    from appliance.commands.kobo import plugged_in

    with plugged_in(options["path"]) as kobo, opened_house(options) as house:
        from kobo_api.plugged_in.device_database import open_copy
        from kobo_api.plugged_in.importing import find_all

        device = _device(house, options, kobo)
        with open_copy(kobo.database) as database, progress_bar("Looking at the Kobo") as progress:
            found = list(find_all(house, device, kobo.folder, database, progress))
        if not options["json"]:
            _say_found(device, found)
        taken = _take_over(house, device, found) if _is_wanted(options, found) else None
    if options["json"]:
        print_json({"device": device.id, "found": [_as_json(one) for one in found], "taken": _counts(taken)})
    elif taken is not None:
        _say_taken(taken)
    return 0


def _device(house: "House", options: Options, kobo: "PluggedIn") -> "Device":
    from appliance.commands.kobo import known_device
    from appliance.models import Device

    if options["device"] is None:
        device, _ = known_device(house, kobo.endpoint)
        if device is None:
            raise Failure(
                "This Kobo is none of Bookwake’s yet, so it is not known whose reading this is. Connect it first with"
                " “bookwake kobo configure”, or say with --device which one it is."
            )
        return device
    with house.database.read() as session:
        device = session.get(Device, options["device"])
    if device is None or device.kind != "kobo" or device.revoked_at is not None or device.parent_id is not None:
        raise Failure(f"There is no Kobo number {options['device']}. See “bookwake device list”.")
    return device


def _is_wanted(options: Options, found: list["Found"]) -> bool:
    if not any(_is_matched(one) for one in found):
        return False
    if options["yes"]:
        return True
    if options["json"] or not sys.stdin.isatty():
        if not options["json"]:
            print("Nothing was changed. Add --yes to take this over.")
        return False
    return input("Take this over? [y/N] ").strip().lower() in ("y", "yes")


def _take_over(house: "House", device: "Device", found: list["Found"]) -> "Taken":
    from kobo_api.plugged_in.importing import Taken, take

    taken = Taken()
    matched = [one for one in found if _is_matched(one)]
    with progress_bar("Taking over") as progress:
        for done, one in enumerate(matched):
            progress(done, len(matched))
            take(house, device, one, taken)
    return taken


def _is_matched(found: "Found") -> bool:
    from kobo_api.plugged_in.matching import Match

    return isinstance(found.match, Match)


def _say_found(device: "Device", found: list["Found"]) -> None:
    matched = [one for one in found if _is_matched(one)]
    kinds = sum((_kinds(one) for one in matched), Counter[str]())
    statuses = Counter(one.volume.status for one in matched)
    hours = sum(one.volume.seconds for one in matched) / 3600
    print(
        f"Books on “{device.name}” with something of its reader in them: {len(found)}, in the library: {len(matched)}."
    )
    print(
        f"  {kinds['highlight']} highlights, {kinds['note']} notes, {kinds['dogear']} bookmarks,"
        f" {statuses['reading']} being read, {statuses['finished']} finished, {hours:.1f} hours"
    )
    ink, deleted = sum(one.ink for one in matched), sum(one.deleted for one in matched)
    if ink or deleted:
        print(f"  {ink} drawings stay on the Kobo; {deleted} marks were deleted on it and are left out.")
    for one in found:
        if not _is_matched(one):
            print(f"  “{one.volume.title}” {WHY[str(one.match)]}; left as it is.")


def _say_taken(taken: "Taken") -> None:
    print(
        f"Taken over. Books: {taken.books}. New highlights, notes and bookmarks: {taken.news} of {taken.marks}. Places:"
        f" {taken.places}. Statuses: {taken.statuses}. Reading: {taken.seconds / 3600:.1f} hours."
    )
    if taken.unplaced:
        print(f"The words of {taken.unplaced} were not found in the book; they are kept, and listed on its page.")


def _kinds(found: "Found") -> Counter[str]:
    from kobo_api.annotations.wire import read_item

    items = [item for mark in found.marks if (item := read_item(mark.wire)) is not None]
    return Counter(
        "dogear" if item.kind == "bookmark" else "note" if item.fields.get("note") else "highlight" for item in items
    )


def _as_json(found: "Found") -> dict[str, Any]:
    from kobo_api.plugged_in.matching import Match

    match = found.match
    return {
        "title": found.volume.title,
        "author": found.volume.author,
        "book": match.book_id if isinstance(match, Match) else None,
        "by": str(match.by) if isinstance(match, Match) else None,
        "reason": None if isinstance(match, Match) else str(match),
        "marks": dict(_kinds(found)),
        "ink": found.ink,
        "deleted": found.deleted,
        "status": found.volume.status,
        "percent": found.volume.percent,
        "seconds": found.volume.seconds,
    }


def _counts(taken: "Taken | None") -> dict[str, int] | None:
    if taken is None:
        return None
    counts = asdict(taken)
    del counts["counted"]
    return counts
