"""Two renditions of one book: which documents have the same text, and how the rest corresponds
(docs/reference/positions.md C.2, C.6)."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from copy import copy
from difflib import SequenceMatcher
from itertools import accumulate

from appliance.positions.correspondence import Correspondence
from appliance.positions.summary import BookSummary, SpineDocument

SAME_DOCUMENT = 0.5  # share of equal text below which two files of the same name are different documents
SAME_BOOK = 0.5  # … and two files of one book are different books (positions.md C.6)
COMMON = 20  # documents with the same text, from which on their order says nothing


class Stretch:
    """Documents read as one text. `bases`: canonical characters before each, and the total."""

    def __init__(self, documents: Sequence[SpineDocument]) -> None:
        self.documents = documents
        self.bases = list(accumulate((document.length for document in documents), initial=0))
        self._ordinals = [document.ordinal for document in documents]

    @property
    def size(self) -> int:
        """Unpacked bytes."""
        return sum(document.size for document in self.documents)

    def offset(self, document: SpineDocument, k: int) -> int:
        """Where a place of one of the documents is in the text."""
        return self.bases[self._ordinals.index(document.ordinal)] + k

    def between(self, low: int, high: int) -> "Stretch":
        """Those that lie between two places of the text."""
        return Stretch(self.documents[bisect_left(self.bases, low) : bisect_left(self.bases, high)])

    def find(self, offset: int, *, before: bool) -> tuple[SpineDocument, int]:
        """The document and place at an offset; where two documents meet, the later one, with `before` the earlier."""
        at = bisect_right(self.bases, offset - (before and offset > 0)) - 1
        at = min(at, len(self.documents) - 1)
        return self.documents[at], min(offset - self.bases[at], self.documents[at].length)


class BookAlignment:
    """What is known of how the documents of two renditions correspond. A file that is in the spine several times
    counts once, by its first occurrence.

    `left_rest`, `right_rest`: documents whose text the other book has not. `compared`: the correspondence of two such
    documents by their ordinals, and of all of them by `None`; `equal`: whether the texts of two runs are the same, by
    where they lie in the rest. Both are filled by who reads the texts.
    """

    def __init__(self, left: BookSummary, right: BookSummary) -> None:
        self.left, self.right = left, right
        self._to_right = _twins(left, right)
        self._to_left = {other: one for one, other in self._to_right.items()}
        self.left_rest = Stretch([d for d in _once(left) if d.ordinal not in self._to_right])
        self.right_rest = Stretch([d for d in _once(right) if d.ordinal not in self._to_left])
        self.compared: dict[tuple[int, int] | None, Correspondence] = {}
        self.equal: dict[tuple[int, int], bool] = {}
        self.is_flipped = False

    def flipped(self) -> "BookAlignment":
        """The same with left and right changed, but for the keys and directions in `compared`."""
        other = copy(self)
        other.left, other.right = self.right, self.left
        other._to_right, other._to_left = self._to_left, self._to_right
        other.left_rest, other.right_rest = self.right_rest, self.left_rest
        other.is_flipped = not self.is_flipped
        return other

    @property
    def matched(self) -> int:
        """Characters that stand in both books, as far as was compared."""
        rest = self.compared.get(None)
        same = sum(self.left.documents[ordinal].length for ordinal in self._to_right)
        return same + (rest.matched if rest is not None else 0)

    @property
    def share(self) -> float:
        """What stands in both books as a share of the shorter one, 0 … 1."""
        shorter = min(length(self.left), length(self.right))
        return min(self.matched / shorter, 1.0) if shorter else 1.0

    @property
    def weight(self) -> int:
        """Bytes it takes, roughly."""
        compared = sum(correspondence.weight for correspondence in self.compared.values())
        return 1000 + 200 * (len(self._to_right) + len(self.left_rest.documents)) + compared

    def twin(self, document: SpineDocument) -> SpineDocument | None:
        """The right document with the text of a left one."""
        ordinal = self._to_right.get(document.ordinal)
        return None if ordinal is None else self.right.documents[ordinal]

    def run(self, document: SpineDocument) -> tuple[tuple[int, int], Stretch, Stretch] | None:
        """The shortest runs of documents that may have the same text, the one of the left book with that document:
        they begin and end at the same character of the rest. First where they lie in it. That is how a document lies to
        the parts that it was divided into."""
        left, right = self.left_rest, self.right_rest
        if document not in left.documents:
            return None
        begin = left.offset(document, 0)
        common = sorted(set(left.bases) & set(right.bases))
        low = common[bisect_right(common, begin) - 1]
        high = next((base for base in common if base >= begin + document.length), None)
        return None if high is None else ((low, high), left.between(low, high), right.between(low, high))

    def namesake(self, document: SpineDocument) -> SpineDocument | None:
        """The right document of the same path and another text."""
        other = self.right.document(document.path, 0)
        is_free = other is not None and other.length and other.ordinal not in self._to_left
        return other if is_free and document.length else None

    def between(self, document: SpineDocument) -> tuple[int, int]:
        """Ticks of the right book between which a left document without a twin must lie, if the order is the same."""
        low, high = 0, self.right.total
        for ordinal in range(document.ordinal - 1, -1, -1):
            if (twin := self._to_right.get(ordinal)) is not None:
                low = self.right.bases[twin + 1]
                break
        for ordinal in range(document.ordinal + 1, len(self.left.documents)):
            if (twin := self._to_right.get(ordinal)) is not None:
                high = self.right.bases[twin]
                break
        return (low, high) if low <= high else (0, self.right.total)


def _twins(left: BookSummary, right: BookSummary) -> dict[int, int]:
    """Documents with the same text: those of the same path, then those in the same order, then in any."""
    twins: dict[int, int] = {}
    here, there = _once(left), _once(right)
    for document in here:
        namesake = right.document(document.path, 0)
        if namesake is not None and namesake.digest == document.digest:
            twins[document.ordinal] = namesake.ordinal
    taken = {other: one for one, other in twins.items()}
    if all(document.ordinal in twins for document in here):
        return twins
    # Those of the same path show the way between the others.
    names = [f"#{d.ordinal}" if d.ordinal in twins else d.digest for d in here]
    others = [f"#{taken[d.ordinal]}" if d.ordinal in taken else d.digest for d in there]
    common = {name for name, times in (Counter(names) | Counter(others)).items() if times > COMMON}
    matcher = SequenceMatcher(
        None,
        [name if name not in common else f"left {at}" for at, name in enumerate(names)],
        [name if name not in common else f"right {at}" for at, name in enumerate(others)],
        autojunk=False,
    )
    for i, j, length in matcher.get_matching_blocks():
        for step in range(length):
            twins.setdefault(here[i + step].ordinal, there[j + step].ordinal)
    taken = {other: one for one, other in twins.items()}
    for document, other in _by_rank(
        [d for d in here if d.ordinal not in twins], [d for d in there if d.ordinal not in taken]
    ):
        twins[document.ordinal] = other.ordinal
    return twins


def length(summary: BookSummary) -> int:
    """Canonical characters of a book, each file counted once."""
    return sum(document.length for document in _once(summary))


def _once(summary: BookSummary) -> list[SpineDocument]:
    """The documents that have text, each file once."""
    return [document for document in summary.documents if document.length and not document.occurrence]


def _by_rank(here: list[SpineDocument], there: list[SpineDocument]) -> list[tuple[SpineDocument, SpineDocument]]:
    """Pairs with the same text, where it stands as often on both sides."""
    some: dict[str, list[SpineDocument]] = {}
    others: dict[str, list[SpineDocument]] = {}
    for document in here:
        some.setdefault(document.digest, []).append(document)
    for document in there:
        others.setdefault(document.digest, []).append(document)
    return [
        pair
        for digest, documents in some.items()
        if len(documents) == len(others.get(digest, []))
        for pair in zip(documents, others[digest], strict=True)
    ]
