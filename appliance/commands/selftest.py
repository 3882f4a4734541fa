"""`bookwake selftest`: walk a book's own places through all dialects and back."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.commands.failure import Failure, Options
from appliance.commands.files import converted, opened_file
from appliance.commands.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from appliance.positions.selftest import Pair, Pairs, SelfTest

PLACES = 200
MAX_PLACES = 1_000_000


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`selftest`."""
    text = "walk places of a book through all dialects and back"
    more = (
        "Samples points and ranges, names each in every dialect (X: KOReader, C: browser, K: Kobo), in the EPUB and in"
        " the KEPUB made of it, and reads every name again. The exit status is 1 when a place was silently wrong."
    )
    command = subparsers.add_parser("selftest", help=text, description=f"{text.capitalize()}. {more}", parents=[below])
    command.add_argument("book", type=Path, metavar="BOOK")
    command.add_argument("--places", type=_places, default=PLACES, metavar="N", help=f"how many (default: {PLACES})")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Walk; a third of the places are ranges."""
    from appliance.epub.errors import BookError
    from appliance.positions.dialects import has_spans
    from appliance.positions.selftest import walk

    path, places = options["book"], options["places"]
    with ExitStack() as resources:
        book = resources.enter_context(opened_file(path))
        kepub = None if has_spans(book) else resources.enter_context(converted(path, options))
        with progress_bar(f"Walking through {path.name}") as progress:
            try:
                result = walk(book, kepub, places - places // 3, places // 3, progress=progress)
            except (BookError, OSError) as error:
                raise Failure(f"{path.name} cannot be read: {error}") from None
    if not result.places:
        raise Failure(f"{path.name} has no text, so there is no place to try.")
    if options["json"]:
        print_json(_as_json(path, result))
    else:
        _print(path, result)
    return 1 if result.wrong else 0


def _places(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MAX_PLACES:
        raise ValueError
    return number


def _print(path: Path, result: "SelfTest") -> None:
    print(f"{path.name}: {result.places} places.")
    for kind, pairs in (("Points", result.points), ("Ranges", result.ranges)):
        if pairs:
            print(f"\n{kind}, share of the places by what they were called, from one system to another:\n")
            _print_pairs(pairs)
    print(
        f"\nTen hops: {result.walks} walks, {result.walks - result.flagged - result.drifted} came back to the same"
        f" character, {result.flagged} were not called exact on the way, {result.drifted} drifted."
    )
    print(f"Silently wrong: {result.wrong}.")
    for example in result.examples:
        print(f"  {example}")


def _print_pairs(pairs: "Pairs") -> None:
    from appliance.positions.canonical import Status

    def share(pair: "Pair", status: Status) -> str:
        count = pair.statuses[status]
        return f"{100 * count / pair.statuses.total():.1f} %" if count else "·"

    print_table(
        ("FROM", "TO", "PLACES", *(status.upper() for status in Status), "WRONG"),
        [
            (*names, pair.statuses.total(), *(share(pair, status) for status in Status), pair.wrong)
            for names, pair in pairs.items()
        ],
    )


def _as_json(path: Path, result: "SelfTest") -> dict[str, Any]:
    def listed(pairs: "Pairs") -> list[dict[str, Any]]:
        return [
            {"from": source, "to": target, "statuses": dict(pair.statuses), "wrong": pair.wrong}
            for (source, target), pair in pairs.items()
        ]

    return {
        "book": path.name,
        "places": result.places,
        "systems": result.systems,
        "points": listed(result.points),
        "ranges": listed(result.ranges),
        "hops": {"walks": result.walks, "flagged": result.flagged, "drifted": result.drifted},
        "silently_wrong": result.wrong,
        "examples": result.examples,
    }
