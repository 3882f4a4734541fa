"""What KOReader's engine makes of a stretch of characters between two tags (docs/reference/xpointer.md 4)."""

import re
from collections.abc import Callable, Iterator

from appliance.positions.crengine.scan import REFERENCE, reference

PIECE = 8192  # source characters
TAB = 8

_FOLD = re.compile(r"[ \t\n]+")


def pieces(source: str) -> Iterator[str]:
    """Cut a long stretch where the engine's buffer is full: behind the last space, else sharp."""
    while len(source) > PIECE:
        end = max(source.rfind(" ", 0, PIECE), source.rfind("\n", 0, PIECE)) + 1 or PIECE
        yield source[:end]
        source = source[end:]
    if source:
        yield source


def fold(source: str) -> str:
    """Normal text: a run of white space becomes one space; characters from references are left alone."""
    if "&" not in source:
        return _FOLD.sub(" ", source) if "\n" in source or "\t" in source or "  " in source else source
    return _around_references(source, lambda text, column: (_FOLD.sub(" ", text), 0))


def keep(source: str) -> str:
    """Kept white space: tabs reach to the next multiple of 8; a line feed counts as column 0."""
    if "&" not in source:
        return _expand(source, 0)[0] if "\t" in source else source
    return _around_references(source, _expand)


def _around_references(source: str, convert: Callable[[str, int], tuple[str, int]]) -> str:
    result: list[str] = []
    column = at = 0
    for match in REFERENCE.finditer(source):
        text, column = convert(source[at : match.start()], column)
        decoded = reference(match)
        result += (text, decoded)
        column += len(decoded)
        at = match.end()
    result.append(convert(source[at:], column)[0])
    return "".join(result)


def _expand(text: str, column: int) -> tuple[str, int]:
    result: list[str] = []
    for part in re.split(r"([\t\n])", text):
        if part == "\t":
            part = " " * (TAB - column % TAB)
            column += len(part)
        elif part == "\n":
            column = 1
        else:
            column += len(part)
        result.append(part)
    return "".join(result), column
