"""The grammar of EPUB CFIs: the browser's names for points and ranges (docs/reference/positions.md part B).

`parse` → `Cfi` values; `str(Cfi)` and `write_range` → text. What a `Cfi` means in a document is `cfi_places`' business.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal, NamedTuple

MAX_LENGTH = 4096  # characters; the deepest real CFI has a few hundred
MAX_STEP = 10_000_000
_DIGITS = len(str(MAX_STEP))


class CfiSyntaxError(ValueError):
    """The text is not a CFI."""


@dataclass(frozen=True, slots=True)
class Step:
    """`/index[id]`: even indices are elements, odd ones the text between them."""

    index: int
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Cfi:
    """A point.

    `package`: steps in the package document; `steps`: in the content document, `None` without a `!`; `offset`: UTF-16
    units into the last step's text. `before`, `after`: what the writer says the text around the point is. `side`: to
    which of the two the point belongs. `guessed`: the text is no CFI of the standard, but can mean nothing else.
    These four say more about the same point, so points that differ in nothing else are equal.
    """

    package: tuple[Step, ...]
    steps: tuple[Step, ...] | None
    offset: int | None = None
    before: str = field(default="", compare=False)
    after: str = field(default="", compare=False)
    side: Literal["a", "b"] | None = field(default=None, compare=False)
    guessed: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"epubcfi({_spell(_parts(self), self.offset)})"


Dialect = Literal["standard", "epubjs"]


def parse(text: str, dialect: Dialect = "standard") -> tuple[Cfi, Cfi | None]:
    """A point, or the start and end of a range. Raises `CfiSyntaxError`.

    Temporal and spatial offsets are read and ignored, as foliate-js does. "epubjs": ids stand there as they are,
    without `^`.
    """
    return _parse(text, dialect)


@lru_cache(maxsize=16)  # what was just written is read back, and read again as an end of a range
def _parse(text: str, dialect: Dialect) -> tuple[Cfi, Cfi | None]:
    if len(text) > MAX_LENGTH:
        raise CfiSyntaxError("too long")
    match = re.fullmatch(r"\s*epubcfi\((.*)\)\s*", text, re.DOTALL)
    if match is None:
        raise CfiSyntaxError("no epubcfi( … )")
    paths = _split(match.group(1), _TOKENS[dialect])
    if len(paths) == 1:
        return _point(paths[0]), None
    if len(paths) == 2:
        return _pair(_point(paths[0]), paths[1])
    if len(paths) == 3:
        return _point(paths[0] + paths[1]), _point(paths[0] + paths[2])
    raise CfiSyntaxError("more than two commas")


def write_range(start: Cfi, end: Cfi) -> str:
    """The range as foliate-js writes it: what both ends have in common, then the rest of each (positions.md B.3).

    Equal ends give a point. Where foliate-js would leave nothing of one end, its last step is kept, because other
    readers do not read an empty path. Raises `ValueError` for ends that have nothing in common.
    """
    if order(start) == order(end):
        return str(start)
    first, last = _parts(start), _parts(end)
    common = 0
    while common < min(len(first), len(last)) - 1 and first[common] == last[common]:
        common += 1
    if "!" in (first[common], last[common]):
        common -= 1
    if common < 1:
        raise ValueError("a range in two packages")
    parent = _spell(first[:common], None)
    return f"epubcfi({parent},{_spell(first[common:], start.offset)},{_spell(last[common:], end.offset)})"


def compare(a: str, b: str) -> int:
    """-1, 0 or 1: which of two points or ranges comes first in the book, by the sorting rules of the specification
    (3.2): ids, assertions, temporal and spatial offsets do not count. Ranges with the same start are ordered by their
    end. Raises `CfiSyntaxError`."""
    one, other = _order(a), _order(b)
    return (one > other) - (one < other)


Order = tuple[tuple[int, int], ...]

# The specification's order of kinds where two paths part: offset, child, indirection.
_OFFSET, _CHILD, _INDIRECTION = range(3)


def order(point: Cfi) -> Order:
    """A key to sort points by. A missing offset is the offset 0, which means the same place."""
    parts = [(_CHILD, part.index) if isinstance(part, Step) else (_INDIRECTION, 0) for part in _parts(point)]
    return (*parts, (_OFFSET, point.offset)) if point.offset else tuple(parts)


def _order(text: str) -> tuple[Order, Order]:
    start, end = parse(text)
    return order(start), order(start if end is None else end)


_Part = Step | Literal["!"]


def _parts(point: Cfi) -> list[_Part]:
    package: list[_Part] = [*point.package]
    return package if point.steps is None else [*package, "!", *point.steps]


def _spell(parts: Sequence[_Part], offset: int | None) -> str:
    text = "".join(
        part if not isinstance(part, Step) else f"/{part.index}" + (f"[{_escape(part.id)}]" if part.id else "")
        for part in parts
    )
    return text if offset is None else f"{text}:{offset}"


_SPECIAL: Final = re.compile(r"([\^\[\](),;=])")


def _escape(identifier: str) -> str:
    return _SPECIAL.sub(r"^\1", identifier)


_KINDS: Final = "/:[!,"
_Token = tuple[str, str]  # one of the kinds, and its text
_TOKENS: Final = {
    "standard": re.compile(r"/(\d+)|:(\d+)|\[((?:\^.|[^\]^])*)\]|(!)|(,)|[~@][\d.:]+", re.DOTALL | re.ASCII),
    "epubjs": re.compile(r"/(\d+)|:(\d+)|\[(.*?)\](?=[/:!,]|$)|(!)|(,)", re.DOTALL | re.ASCII),
}


def _split(body: str, tokens: re.Pattern[str]) -> list[list[_Token]]:
    paths: list[list[_Token]] = [[]]
    at = 0
    for match in tokens.finditer(body):
        if match.start() != at:
            break
        at = match.end()
        if match.lastindex is None:  # a temporal or spatial offset
            continue
        kind, text = _KINDS[match.lastindex - 1], match[match.lastindex]
        if kind == ",":
            paths.append([])
        elif kind == "[" and tokens is _TOKENS["epubjs"]:
            # Escaped, an id of epub.js reads like one of the standard.
            paths[-1].append((kind, _escape(text)))
        else:
            paths[-1].append((kind, text))
    if at < len(body):
        raise CfiSyntaxError(f"cannot read {body[at : at + 8]!r}")
    return paths


def _point(tokens: list[_Token]) -> Cfi:
    parts: list[list[Step]] = [[]]
    offset: int | None = None
    said = _NOTHING
    last = ""
    for kind, text in tokens:
        if kind in "/:" and len(text) > _DIGITS:
            raise CfiSyntaxError("number too large")
        if kind == "!":
            parts.append([])
            offset = None
        elif kind == "/":
            # A range's parent may carry an offset only by mistake: no step follows an offset.
            if offset is not None:
                raise CfiSyntaxError("a step after an offset")
            parts[-1].append(Step(int(text)))
            said = _NOTHING
        elif kind == ":":
            offset = int(text)
        elif parts[-1]:
            said = _assertion(text)
            step = parts[-1][-1]
            if last == "/" and step.index % 2 == 0 and not said.after:
                parts[-1][-1] = Step(step.index, said.before or None)
                said = said._replace(before="")
        last = kind
    if not parts[0]:
        raise CfiSyntaxError("no step")
    steps = tuple(parts[1]) if len(parts) > 1 else None
    if len(parts) > 2:
        # A second `!` leads into a document inside an atom (an iframe); the atom is as far as positions go.
        return Cfi(tuple(parts[0]), steps)
    return Cfi(tuple(parts[0]), steps, offset, said.before, said.after, said.side)


class _Said(NamedTuple):
    before: str = ""
    after: str = ""
    side: Literal["a", "b"] | None = None


_NOTHING: Final = _Said()

# An id, or the text before the point, a comma and the text behind it; then parameters.
_MARKED: Final = re.compile(r"[\^,;]")
_ESCAPED: Final = re.compile(r"\^(.)", re.DOTALL)
_ASSERTION: Final = re.compile(r"((?:\^.|[^;,^])*)(?:,((?:\^.|[^;^])*))?(?:;(.*))?", re.DOTALL)


def _assertion(text: str) -> _Said:
    if not _MARKED.search(text):  # an id, as nearly always
        return _Said(text)
    match = _ASSERTION.fullmatch(text)
    before, after, parameters = match.groups("") if match is not None else (text, "", "")
    side: Literal["a", "b"] | None = {"s=a": "a", "s=b": "b"}.get(parameters)  # type: ignore[assignment]
    return _Said(_unescape(before), _unescape(after), side)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _pair(start: Cfi, tokens: list[_Token]) -> tuple[Cfi, Cfi]:
    """The range `start,end` of writers who leave the parent out (positions.md A.2, row 30).

    The end is a path as long as the start's, or replaces the start's last steps.
    """
    if any(kind == "!" for kind, _ in tokens):
        end = _point(tokens)
    else:
        tail = _point(tokens)
        steps = tail.package
        if not start.steps:
            raise CfiSyntaxError("one comma and no document")
        if len(steps) < 2 or steps[0].index != start.steps[0].index:
            steps = start.steps[: -len(steps)] + steps
        end = replace(tail, package=start.package, steps=steps)
    return replace(start, guessed=True), replace(end, guessed=True)
