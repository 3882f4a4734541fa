"""Small documents and books for the position tests."""

from pathlib import Path

from hypothesis import strategies as st

from appliance.epub.document import parse_document
from appliance.positions.crengine.scan import decode
from appliance.positions.crengine.styles import StyleBook
from appliance.positions.crengine.tree import FragmentTree
from appliance.positions.document import DocumentIndex
from tests.kepub.bodies import TIDY
from tests.kepub.kepubs import document, epub

# Rich in what engines disagree about: every kind of space, characters of two UTF-16 units, invisible ones.
TEXT = st.text(alphabet="ab.!?\"'“’ \n\t\u00a0\u2003\u3000\u00ad\u200b\u0301漢😀é\ufffd", max_size=12)
BODIES = st.one_of(
    # A reference to a C1 control is another character for an XML parser, a converter and an engine (kepub.md 10).
    TIDY.map(lambda body: body.replace("&#133;", "…")),
    st.lists(TEXT, min_size=1, max_size=6).map(
        lambda texts: "".join(f"<p>{text}<b>{text[::-1]}</b>{text}</p>\n" for text in texts)
    ),
)


def index_of(body: str) -> DocumentIndex:
    """The index of a document with this body."""
    return DocumentIndex(parse_document(document(body), "application/xhtml+xml"))


def tree_of(body: str, text: str | None = None, **kind: str) -> FragmentTree:
    """What KOReader's engine makes of it."""
    return FragmentTree(decode(document(body, **kind)), "a.xhtml", StyleBook(_nothing), text)


def both_of(body: str) -> tuple[DocumentIndex, FragmentTree]:
    """Index and tree of the same document, as a book holds them."""
    index = index_of(body)
    return index, tree_of(body, index.text)


def book_file(path: Path, *bodies: str, **documents: bytes) -> Path:
    """Write an EPUB with one document for each body: `d0.xhtml`, `d1.xhtml` …"""
    entries = {f"d{number}.xhtml": document(body) for number, body in enumerate(bodies)}
    path.write_bytes(epub({**entries, **documents}))
    return path


def _nothing(path: str) -> bytes:
    raise KeyError(path)
