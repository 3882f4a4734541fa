"""Properties 3, 4 and 5 of docs/reference/positions.md C.11, on generated trees: what changes nothing; the spans."""

import re
import tempfile
from itertools import pairwise
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kepub import convert
from appliance.kepub.document import kepub_document
from appliance.positions import OpenBook, Position, Status, translate
from tests import needs
from tests.kepub.kepubs import contents, document, epub, spans
from tests.positions.documents import index_of
from tests.positions.grown import BODIES, Branch, Leaf, Node, canonical, wrapped, written

SEEDS = st.integers(0, 2**32)


@given(BODIES, SEEDS)
@settings(max_examples=200)
def test_writing_the_tree_otherwise_changes_no_canonical_index(body: tuple[Node, ...], seed: int) -> None:
    """Property 3: indentation, comments, references, CDATA, attributes. The text is known from the tree."""
    expected = canonical(body)
    assert index_of(written(body)).text == expected
    for number in range(3):
        assert index_of(written(body, Random(seed + number))).text == expected


@given(BODIES, SEEDS)
@settings(max_examples=200)
def test_wrapping_changes_no_canonical_index(body: tuple[Node, ...], seed: int) -> None:
    """Property 4: spans, row groups, the wrappers of a Kobo, in any combination."""
    chance = Random(seed)
    changed = wrapped(body, chance)
    assert canonical(changed) == canonical(body)
    assert index_of(written(changed, chance)).text == canonical(body)


@given(BODIES, SEEDS)
@settings(max_examples=80)
def test_a_place_is_the_same_in_every_way_of_writing(body: tuple[Node, ...], seed: int) -> None:
    """Properties 3 and 4 through the codecs: each file has names of its own for the same character."""
    chance = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, text in enumerate((written(body), written(body, chance), written(wrapped(body, chance), chance))):
            path = Path(folder) / f"{number}.epub"
            path.write_bytes(epub({"d.xhtml": document(text)}))
            files.append(OpenBook.open(path, str(number)))
        length = files[0].summary.total
        for k in {0, length, *(chance.randrange(length + 1) for _ in range(4))}:
            place = files[0].place(Position("d.xhtml", 0, k))
            for file in files:
                there = translate(place, files[0], file)
                assert (there.status, there.position) == (Status.EXACT, place.position)
                assert there.position is not None
                for encode, decode in (
                    (file.encode_cfi, file.decode_cfi),
                    (file.encode_xpointer, file.decode_xpointer),
                ):
                    encoded = encode(there.position)
                    found = decode(str(encoded.locator)).position
                    assert found is not None
                    assert found.k + encoded.distance == k
                    assert encoded.status is not Status.EXACT or not encoded.distance
        for file in files:
            file.close()


# The rules of kepub.md 4.1 and 4.2, written down once more and without a parser.

_CUT = re.compile(r"[.!?]['\"“”’…]?[ \t\n\f\r]+")
_RAISES = {"p", "ol", "ul", "table", "h1", "h2", "h3", "h4", "h5", "h6"}
_SKIPPED = {"script", "style", "pre", "audio", "video", "svg", "math"}


class Model:
    """Numbers the spans of a tree."""

    def __init__(self, body: tuple[Node, ...]) -> None:
        self.paragraph = self.segment = 0
        self.pending = False
        self.found: list[tuple[str, str]] = []
        self._walk(body, "body")

    def _walk(self, nodes: tuple[Node, ...], parent: str) -> None:
        for node in nodes:
            if isinstance(node, Leaf):
                if node.kind == "text":
                    self._text(node.text, parent)
            elif node.name == "img":
                self.paragraph, self.segment, self.pending = self.paragraph + 1, 1, False
                self._give("[img]")
            elif node.name not in _SKIPPED:
                self.pending = self.pending or node.name in _RAISES
                self._walk(node.children, node.name)

    def _text(self, text: str, parent: str) -> None:
        cuts = [0, *(match.end() for match in _CUT.finditer(text)), len(text)]
        for begin, end in pairwise(cuts):
            piece = text[begin:end]
            if not piece or (piece.isspace() and parent != "p"):
                continue
            if self.pending:
                self.paragraph, self.segment, self.pending = self.paragraph + 1, 0, False
            self.segment += 1
            self._give(piece)

    def _give(self, text: str) -> None:
        # U+FFFD is removed when everything is numbered (kepub.md 4, step 7).
        self.found.append((f"{self.paragraph}.{self.segment}", text.replace("\ufffd", "")))


def without(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(number, text.replace("\ufffd", "")) for number, text in found]


@given(BODIES)
@settings(max_examples=300)
def test_the_built_in_spans_are_those_of_the_model(body: tuple[Node, ...]) -> None:
    """Property 5."""
    made = kepub_document(document(written(body)))
    assert made is not None
    assert without(spans(made)) == Model(body).found


@given(st.lists(BODIES, min_size=20, max_size=40))
@settings(max_examples=4)
def test_the_spans_of_kepubify_are_those_of_the_model(bodies: list[tuple[Node, ...]]) -> None:
    """Property 5, of the reference converter. Many documents in each book, because starting it takes longest."""
    program = needs.kepubify()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "b.epub", Path(folder) / "b.kepub.epub"
        source.write_bytes(epub({f"d{number}.xhtml": document(written(body)) for number, body in enumerate(bodies)}))
        convert(source, target, engine="kepubify", kepubify=program)
        made = dict(contents(target))
        for number, body in enumerate(bodies):
            assert without(spans(made[f"d{number}.xhtml"])) == Model(body).found


def test_the_model_itself() -> None:
    """Lines 9 to 22 of kepub.md 7, by hand."""
    text = Leaf("text", "See "), Branch("img"), Leaf("text", " caption. Go")
    assert Model((Branch("p", text),)).found == [
        ("1.1", "See "),
        ("2.1", "[img]"),
        ("2.2", " caption. "),
        ("2.3", "Go"),
    ]
    assert Model((Branch("div", (Leaf("text", "Loose text. More."),)),)).found == [
        ("0.1", "Loose text. "),
        ("0.2", "More."),
    ]
    assert Model((Branch("p"), Leaf("text", "z"))).found == [("1.1", "z")]
