"""Which stretches of two canonical texts are the same text (docs/reference/positions.md C.6)."""

import re
from bisect import bisect_right
from difflib import SequenceMatcher
from typing import NamedTuple

SMALL = 128  # characters that may be compared one by one
MINIMUM = 4  # a shorter match between two gaps is chance
STEP = 8  # characters that must agree to go on behind a difference
WINDOW = 256  # characters a difference may have where no anchor shows the way

_PIECE = re.compile(r"[^.,;:!?…—–。、！？]{0,200}[.,;:!?…—–。、！？]*")


class Block(NamedTuple):
    """`length` equal characters from `left` in one text and from `right` in the other."""

    left: int
    right: int
    length: int


class Alignment:
    """Equal blocks in increasing order on both sides, and the lengths of the two texts."""

    def __init__(self, blocks: list[Block], left_length: int, right_length: int) -> None:
        self.blocks = blocks
        self.left_length = left_length
        self.right_length = right_length
        self._lefts = [block.left for block in blocks]
        self._rights = [block.right for block in blocks]

    @property
    def share(self) -> float:
        """Share of the shorter text that has an equal on the other side."""
        shorter = min(self.left_length, self.right_length)
        return sum(block.length for block in self.blocks) / shorter if shorter else 1.0

    def to_right(self, k: int, *, before: bool = False) -> tuple[int, bool]:
        """The place in the right text for place `k` of the left one, and whether the character beside it (the one
        behind, or with `before` the one in front) has its equal there. In a gap: proportionally, not exact."""
        return _carry(k, before, self._lefts, self._rights, self.blocks, self.left_length, self.right_length)

    def to_left(self, k: int, *, before: bool = False) -> tuple[int, bool]:
        """The other way round."""
        return _carry(k, before, self._rights, self._lefts, self.blocks, self.right_length, self.left_length)


def _carry(
    k: int, before: bool, sources: list[int], targets: list[int], blocks: list[Block], source_end: int, target_end: int
) -> tuple[int, bool]:
    if not source_end:
        return 0, not target_end
    if k >= source_end and not before:
        before = True  # behind the last character: that character decides
    probe = k - 1 if before and k > 0 else k
    at = bisect_right(sources, probe) - 1
    if at >= 0 and probe < sources[at] + blocks[at].length:
        return targets[at] + k - sources[at], True
    begin = sources[at] + blocks[at].length if at >= 0 else 0
    target_begin = targets[at] + blocks[at].length if at >= 0 else 0
    end = sources[at + 1] if at + 1 < len(blocks) else source_end
    target_stop = targets[at + 1] if at + 1 < len(blocks) else target_end
    share = (k - begin) / (end - begin) if end > begin else 0.0
    return target_begin + int(share * (target_stop - target_begin)), False


def align(left: str, right: str) -> Alignment:
    """Equal blocks of two texts: common ends first, then pieces that are unique on both sides, then step by step over
    the differences, at last character by character."""
    blocks: list[Block] = []
    work = [(0, len(left), 0, len(right))]
    while work:
        a, b, c, d = work.pop()
        head = _common(left, right, a, b, c, d, 1)
        if head:
            blocks.append(Block(a, c, head))
            a, c = a + head, c + head
        tail = _common(left, right, a, b, c, d, -1)
        if tail:
            b, d = b - tail, d - tail
            blocks.append(Block(b, d, tail))
        if a == b or c == d:
            continue
        if b - a <= SMALL and d - c <= SMALL:
            matcher = SequenceMatcher(None, left[a:b], right[c:d], autojunk=False)
            blocks += [Block(a + i, c + j, n) for i, j, n in matcher.get_matching_blocks() if n >= MINIMUM]
            continue
        found = _anchors(left, right, a, b, c, d) or _resume(left, right, a, b, c, d)
        for block in found:
            work.append((a, block.left, c, block.right))
            a, c = block.left + block.length, block.right + block.length
        if found:
            work.append((a, b, c, d))
            blocks += found
    return Alignment(_joined(blocks), len(left), len(right))


def _anchors(left: str, right: str, a: int, b: int, c: int, d: int) -> list[Block]:
    """Pieces between punctuation marks that stand once on each side, in the longest order the sides share."""
    here, there = _pieces(left, a, b), _pieces(right, c, d)
    pairs = [(at, there[piece], len(piece)) for piece, at in here.items() if at >= 0 and there.get(piece, -1) >= 0]
    # Most stand side by side in both texts; what lies between them need not be looked at.
    return _joined([Block(*pair) for pair in _rising(pairs)])


def _pieces(text: str, start: int, end: int) -> dict[str, int]:
    """Place of each piece of some length; -1 for one that stands several times."""
    places: dict[str, int] = {}
    for match in _PIECE.finditer(text, start, end):
        piece = match.group()
        if len(piece) >= STEP:
            places[piece] = -1 if piece in places else match.start()
    return places


def _resume(left: str, right: str, a: int, b: int, c: int, d: int) -> list[Block]:
    """Step over differences one by one, for text that repeats itself so much that nothing in it is unique."""
    blocks: list[Block] = []
    while b - a >= STEP and d - c >= STEP:
        grams: dict[str, int] = {}
        for j in range(min(WINDOW, d - c - STEP + 1)):
            grams.setdefault(right[c + j : c + j + STEP], j)
        best: tuple[int, int, int] | None = None
        for i in range(min(WINDOW, b - a - STEP + 1)):
            if best is not None and i >= best[0]:
                break
            found = grams.get(left[a + i : a + i + STEP])
            if found is not None and (best is None or i + found < best[0]):
                best = (i + found, i, found)
        if best is None:
            break
        _, i, j = best
        length = _common(left, right, a + i, b, c + j, d, 1)
        blocks.append(Block(a + i, c + j, length))
        a, c = a + i + length, c + j + length
    return blocks


def _common(left: str, right: str, a: int, b: int, c: int, d: int, direction: int) -> int:
    """Length of the common prefix (1) or suffix (-1), by halving: comparing slices is fast."""
    low, high = 0, min(b - a, d - c)
    while low < high:
        middle = (low + high + 1) // 2
        if direction > 0:
            equal = left[a + low : a + middle] == right[c + low : c + middle]
        else:
            equal = left[b - middle : b - low] == right[d - middle : d - low]
        if equal:
            low = middle
        else:
            high = middle - 1
    return low


def _rising(pairs: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Longest run of (left, right, length), given in left order, that rises on the right too (patience)."""
    tops: list[int] = []
    chain: list[tuple[int, int]] = []  # pair number, number of the one before it in its run
    heads: list[int] = []
    for number, (_, right, _) in enumerate(pairs):
        at = bisect_right(tops, right)
        previous = heads[at - 1] if at else -1
        chain.append((number, previous))
        if at == len(tops):
            tops.append(right)
            heads.append(number)
        else:
            tops[at] = right
            heads[at] = number
    result: list[tuple[int, int, int]] = []
    number = heads[-1] if heads else -1
    while number >= 0:
        result.append(pairs[number])
        number = chain[number][1]
    return result[::-1]


def _joined(blocks: list[Block]) -> list[Block]:
    """In order, neighbours that touch on both sides made one."""
    result: list[Block] = []
    for block in sorted(blocks):
        if result and (last := result[-1]).left + last.length == block.left and last.right + last.length == block.right:
            result[-1] = Block(last.left, last.right, last.length + block.length)
        else:
            result.append(block)
    return result
