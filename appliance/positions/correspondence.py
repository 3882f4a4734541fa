"""Where each character of one text is in an edited copy of it (docs/reference/positions.md C.6)."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from appliance.positions.alignment import Block, align
from appliance.positions.canonical import Reason, Status
from appliance.positions.fold import Folded

SURE = 32  # characters that are equal not by chance
CHAINED = 8  # … that are not when others that are equal stand near
NEAR = 64  # characters: the longest gap that equal text on both sides vouches for

_SENTENCE = re.compile(r"[^.!?…。！？]{24,400}")


class Landing(NamedTuple):
    """`k`: where a place comes to lie. `status`, `reason`: as in `Place`."""

    k: int
    status: Status
    reason: Reason


class _Piece(NamedTuple):
    """A stretch of both texts that says the same. Lengths differ only where a character has become several."""

    left: int
    right: int
    left_length: int
    right_length: int
    is_equal: bool


class _Side(NamedTuple):
    """Where the pieces lie in one of the texts."""

    starts: "array[int]"
    lengths: "array[int]"


class _Pieces:
    """Pieces as arrays: a book with every accent composed otherwise has a hundred thousand."""

    def __init__(self, pieces: Iterable[_Piece]) -> None:
        self.left = _Side(array("L"), array("L"))
        self.right = _Side(array("L"), array("L"))
        self.equal = bytearray()
        for piece in pieces:
            self.left.starts.append(piece.left)
            self.left.lengths.append(piece.left_length)
            self.right.starts.append(piece.right)
            self.right.lengths.append(piece.right_length)
            self.equal.append(piece.is_equal)


class Correspondence:
    """Two texts, piece by piece. `matched`: characters that stand in both. `share`: of the shorter text, 0 … 1.
    `weight`: bytes it takes, roughly."""

    def __init__(self, left: str, right: str) -> None:
        main = _cleared(_main(left, right))
        moved = _moved(left, right, main)
        self._lengths = len(left), len(right)
        self._main = _Pieces(main)
        self._moved = _Pieces(sorted(moved)), _Pieces(sorted(moved, key=lambda piece: piece.right))
        self.matched = sum(self._main.left.lengths) + sum(piece.left_length for piece in moved)
        self.share = min(self.matched / min(self._lengths), 1.0) if min(self._lengths) else 1.0
        self.weight = 500 + 33 * (len(main) + 2 * len(moved))

    def to_right(self, k: int, *, before: bool = False) -> Landing:
        """Where place `k` of the left text is in the right one. The character behind it decides, with `before` the one
        in front of it."""
        main, moved = self._main, self._moved[0]
        return _carry(k, before, main.equal, main.left, main.right, moved.left, moved.right, *self._lengths)

    def to_left(self, k: int, *, before: bool = False) -> Landing:
        """The other way round."""
        main, moved = self._main, self._moved[1]
        return _carry(k, before, main.equal, main.right, main.left, moved.right, moved.left, *self._lengths[::-1])


def _carry(
    k: int,
    before: bool,
    equal: bytearray,
    here: _Side,
    there: _Side,
    moved_here: _Side,
    moved_there: _Side,
    end_here: int,
    end_there: int,
) -> Landing:
    if not end_here:
        return Landing(0, Status.SNAPPED if end_there else Status.EXACT, _reason(is_exact=not end_there))
    if k >= end_here:
        k, before = end_here, True  # behind the last character: that character decides
    probe = k - 1 if before and k > 0 else k
    at = bisect_right(here.starts, probe) - 1
    if at >= 0 and probe < here.starts[at] + here.lengths[at]:
        exact = bool(equal[at])
        return Landing(
            _inside(k, at, here, there), Status.EXACT if exact else Status.RECOVERED, _reason(is_exact=exact)
        )
    moved = bisect_right(moved_here.starts, probe) - 1
    if moved >= 0 and probe < moved_here.starts[moved] + moved_here.lengths[moved]:
        return Landing(_inside(k, moved, moved_here, moved_there), Status.RECOVERED, Reason.MOVED)
    begin = here.starts[at] + here.lengths[at] if at >= 0 else 0
    begin_there = there.starts[at] + there.lengths[at] if at >= 0 else 0
    end = here.starts[at + 1] if at + 1 < len(here.starts) else end_here
    stop_there = there.starts[at + 1] if at + 1 < len(there.starts) else end_there
    if stop_there == begin_there:
        return Landing(begin_there, Status.SNAPPED, Reason.DIFFERENT_TEXT)
    landed = begin_there + (k - begin) * (stop_there - begin_there) // (end - begin)
    is_vouched = end - begin < NEAR and stop_there - begin_there < NEAR and len(here.starts) > 0
    return Landing(landed, Status.RECOVERED if is_vouched else Status.APPROXIMATE, Reason.DIFFERENT_TEXT)


def _reason(is_exact: bool) -> Reason:
    return Reason.NONE if is_exact else Reason.DIFFERENT_TEXT


def _inside(k: int, at: int, here: _Side, there: _Side) -> int:
    offset = k - here.starts[at]
    # The end of a piece is the end of its counterpart, also where one character has become several.
    return there.starts[at] + (there.lengths[at] if offset == here.lengths[at] else min(offset, there.lengths[at]))


def _main(left: str, right: str) -> Iterator[_Piece]:
    """The pieces that stand in the same order in both texts: equal ones, and between them those equal when folded."""
    a = c = 0
    for block in [*_sure(align(left, right).blocks, len(left), len(right)), Block(len(left), len(right), 0)]:
        if block.left > a and block.right > c:
            yield from _folded(left[a : block.left], right[c : block.right], a, c)
        yield _Piece(block.left, block.right, block.length, block.length, True)
        a, c = block.left + block.length, block.right + block.length


def _cleared(pieces: Iterable[_Piece]) -> list[_Piece]:
    return [piece for piece in pieces if piece.left_length and piece.right_length]


def _sure(blocks: list[Block], left_length: int, right_length: int) -> list[Block]:
    """Long blocks, and shorter ones in a chain of small gaps that leads to a long one or to the end of both texts. What
    two unrelated chapters have in common by chance is short and stands alone."""
    blocks = [Block(0, 0, 0), *(block for block in blocks if block.length >= CHAINED)]
    blocks.append(Block(left_length, right_length, 0))
    last = len(blocks) - 1
    sure = [block.length >= SURE or number in (0, last) for number, block in enumerate(blocks)]
    links = [
        two.left - one.left - one.length < NEAR and two.right - one.right - one.length < NEAR
        for one, two in pairwise(blocks)
    ]
    for number in range(1, last):
        sure[number] = sure[number] or (sure[number - 1] and links[number - 1])
    for number in range(last - 1, 0, -1):
        sure[number] = sure[number] or (sure[number + 1] and links[number])
    return [block for number, block in enumerate(blocks[1:-1], start=1) if sure[number]]


def _folded(left: str, right: str, a: int, c: int) -> Iterator[_Piece]:
    """The pieces of a gap (at `a` in the one, at `c` in the other text) that are equal once folded."""
    one, other = Folded(left), Folded(right)
    if one.text == other.text:
        blocks = [Block(0, 0, len(one.text))]
    else:
        found = align(one.text, other.text).blocks
        blocks = _sure(found, len(one.text), len(other.text))
        # What touches the equal text around the gap belongs to it, however short.
        if found and found[0].left == found[0].right == 0 and found[0] not in blocks:
            blocks.insert(0, found[0])
        ends = found[-1] if found else Block(0, 0, 0)
        if (ends.left + ends.length, ends.right + ends.length) == (len(one.text), len(other.text)):
            blocks += [ends] if ends not in blocks else []
    for block in blocks:
        yield from _characters(one, other, block, a, c)


def _characters(one: Folded, other: Folded, block: Block, a: int, c: int) -> Iterator[_Piece]:
    """Pieces of the sources of a folded block: runs in which one character stands for one, and each other character by
    itself. A character of which the block holds only a part is left out."""
    run: tuple[int, int] | None = None  # where the run of single characters began
    last = (0, 0)
    for step in range(block.length + 1):
        here, there = one.to_source(block.left + step), other.to_source(block.right + step)
        if one.from_source(here) != block.left + step or other.from_source(there) != block.right + step:
            continue
        if run is None:
            run = (here, there)
        elif (here - last[0], there - last[1]) != (1, 1):
            yield _Piece(a + run[0], c + run[1], last[0] - run[0], last[1] - run[1], False)
            yield _Piece(a + last[0], c + last[1], here - last[0], there - last[1], False)
            run = (here, there)
        last = (here, there)
    if run is not None:
        yield _Piece(a + run[0], c + run[1], last[0] - run[0], last[1] - run[1], False)


def _moved(left: str, right: str, main: list[_Piece]) -> list[_Piece]:
    """Sentences that stand once in what is left over on both sides, each with all that is equal around it."""
    here = _left_over([(piece.left, piece.left_length) for piece in main], len(left))
    there = _left_over([(piece.right, piece.right_length) for piece in main], len(right))
    if not here or not there:
        return []
    sentences = _once(right, there)
    result: list[_Piece] = []
    done = 0
    for sentence, (start, (begin, end)) in sorted(_once(left, here).items(), key=lambda item: item[1]):
        found = sentences.get(sentence)
        if found is None or start < done or not sentence:
            continue
        other, (other_begin, other_end) = found
        back = 0
        room = min(start - max(begin, done), other - other_begin)
        while back < room and left[start - back - 1] == right[other - back - 1]:
            back += 1
        length = len(sentence)
        while start + length < end and other + length < other_end and left[start + length] == right[other + length]:
            length += 1
        if back + length >= SURE:
            result.append(_Piece(start - back, other - back, back + length, back + length, True))
            done = start + length
    return result


def _left_over(covered: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Stretches long enough to be worth a search that no piece covers."""
    ends = [0, *(start + size for start, size in covered)]
    starts = [*(start for start, _ in covered), length]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if start - end >= SURE]


def _once(text: str, stretches: list[tuple[int, int]]) -> dict[str, tuple[int, tuple[int, int]]]:
    """The sentences in some stretches of a text that stand there once: place and stretch."""
    found: dict[str, tuple[int, tuple[int, int]]] = {}
    several: set[str] = set()
    for stretch in stretches:
        for match in _SENTENCE.finditer(text, *stretch):
            sentence = match.group()
            if sentence in found:
                several.add(sentence)
            found[sentence] = match.start(), stretch
    return {sentence: place for sentence, place in found.items() if sentence not in several}
