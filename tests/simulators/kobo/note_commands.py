"""The commands of the simulated Kobo that are about notes (kobo-protocol.md 7)."""

import argparse
import re
from collections.abc import Iterator
from typing import Any

from tests.simulators.kobo.annotations import PALETTE, Annotation, units
from tests.simulators.kobo.device import Kobo
from tests.simulators.kobo.kepub import Span
from tests.simulators.kobo.shelf import Book

_COLOURS = {code: name for name, code in PALETTE.items()}


def add_parsers(commands: Any) -> None:
    """`commands`: what `add_subparsers` gave."""
    for name, text in (
        ("notes", "show the highlights, notes and folded corners on the device"),
        ("highlight", "mark words of a book"),
        ("note", "write or change the note of a highlight, or its colour"),
        ("fold", "fold the corner of the page where words stand"),
        ("unmark", "delete a highlight or a folded corner"),
        ("exchange", "open and close a book as far as its notes go: tell what changed, ask for what is new"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("book", help="its id, or a part of its title")
        if name in ("highlight", "fold"):
            command.add_argument("words", help="as they stand in the book, from one sentence into another too")
        if name in ("note", "unmark"):
            command.add_argument("mark", help="the beginning of its id, or a part of its words")
        if name in ("highlight", "note"):
            command.add_argument("--note", metavar="TEXT", help="an empty one takes the note away")
            command.add_argument("--colour", choices=PALETTE)
        command.add_argument(
            "--gone",
            action="append",
            default=[],
            metavar="MARK",
            help="somebody deleted it elsewhere; that anything else goes is a violation",
        )


def run(kobo: Kobo, options: argparse.Namespace) -> bool:
    """Whether it was a command of ours; raises as `Kobo`."""
    if options.command not in ("notes", "highlight", "note", "fold", "unmark", "exchange"):
        return False
    book = kobo.book(options.book)
    kobo.annotations.gone |= {str(_mark(book, one)["id"]) for one in options.gone}
    match options.command:
        case "highlight":
            first, start, last, end, between = _find(kobo, book, options.words)
            how = {"last": last, "start": start, "end": end, "between": between, "colour": options.colour or "yellow"}
            kobo.annotations.add(book, first, options.note, kobo.stamp(), **how)
        case "fold":
            kobo.annotations.dogear(book, _find(kobo, book, options.words)[0], kobo.stamp())
        case "note":
            id = str(_mark(book, options.mark)["id"])
            kobo.annotations.edit(book, id, kobo.stamp(), note=options.note, colour=options.colour)
        case "unmark":
            kobo.annotations.delete(book, str(_mark(book, options.mark)["id"]))
    if options.command != "notes":
        _exchange(kobo, book)
    for line in _lines(book):
        kobo.say(line)
    return True


def _exchange(kobo: Kobo, book: Book) -> None:
    kobo.say(f"open and close “{book.title}”")
    kobo.save()  # what its owner did stays, whatever the server does
    if kobo.connection.is_offline:
        kobo.say("  offline: it waits until the book is opened with a network")
        return
    kobo.exchange_notes(book)
    if book.is_downloaded:
        kobo.annotations.check_places(book, kobo.file(book))


def _lines(book: Book) -> Iterator[str]:
    unsent = {one["id"] for one in book.pending}
    yield f"notes of “{book.title}” on the device: {len(book.notes)}"
    for id, one in book.notes.items():
        span = one["location"]["span"]
        colour = _COLOURS.get(one.get("highlightColor", ""), one.get("highlightColor", ""))
        shown = f"“{one['highlightedText']}”" if "highlightedText" in one else "folded corner"
        note = f" — {one['noteText']}" if "noteText" in one else ""
        start, end = (span[end].rpartition("#")[2].replace("\\", "") for end in ("startPath", "endPath"))
        place = f"{span['chapterFilename']} {start}:{span['startChar']} to {end}:{span['endChar']}"
        yield f"  {id[:8]}  {colour:6}  {shown}{note}  ({place}){'  not sent' if id in unsent else ''}"
    if book.tombstones:
        yield f"  {len(book.tombstones)} deleted, not told to the server yet"


def _mark(book: Book, name: str) -> Annotation:
    found = [one for one in book.notes.values() if one["id"].startswith(name) or name in one.get("highlightedText", "")]
    if len(found) != 1:
        raise LookupError(f"{len(found)} notes of “{book.title}” are called {name!r}")
    return found[0]


def _find(kobo: Kobo, book: Book, words: str) -> tuple[Span, int, Span, int, str]:
    """Where words stand first, white space apart: the first span and the offset in it, the last and the offset behind
    the end, in UTF-16 units, and the text of the spans between. Raises `LookupError`."""
    wanted = re.compile(r"\s*".join(re.escape(word) for word in words.split()))
    for document in kobo.file(book).documents:
        spans = document.spans
        found = wanted.search("".join(span.text for span in spans)) if words.strip() else None
        if found is not None:
            (first, start), (last, end) = _at(spans, found.start()), _at(spans, found.end() - 1)
            between = "".join(span.text for span in spans[first + 1 : last])
            before, until = spans[first].text[:start], spans[last].text[: end + 1]
            return spans[first], units(before), spans[last], units(until), between
    raise LookupError(f"“{book.title}” does not contain {words!r}")


def _at(spans: list[Span], offset: int) -> tuple[int, int]:
    """The span with that character of all, by its number, and which one of it that is."""
    for number, span in enumerate(spans):
        if offset < len(span.text):
            return number, offset
        offset -= len(span.text)
    raise IndexError(offset)
