"""Find a text in another one although some characters differ (docs/reference/positions.md C.5 step 5).

Myers' bit-parallel algorithm: a column of the table of edit distances is two numbers of as many bits as the pattern has
characters, which Python adds and shifts in one step.
"""

from typing import NamedTuple

EDITS = 0.2  # share of characters that may differ
LONGEST = 4096  # characters


class Match(NamedTuple):
    """`text[start:end]` is what is most like the pattern, `edits` characters from it."""

    start: int
    end: int
    edits: int


def search(pattern: str, text: str, share: float = EDITS) -> Match | None:
    """The best match of `pattern` with at most that share of its characters inserted, left out or replaced; the first
    of several as good. Neither may be longer than `LONGEST`; what is longer is not found."""
    if not pattern or max(len(pattern), len(text)) > LONGEST:
        return None
    most = int(share * len(pattern))
    edits, end = min(((edits, end) for end, edits in enumerate(_ends(pattern, text))), default=(most + 1, 0))
    if edits > most:
        return None
    # Backwards from that end, with as many edits, is where it begins.
    back = min((edits, size) for size, edits in enumerate(_ends(pattern[::-1], text[:end][::-1], anchored=True)))[1]
    return Match(end - back, end, edits)


def distance(one: str, other: str) -> int:
    """Characters to insert, leave out or replace to make one text of the other."""
    return _ends(one, other, anchored=True)[-1] if one else len(other)


def _ends(pattern: str, text: str, *, anchored: bool = False) -> list[int]:
    """Edit distance of `pattern` to what ends at each place 0 … len(text) of `text`: the best of all that end there, or
    `anchored` the whole of `text` up to there."""
    masks: dict[str, int] = {}
    for at, character in enumerate(pattern):
        masks[character] = masks.get(character, 0) | 1 << at
    everything, top = (1 << len(pattern)) - 1, 1 << (len(pattern) - 1)
    rises, falls, edits = everything, 0, len(pattern)
    result = [edits]
    for character in text:
        equal = masks.get(character, 0)
        across = equal | falls
        equal |= ((equal & rises) + rises) ^ rises
        up, down = falls | ~(equal | rises) & everything, rises & equal
        edits += bool(up & top) - bool(down & top)
        result.append(edits)
        up = up << 1 | anchored
        down <<= 1
        rises = (down | ~(across | up)) & everything
        falls = up & across & everything
    return result
