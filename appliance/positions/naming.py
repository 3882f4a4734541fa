"""Which name to give a place, when the first choice does not hold (docs/reference/positions.md C.4, rule 10)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from appliance.positions.canonical import Affinity, Position, Reason, Status
from appliance.positions.document import DocumentIndex
from appliance.positions.found import Found


class Named(NamedTuple):
    """A name, the canonical place `k` it stands for, and whether that is the place that was meant."""

    text: str
    k: int
    status: Status
    reason: Reason


# The name of a place, the place it is meant to stand for, and what reading it gives.
Attempt = tuple[str, int, Found]


def name(index: DocumentIndex, position: Position, attempt: Callable[[Position], Attempt]) -> Named | None:
    """The nearest name that reads back as the place it stands for: a locator that does not resolve must never reach a
    device. `None` if there is none."""
    near: Named | None = None
    asked = min(max(position.k, 0), index.length)
    for at, affinity, safe in _ladder(index, asked, position.affinity):
        if near is not None and at != asked:
            break
        text, means, found = attempt(Position(position.document, position.occurrence, at, affinity))
        undecided = found.reason is Reason.UNDECIDED and safe
        if found.k != means or not (found.status is Status.EXACT or undecided):
            continue
        if undecided:
            named = Named(text, means, Status.SNAPPED, Reason.UNDECIDED)
        elif means == position.k:
            named = Named(text, means, Status.EXACT, Reason.NONE)
        else:
            named = Named(text, means, Status.SNAPPED, Reason.NOT_ADDRESSABLE)
        if means == at:
            return named
        near = near or named
    return near


def _ladder(index: DocumentIndex, k: int, affinity: Affinity) -> Iterator[tuple[int, Affinity, bool]]:
    """Places to try in turn, and whether each is safe where numbers are in doubt: the start of a block is the safest
    there is. A start falls back to it; an end moves on to the next one, so that no range turns round."""
    if affinity == "after" or k == 0:
        block = index.block_start(k)
        for at in dict.fromkeys((k, block, 0)):
            yield at, "after", at in (block, 0)
        return
    border = index.block_end(k)
    yield k, "before", False
    # Behind an atom there may be no name; that of the place before what follows means the same.
    yield k, "after", k == border < index.length
    yield border, "after", border < index.length
    yield index.length, "before", True
