"""`bookwake convert`: one EPUB to one KEPUB, without the library."""

import argparse
from pathlib import Path
from typing import Any

from appliance import settings
from appliance.commands.failure import Failure, Options
from appliance.commands.output import print_json, progress_bar


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`convert`."""
    text = "convert an EPUB to a KEPUB"
    command = subparsers.add_parser("convert", help=text, description=text, parents=[below])
    command.add_argument("source", type=Path, metavar="IN.epub")
    command.add_argument("target", type=Path, metavar="OUT.kepub.epub")
    command.add_argument("--engine", choices=("auto", "kepubify", "built-in"), default="auto")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Convert; the target appears whole or not at all."""
    from appliance.epub.errors import BookError
    from appliance.kepub import make_kepub

    loaded = settings.load(options)
    source, target = options["source"], options["target"]
    try:
        with progress_bar(f"Converting {source.name}") as progress:
            made = make_kepub(source, target, options["engine"], loaded.kepubify, progress)
    except BookError as error:
        raise Failure(f"{source.name} cannot be converted: {error}") from None
    except OSError as error:
        raise Failure(f"{error.filename or target}: {error.strerror}. Check the path and the permissions.") from None
    if options["json"]:
        print_json(
            {
                "engine": made.engine,
                "version": made.version,
                "sha256": made.sha256,
                "size": made.size,
                "documents": made.documents,
                "doubts": made.doubts,
            }
        )
    else:
        print(f"Made {target} with {made.engine} {made.version}: {made.documents} documents, {made.size} bytes.")
        for doubt in made.doubts:
            print(f"  {doubt}")
    return 0
