"""Every line of the test books that KOReader's own engine answered (tests/data/xpointer-cases/README.md)."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from appliance.positions import OpenBook, Reason, Status
from appliance.positions.crengine.defaults import Dom
from appliance.positions.crengine.nodes import Node, TextNode
from appliance.positions.ink import ink
from appliance.positions.ranges import decode_xpointer_range, range_text
from appliance.positions.xpointer import Name
from tests.conftest import ROOT

CASES = sorted((ROOT / "tests" / "data" / "xpointer-cases").glob("*.epub"))
each_book = pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)


def lines(path: Path, kind: str, version: str = "") -> list[dict[str, Any]]:
    text = path.with_suffix(f"{version}.jsonl").read_text()
    return [line for line in map(json.loads, text.split("\n")[:-1]) if line["t"] == kind]


def texts_of(node: Node) -> Iterator[TextNode]:
    for child in node.children:
        if isinstance(child, TextNode):
            yield child
        else:
            yield from texts_of(child)


class Fragments:
    """A book's trees: each text node with its fragment, and the text as the engine reads on, with all that it hides."""

    def __init__(self, path: Path, dom: Dom) -> None:
        self.book = OpenBook.open(path, path.name)
        self.count = self.book.summary.fragments
        self.texts: list[tuple[int, TextNode]] = []
        self.elements: list[tuple[int, Node]] = []
        for document in self.book.summary.documents:
            if document.fragment is not None:
                tree = self.book._tree(document, dom)
                sheet = [tree.sheet] if tree.sheet is not None else []
                texts = [*sheet, *(text for body in tree.bodies for text in texts_of(body))]
                self.texts += [(document.fragment, text) for text in texts]
                self.elements += [(document.fragment, element) for element in tree.elements]
        names = [self.spell(fragment, text) for fragment, text in self.texts]
        self.named = {name: text for name, (_, text) in zip(names, self.texts, strict=True)}
        shown = [as_json_holds_it(text.text) for _, text in self.texts]
        self.stream = "".join(shown)
        begins = accumulate((len(text) for text in shown), initial=0)
        self.begins = dict(zip(names, begins, strict=False))

    def spell(self, fragment: int, node: Node | TextNode, *, indexed: bool = False) -> str:
        return Name(node, 0, 0).spell(fragment, self.count, indexed=indexed)


@cache
def fragments_of(path: Path, dom: Dom = Dom.NORMAL) -> Fragments:
    return Fragments(path, dom)


def as_json_holds_it(text: str) -> str:
    """A lone surrogate was written as three bytes, each of them unreadable as UTF-8."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


@each_book
def test_text_nodes(path: Path) -> None:
    """Exactly the engine's text nodes: name, length, text, and whether it is shown."""
    found = fragments_of(path)
    expected = {line["xp"]: (line["len"], line["text"], line["visible"]) for line in lines(path, "node")}
    got = {}
    for fragment, node in found.texts:
        name = found.spell(fragment, node)
        text = as_json_holds_it(node.text)
        wanted = expected.get(name, (0, "", False))[1]  # the beginning of a long one
        text = text[: len(wanted)] if text.startswith(wanted) else text
        got[name] = (len(node.text), text, not node.parent.hidden)
    assert got == expected


@each_book
def test_text_nodes_as_the_newest_version_spells_them(path: Path) -> None:
    """`[1]` on every step; in two books it has other text nodes too."""
    found = fragments_of(path, Dom.NEWEST)
    other = path.with_suffix(".dom20260812.jsonl").exists()
    if other:
        expected = {line["xp"]: line["text"] for line in lines(path, "node", ".dom20260812")}
    else:
        expected = {line["xp_dom20260812"]: line["text"] for line in lines(path, "node")}
    got = {}
    for fragment, node in found.texts:
        name = found.spell(fragment, node, indexed=True)
        text = as_json_holds_it(node.text)
        got[name] = text[: len(expected.get(name, ""))] if text.startswith(expected.get(name, "")) else text
    assert got == expected


@each_book
def test_elements(path: Path) -> None:
    """Elements have the engine's names, and those it does not show are known as hidden."""
    found = fragments_of(path)
    named = {found.spell(fragment, element).removesuffix(".0"): element for fragment, element in found.elements}
    for line in lines(path, "elem"):
        element = named[line["xp"]]
        assert element.name == line["name"]
        assert element.hidden == (line["rend"] == "invisible"), line
        place = found.book.decode_xpointer(line["xp"])
        assert place.status in (Status.EXACT, Status.SNAPPED), line


@each_book
def test_fragments(path: Path) -> None:
    book = OpenBook.open(path, path.name)
    wanted = lines(path, "frag")
    assert book.summary.fragments == len(wanted)
    for line in wanted:
        document = book.summary.by_fragment(line["frag"])
        assert document is not None
        assert (document.path, document.linear) == (line["source"], not line["nonlinear"])
        place = book.decode_xpointer(line["xp"])
        assert (place.status, place.reason) == (Status.EXACT, Reason.WHOLE_DOCUMENT)
        tree = book._tree(document)
        assert line["kind"] == (
            "SpineItemUnsupported" if tree.notice else "SpineSvgWrapper" if tree.drawing else "Html"
        )


# Their text is in no canonical text, so positions know only the element.
CLOSED = ("/svg/", "/math/", "/iframe/", "/script/", "/stylesheet/")
# A second body, which the browser's document does not have; and places beside references that the engine reads in its
# own way.
OTHER_TEXT = {
    ("07-spine", "/body/DocFragment[14]/body/p/text().0"),
    ("06-parser", "/body/DocFragment[1]/body/p[4]/text().52"),
    ("18-edges", "/body/DocFragment[2]/body/p/text().14"),
}


@each_book
def test_words(path: Path) -> None:
    """From each pointer the engine's text goes on as the engine said, and the place is named by it again."""
    found = fragments_of(path)
    for line in lines(path, "word"):
        xpointer, _, offset = line["xp"].rpartition(".")
        node = found.named[xpointer + ".0"]
        begin = found.begins[xpointer + ".0"] + len(as_json_holds_it(node.text[: int(offset)]))
        assert found.stream[begin:].startswith(line["next"].rstrip("\ufffd")), line
        place = found.book.decode_xpointer(line["xp"])
        assert place.position is not None
        why = unaddressable(path, found, line["xp"])
        if why is not None:
            assert (place.status, place.reason) == why, line
            continue
        assert place.status is Status.EXACT, line
        if ink(line["next"][:1]):  # of several pointers around white space and U+FFFD, all mean one place
            written = found.book.encode_xpointer(place.position)
            assert (written.locator, written.status) == (line["xp"], Status.EXACT), line
        newer = found.book.encode_xpointer(place.position, indexed=True)
        assert found.book.decode_xpointer(str(newer.locator)).position == place.position, line


def unaddressable(path: Path, found: Fragments, xpointer: str) -> tuple[Status, Reason] | None:
    """Lines that no position can be exact for, and why."""
    if "/pre/" in xpointer and found.named[xpointer.rpartition(".")[0] + ".0"].text.startswith("Failed handling"):
        return Status.EXACT, Reason.WHOLE_DOCUMENT  # the engine's message, in place of the document
    if any(part in xpointer for part in CLOSED):
        return Status.SNAPPED, Reason.NOT_ADDRESSABLE
    if (path.stem, xpointer) in OTHER_TEXT:
        return Status.SNAPPED, Reason.DIFFERENT_TEXT
    return None


@each_book
def test_pages(path: Path) -> None:
    """The first character of each page is written as the engine writes it."""
    found = fragments_of(path)
    for line in lines(path, "page"):
        place = found.book.decode_xpointer(line["xp"])
        assert place.position is not None
        why = unaddressable(path, found, line["xp"])
        if why == (Status.SNAPPED, Reason.DIFFERENT_TEXT):
            assert (place.status, place.reason) == why, line
            continue
        assert place.status is Status.EXACT, line
        if line["xp"].endswith("/autoboxing/svg.0"):
            continue  # one picture to the engine, whose texts we can name all the same
        written = found.book.encode_xpointer(place.position)
        document = found.book.summary.document(place.position.document, 0)
        if document is not None and document.mode == "none":
            assert (written.locator, written.reason) == (None, Reason.UNREADABLE)  # nothing can be named there
            continue
        wanted = line["xp"] if why is None else line["xp"].replace("/body/pre/text()", "")
        assert (written.locator, written.status) == (wanted, Status.EXACT), line


@each_book
def test_probes(path: Path) -> None:
    """What the engine finds is found, at the same place as its own spelling of it; what it does not find is never
    claimed to be exact."""
    book = fragments_of(path).book
    for line in lines(path, "probe"):
        place = book.decode_xpointer(line["in"])
        if not line["found"]:
            # A pointer through boxes is for versions of before March 2020 alone; it may be found, but is never exact.
            old = "Box" in line["in"] and (place.status, place.reason) == (Status.SNAPPED, Reason.OTHER_DIALECT)
            assert old or place.status in (Status.APPROXIMATE, Status.FAILED), line
            continue
        assert place.status in (Status.EXACT, Status.SNAPPED), line
        assert place.position is not None
        if line.get("norm"):
            assert book.decode_xpointer(line["norm"]).position == place.position, line
        if place.status is Status.EXACT:
            read = book.quote(place.position, 0, 60).suffix.replace("\ufffc", "")
            assert ink(line["next"]).startswith(read[:16]), line


@each_book
def test_ranges(path: Path) -> None:
    """The text of a range is the engine's; a range that runs backwards is put in order."""
    book = fragments_of(path).book
    for line in lines(path, "probe_range"):
        start, end = book.decode_xpointer(line["pos0"]), book.decode_xpointer(line["pos1"])
        assert start.tick is not None
        assert end.tick is not None
        assert (end.tick > start.tick) - (end.tick < start.tick) == line["cmp"], line
        place = decode_xpointer_range(book, line["pos0"], line["pos1"])
        assert place.range is not None
        # Equal ends are an empty range, for which the engine gives the one character behind.
        assert range_text(book, place.range) == ("" if line["cmp"] == 0 else ink(line["text"])), line


# Pointers of the oldest version without a box among their steps, which name another place today: children beside those
# that stood in boxes, and fragments behind items that then had none. Nothing in them tells their age.
TOLD_BY_NOTHING = {
    "05-css-display": {
        "/body/DocFragment[1]/body/div[2]/text().0",
        "/body/DocFragment[1]/body/p[5]/text().0",
        "/body/DocFragment[1]/body/div[6]/text().0",
        "/body/DocFragment[2]/body/div[2]/text().0",
        "/body/DocFragment[2]/body/p[5]/text().0",
        "/body/DocFragment[2]/body/div[6]/text().0",
        "/body/DocFragment[3]/body/div[8]/text().0",
    },
    "07-spine": {f"/body/DocFragment[{number}]/" for number in (5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18)},
    # Text after broken markup that a browser reads otherwise.
    "18-edges": {"/body/DocFragment[1]/body/p[2]/p/p[8]/p/p[1]/text().0", "/body/DocFragment[2]/body/p/text().0"},
}


@each_book
def test_the_oldest_version(path: Path) -> None:
    """Pointers of before 2018, with the engine's boxes among their steps, lead to the right character."""
    if not path.with_suffix(".dom20171225.jsonl").exists():
        return
    book = fragments_of(path).book
    boxed = 0
    for line in lines(path, "node", ".dom20171225"):
        text = ink(line["text"])
        if not text or "/stylesheet/" in line["xp"]:
            continue
        place = book.decode_xpointer(line["xp"])
        if "Box" in line["xp"]:
            boxed += 1
            assert (place.status, place.reason) == (Status.SNAPPED, Reason.OTHER_DIALECT), line
        if not any(part in line["xp"] for part in TOLD_BY_NOTHING.get(path.stem, ())):
            assert place.position is not None
            assert book.quote(place.position, 0, 30).suffix.startswith(text[:20].replace("\v", "")[:8]), line
    assert boxed or path.stem in ("02-whitespace", "07-spine")
