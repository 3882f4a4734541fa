"""Text as copies of a book still share it: without case, kinds of quotes and dashes, ligatures, invisible characters
(docs/reference/positions.md C.5 step 4). A fold keeps the way back to the text it was made from.

NFKD stands for the NFKC of the specification: two texts are equal in the one exactly when they are in the other, and it
folds each character by itself.
"""

import re
import unicodedata
from array import array
from bisect import bisect_right
from functools import lru_cache

_QUOTES = "\"'`´‘’‚‛“”„‟‹›«»ʹʺʼˮ′″‴❛❜❝❞〝〞〟＂＇"
_DASHES = "-‐‑‒–—―⁃−⸺⸻﹘﹣－"
_DROPPED = "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffd"
# Smart punctuation makes one dash of two or three hyphens.
_REPEATED_DASH = f"(?<=[{re.escape(_DASHES)}])[{re.escape(_DASHES)}]+"


class Folded:
    """`text`: the folded text of `source`."""

    __slots__ = ("_folds", "_sources", "source", "text")

    def __init__(self, source: str) -> None:
        self.source = source
        # Where the fold is not one character for one: places behind such a character, on both sides.
        self._sources = array("L", [0])
        self._folds = array("L", [0])
        self.text = self._fold()

    def to_source(self, at: int) -> int:
        """The character of the source that folded character `at` comes from; for `len(text)`, the end."""
        if at >= len(self.text):
            return len(self.source)
        row = bisect_right(self._folds, at) - 1
        # Several rows begin at the same folded place where characters were dropped; the last of them counts.
        place = self._sources[row] + at - self._folds[row]
        limit = self._sources[row + 1] if row + 1 < len(self._sources) else len(self.source)
        return min(place, limit - 1) if limit > self._sources[row] else place

    def from_source(self, k: int) -> int:
        """Folded characters that come from the first `k` of the source."""
        if k >= len(self.source):
            return len(self.text)
        row = bisect_right(self._sources, k) - 1
        limit = self._folds[row + 1] if row + 1 < len(self._folds) else len(self.text)
        return min(self._folds[row] + k - self._sources[row], limit)

    def _fold(self) -> str:
        source = self.source
        table = {ord(character): folded for character in set(source) if (folded := _folded(character)) != character}
        uneven = "".join(chr(code) for code, folded in table.items() if len(folded) != 1)
        pattern = f"[{re.escape(uneven)}]|{_REPEATED_DASH}" if uneven else _REPEATED_DASH
        pieces: list[str] = []
        behind, length = 0, 0
        for match in re.finditer(pattern, source):
            start, end = match.span()
            plain = source[behind:start].translate(table)
            folded = "" if end - start > 1 or source[start] in _DASHES else table[ord(source[start])]
            pieces += (plain, folded)
            length += len(plain)
            self._note(start, length)
            length += len(folded)
            behind = end
            self._note(end, length)
        pieces.append(source[behind:].translate(table))
        return "".join(pieces)

    def _note(self, source: int, folded: int) -> None:
        if (self._sources[-1], self._folds[-1]) != (source, folded):
            self._sources.append(source)
            self._folds.append(folded)


def fold(text: str) -> str:
    """The folded text alone."""
    return Folded(text).text


@lru_cache(8192)
def _folded(character: str) -> str:
    if character in _QUOTES:
        return "'"
    if character in _DASHES:
        return "-"
    if character in _DROPPED:
        return ""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    # A space that is ink here (U+00A0 …) is an ordinary one in another copy, so none there.
    return "".join(part for part in folded if not part.isspace() and part not in _DROPPED)
