"""The words around a position, to show to people and to find the place again (docs/reference/positions.md C.5)."""

from dataclasses import dataclass

from appliance.positions.document import DocumentIndex
from appliance.positions.ink import ink_offset

DISPLAY = 120  # characters


@dataclass(frozen=True, slots=True)
class Quote:
    """`prefix`, `suffix`: canonical characters (no white space) before and after the place, for comparing.

    `display`: the words that follow the place, with single spaces, for people.
    """

    prefix: str
    suffix: str
    display: str


def quote(index: DocumentIndex, k: int, before: int, after: int) -> Quote:
    """The quote of canonical index `k`; `before` and `after` in canonical characters."""
    return Quote(index.text[max(k - before, 0) : k], index.text[k : k + after], _display(index, k))


def _display(index: DocumentIndex, k: int) -> str:
    pieces: list[str] = []
    length = 0
    last_parent = None
    for chunk in index.chunks_from(k):
        text = chunk.text[ink_offset(chunk.text, k - chunk.first) :] if chunk.first < k else chunk.text
        if chunk.parent is not last_parent and index.block_start(chunk.first) == chunk.first:
            pieces.append(" ")
        pieces.append(text)
        last_parent = chunk.parent
        length += len(text)
        if length > 2 * DISPLAY:
            break
    words = " ".join("".join(pieces).split())
    if len(words) <= DISPLAY:
        return words
    return words[:DISPLAY].rsplit(" ", 1)[0] + "…"
