"""The `bookwake` command: reads the command line and hands over to one file in `commands/`."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from appliance import __version__, commands, settings
from appliance.commands.failure import Failure

EXIT_FAILURE = 1
EXIT_MISUSE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 for a failure, 2 for misuse."""
    given = vars(parser().parse_args(arguments))
    # The same option may stand before and after the command; folders from both places count.
    given["books"] = [*given.pop("books_before", []), *given.pop("books_after", [])] or None
    try:
        return commands.run(given)
    except settings.SettingsError as error:
        return _complain(error, EXIT_MISUSE)
    except Failure as error:
        return _complain(error, EXIT_MISUSE if error.misuse else EXIT_FAILURE)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain about it when it ends.
        sys.stdout = None
        return EXIT_FAILURE


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(prog="bookwake", description="A home server for e-books: every reader goes on at the same word.")
    top.add_argument("--version", action="version", version=f"bookwake {__version__}")
    _add_global_options(top, "before")
    below = argparse.ArgumentParser(add_help=False)
    _add_global_options(below, "after")
    commands.declare(top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser), below)
    return top


def _add_global_options(to: argparse.ArgumentParser, place: str) -> None:
    """Options that every command has. Absent ones stay out of the result, so that a place does not hide the other."""
    group = to.add_argument_group("where things are")

    def add(option: str, metavar: str, text: str) -> None:
        group.add_argument(option, metavar=metavar, help=text, default=argparse.SUPPRESS)

    add("--config", "FILE", "settings as TOML (default: bookwake.toml in the data folder)")
    add("--data", "DIR", "folder for everything Bookwake keeps (default: ./data)")
    group.add_argument(
        "--books",
        metavar="DIR",
        action="append",
        dest=f"books_{place}",
        default=argparse.SUPPRESS,
        help="folder with books, only ever read; can be given several times (default: ./books)",
    )
    add("--database-url", "URL", "database (default: SQLite in the data folder)")
    add("--host", "ADDRESS", "address to listen on (default: 0.0.0.0, every network of this machine)")
    add("--port", "NUMBER", "port to listen on (default: 8080)")
    add("--public-url", "URL", "what devices reach Bookwake by, such as https://books.example.org")
    add("--kepubify", "FILE", "kepubify program to convert with (default: the one on the path, else built in)")


def _complain(error: Exception, status: int) -> int:
    print(f"bookwake: {error}", file=sys.stderr)
    return status


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence and where help is, instead of printing all of the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_MISUSE, f"{self.prog}: {message}. See “{self.prog} --help”.\n")
