"""Which annotation a device means when it reports one under a name that is not known yet."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """An annotation's place and words. `first`, `last`: ticks of the rendition `sha256`, `None` when it could not be
    placed; equal for a bookmark."""

    kind: str
    first: int | None
    last: int | None
    text: str
    sha256: str | None = None


class Marks:
    """The annotations of a book, to be found by place and by words."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str | None, str, int, int | None], str] = {}
        self._by_words: dict[tuple[str, str], list[tuple[Mark, str]]] = {}

    def add(self, mark: Mark, name: str) -> None:
        """`name`: what `find` answers; of two in one place, the first."""
        if mark.first is not None:
            self._by_place.setdefault((mark.sha256, mark.kind, mark.first, mark.last), name)
        words = _words(mark.text)
        if words:
            self._by_words.setdefault((mark.kind, words), []).append((mark, name))

    def find(self, mark: Mark) -> str | None:
        """The one that is the same highlight or bookmark, `None` if there is none: the same range; else overlapping
        and the same words, because one reader selects the full stop and another does not."""
        if mark.first is not None:
            name = self._by_place.get((mark.sha256, mark.kind, mark.first, mark.last))
            if name is not None:
                return name
        if mark.kind == "bookmark":
            return None
        for other, name in self._by_words.get((mark.kind, _words(mark.text)), ()):
            if _overlap(mark, other):
                return name
        return None


def _overlap(one: Mark, other: Mark) -> bool:
    if one.first is None or one.last is None or other.first is None or other.last is None:
        return one.first is other.first  # neither could be placed: the words are all there is
    return one.sha256 == other.sha256 and one.first < other.last and other.first < one.last


def _words(text: str) -> str:
    """Letters and digits only."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())
