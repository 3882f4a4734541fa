"""How koboSpans are cut and numbered (docs/reference/kepub.md 4.1, 4.2). Pure; both engines agree on this."""

import re

# One terminator, at most one closer, then ASCII white space, which belongs to the sentence that ends.
_SENTENCE_END = re.compile("[.!?]['\"“”’…]?[ \t\n\f\r]+")

# Elements that start a new paragraph number with the next text.
PARAGRAPHS = frozenset({"p", "ol", "ul", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
# Elements that hold no spans, whatever is in them.
SKIPPED = frozenset({"script", "style", "pre", "audio", "video", "svg", "math"})


def cut(text: str) -> list[str]:
    """The sentences of one text node; joined they are the text. An empty text has none."""
    pieces = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        end = match.end()
        pieces.append(text[start:end])
        start = end
    if start < len(text):
        pieces.append(text[start:])
    return pieces


class Numbering:
    """The counters of one document: paragraph P, segment S, and whether the next text starts a paragraph."""

    __slots__ = ("paragraph", "pending", "segment")

    def __init__(self) -> None:
        self.paragraph = 0
        self.segment = 0
        self.pending = False

    def next_text(self) -> str:
        """The id of the next sentence."""
        if self.pending:
            self.paragraph += 1
            self.segment = 0
            self.pending = False
        self.segment += 1
        return f"kobo.{self.paragraph}.{self.segment}"

    def next_image(self) -> str:
        """The id of the next image, which always starts a paragraph."""
        self.paragraph += 1
        self.segment = 1
        self.pending = False
        return f"kobo.{self.paragraph}.1"

    def number(self, text: str, in_paragraph: bool) -> list[tuple[str | None, str]]:
        """The sentences of a text node with their ids; `None` for white space that stays bare.

        `in_paragraph`: the node's parent is `p`, where white space is numbered too.
        """
        return [(self.next_text() if in_paragraph or not piece.isspace() else None, piece) for piece in cut(text)]
