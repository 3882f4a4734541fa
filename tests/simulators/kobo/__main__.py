"""A simulated Kobo on the command line: `python -m tests.simulators.kobo --help`."""

import argparse
import sys
from pathlib import Path

from tests.simulators.kobo import note_commands
from tests.simulators.kobo.device import Kobo
from tests.simulators.kobo.violation import Violation


def main(arguments: list[str] | None = None) -> int:
    """Run one command; exit status 1 when the server did something that a real Kobo must not meet."""
    options = _parser().parse_args(arguments)
    kobo = Kobo(
        options.api_endpoint.rstrip("/"),
        options.folder,
        auto_download=options.auto_download,
        answer_dialog=not options.stay,
        echo=True,
        portless=options.portless,
        firmware=options.firmware,
        **({"user_key": ""} if options.account_less else {}),
    )
    kobo.library.sends_token = not options.no_sync_token
    with kobo:
        try:
            _run(kobo, options)
        except Violation as violation:
            print(f"VIOLATION: {violation}")
            return 1
        except LookupError as error:
            print(error)
            return 2
    return 0


def _run(kobo: Kobo, options: argparse.Namespace) -> None:
    if options.hours:
        kobo.wait(options.hours * 3600)
    if options.offline:
        kobo.go_offline()
    if note_commands.run(kobo, options):
        return
    match options.command:
        case "sync":
            kobo.sync()
        case "authorize":
            kobo.sign_in.authorize()
        case "list":
            for book in kobo.shelf.books.values():
                place = f"{book.place.percent:3} % {book.place.source} {book.place.span}"
                print(f"{book.id}  {'*' if book.is_downloaded else ' '} {book.title}  {book.status} {place}")
        case "download":
            kobo.download(options.book)
        case "read":
            kobo.open(options.book)
            kobo.read_to(options.to) if options.to else kobo.turn_pages(options.pages)
            print(kobo.visible_text())
            kobo.close()
        case "finish":
            kobo.open(options.book)
            kobo.finish()
        case "remove":
            kobo.remove(options.book)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.kobo",
        description="A Kobo that keeps its books, places and notes in a folder, and syncs with any server that speaks"
        " Kobo's protocol. A line beginning with VIOLATION says what would have harmed a real one.",
    )
    parser.add_argument("api_endpoint", help="what stands in the device's configuration, with the token")
    parser.add_argument("--folder", type=Path, default=Path("kobo"), help="the device's disk (default: ./kobo)")
    parser.add_argument(
        "--auto-download", type=int, default=0, metavar="N", help="fetch the first N new books of a sync"
    )
    parser.add_argument("--stay", action="store_true", help="answer no to “Sync to last page read?”")
    parser.add_argument("--portless", action="store_true", help="leave the port out of the Host header")
    parser.add_argument("--hours", type=float, default=0, help="let so many hours pass on the device first")
    parser.add_argument("--firmware", default="4.45.23697", help="before 4.44 it renews its token in another way")
    parser.add_argument("--account-less", action="store_true", help="a device that never had a Kobo account")
    parser.add_argument("--no-sync-token", action="store_true", help="firmware that forgets how far it has synced")
    parser.add_argument("--offline", action="store_true", help="no network: what is to be told waits for the next sync")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("sync", help="press Sync")
    commands.add_parser("authorize", help="go through the sign-in with a code")
    commands.add_parser("list", help="show the books on the device")
    for name, text in (
        ("download", "fetch a book"),
        ("read", "open a book, read on, close it"),
        ("finish", "read a book to its end"),
        ("remove", "remove a book from my books"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("book", help="its id, or a part of its title")
        if name == "read":
            command.add_argument("--pages", type=int, default=1, help="how many pages to turn (default: 1)")
            command.add_argument("--to", metavar="TEXT", help="read until this text is on the page")
    note_commands.add_parsers(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
