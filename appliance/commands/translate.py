"""`bookwake translate`: locators from standard input into other dialects, one JSON object a line."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from appliance.commands.failure import Failure, Options
from appliance.commands.files import converted, opened_file

if TYPE_CHECKING:
    from appliance.positions import OpenBook
    from appliance.positions.dialects import Dialect
    from appliance.positions.interpreter import Interpreter

DIALECTS = ("xpointer", "cfi", "kobo", "fraction", "position")
MAX_LINE = 64 * 1024
"""Bytes of a line; the longest range of any real book has a few thousand."""

# Line breaks to some readers of lines, though not to JSON.
_BREAKS = {mark: f"\\u{mark:04x}" for mark in (0x7F, 0x85, 0x2028, 0x2029)}


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`translate`."""
    text = "translate places in a book between KOReader, browsers and Kobo"
    more = (
        "Reads one locator a line from standard input (two, separated by a TAB, are a range) and prints one JSON object"
        " a line. DIALECT: xpointer, cfi, kobo, fraction, position. Where Kobo spans are needed and no file has them,"
        " the book is converted to a KEPUB for the time of the command. See docs/positions.md."
    )
    command = subparsers.add_parser("translate", help=text, description=f"{text.capitalize()}. {more}", parents=[below])
    command.add_argument("book", type=Path, nargs="?", metavar="BOOK")
    command.add_argument("--from", dest="spoken", choices=DIALECTS, required=True, metavar="DIALECT")
    command.add_argument("--to", type=_dialects, required=True, metavar="DIALECT[,DIALECT…]")
    command.add_argument("--rendition", type=Path, metavar="FILE", help="the file that the locators read are of")
    command.add_argument(
        "--to-rendition",
        type=Path,
        nargs="?",
        const=True,
        metavar="FILE",
        help="the file that the locators printed are of; without a name, that of --rendition",
    )
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Answer every line as it comes. A line that cannot be translated is answered with the reason and is no failure."""
    from appliance.positions.canonical import Reason

    # Whoever stops us wants the temporary KEPUB to be gone, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as resources:
        interpreter = _interpreter(options, resources)
        for line in _lines(sys.stdin.buffer):
            if line is None:
                answer = interpreter.refusal(Reason.TOO_LONG, f"A line may have {MAX_LINE:,} bytes.")
            else:
                answer = interpreter.answer(line)
            text = json.dumps(answer, ensure_ascii=False, separators=(", ", ": ")).translate(_BREAKS)
            # Flushed, because another program may wait for the answer before it asks again.
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
            sys.stdout.buffer.flush()
    return 0


def _interpreter(options: Options, resources: ExitStack) -> "Interpreter":
    from appliance.positions.interpreter import Interpreter

    book, source, target = _paths(options)
    opened: dict[Path, OpenBook] = {}
    for path in (book, source, target):
        if path not in opened:
            opened[path] = resources.enter_context(opened_file(path))
    spoken, asked = options["spoken"], options["to"]
    targets = {dialect: opened[book if dialect == "position" else target] for dialect in asked}
    read_from = opened[source]
    if "kobo" in (spoken, *asked):
        spanned = _Spanned(options, opened, resources)
        if spoken == "kobo":
            read_from = spanned.file(source)
        if "kobo" in asked:
            targets["kobo"] = spanned.file(target)
    return Interpreter(opened[book], spoken, read_from, targets)


class _Spanned:
    """The files that a Kobo can name places of. One that has no spans is converted for the time of the command."""

    def __init__(self, options: Options, opened: "dict[Path, OpenBook]", resources: ExitStack) -> None:
        self._options = options
        self._opened = opened
        self._resources = resources
        self._made: dict[Path, OpenBook] = {}

    def file(self, path: Path) -> "OpenBook":
        """The file itself; instead of the book, which is nobody's wish in particular, any that was named; else a
        KEPUB."""
        from appliance.positions.dialects import has_spans

        candidates = [path, *(self._opened if path == next(iter(self._opened)) else ())]
        for candidate in candidates:
            if has_spans(self._opened[candidate]):
                return self._opened[candidate]
        if path not in self._made:
            self._made[path] = self._resources.enter_context(converted(path, self._options))
            print("If a Kobo holds another KEPUB of it, name that file with --rendition.", file=sys.stderr)
        return self._made[path]


def _paths(options: Options) -> tuple[Path, Path, Path]:
    """The book, the file of the locators that are read, and that of those to print."""
    book, rendition, to_rendition = options["book"], options["rendition"], options["to_rendition"]
    if book is None and isinstance(to_rendition, Path):
        # “--to-rendition BOOK”: the option stood without a name, before the book.
        book, to_rendition = to_rendition, True
    if book is None:
        raise Failure("Name the book: bookwake translate BOOK --from DIALECT --to DIALECT.", misuse=True)
    if to_rendition is None:
        return book, rendition or book, book
    if to_rendition is not True:
        return book, rendition or book, to_rendition
    if rendition is None:
        raise Failure("--to-rendition needs a file: name it there or with --rendition.", misuse=True)
    return book, book, rendition


def _dialects(text: str) -> "tuple[Dialect, ...]":
    asked = [name.strip() for name in text.split(",")]
    for name in asked:
        if name not in DIALECTS:
            raise argparse.ArgumentTypeError(f"unknown dialect “{name}” (known: {', '.join(DIALECTS)})")
    return tuple(cast("list[Dialect]", list(dict.fromkeys(asked))))


def _lines(stream: BinaryIO) -> Iterator[str | None]:
    """The lines of a stream as they come, without their ends; `None` for one that is too long."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            yield None
        else:
            yield line.decode("utf-8-sig", "replace").rstrip("\r\n")
