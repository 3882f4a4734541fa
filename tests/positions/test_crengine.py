"""Trees as KOReader's engine has them: every line of the test books that its own engine answered."""

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.epub.errors import BookError
from appliance.positions import OpenBook, Position, Status
from appliance.positions.crengine import FragmentTree
from appliance.positions.crengine_nodes import Node, TextNode
from appliance.positions.crengine_scan import decode
from appliance.positions.crengine_styles import StyleBook
from appliance.positions.ink import ink
from appliance.positions.xpointer import Name, Pointer, find, parse, point
from tests.conftest import ROOT

CASES = sorted((ROOT / "tests" / "data" / "xpointer-cases").glob("*.epub"))

# What is not modelled: the text of the engine's own error messages, the second body of a file, the letters that the
# engine puts in the place of those in formulas. The UTF-16 file has surrogates that JSON cannot hold.
NOT_MODELLED = {
    "07-spine": {f"/body/DocFragment[{fragment}]/" for fragment in (5, 9, 11, 14, 23, 24)},
    "08-media": {"/math"},
    "15-encodings": {"/body/DocFragment[3]/"},
    "17-document": {"/body/DocFragment[3]/"},
}
CLOSED = ("/svg/", "/math/", "/iframe/", "/script/")


def lines(path: Path, kind: str) -> list[dict[str, Any]]:
    text = path.with_suffix(".jsonl").read_text()
    return [line for line in map(json.loads, text.split("\n")[:-1]) if line["t"] == kind]


def modelled(path: Path, xpointer: str) -> bool:
    return "/stylesheet/" not in xpointer and not any(part in xpointer for part in NOT_MODELLED.get(path.stem, ()))


def text_nodes(node: Node) -> list[TextNode]:
    found: list[TextNode] = []
    for child in node.children:
        found += [child] if isinstance(child, TextNode) else text_nodes(child)
    return found


def trees(book: OpenBook) -> dict[int, FragmentTree]:
    found = {}
    styles = StyleBook(book._read)
    for document in book.summary.documents:
        try:
            if document.fragment is not None:
                source = decode(book._read(document.path))
                found[document.fragment] = FragmentTree(source, document.path, styles)
        except BookError:
            pass  # the engine shows a message for it
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_text_nodes(path: Path) -> None:
    """Exactly the engine's text nodes, by name in both spellings and by text."""
    book = OpenBook.open(path, path.name)
    fragments = book.summary.fragments
    expected = {}
    for line in lines(path, "node"):
        if modelled(path, line["xp"]):
            expected[line["xp"]] = (line.get("xp_dom20260812"), line["len"], line["text"])
    got = {}
    for fragment, tree in trees(book).items():
        for node in (text for body in tree.bodies for text in text_nodes(body)):
            name = Name(node, 0, 0)
            xp = name.spell(fragment, fragments, indexed=False)
            if modelled(path, xp):
                indexed = name.spell(fragment, fragments, indexed=True)
                wanted = expected.get(xp, (None, 0, ""))
                text = node.text if len(wanted[2]) == len(node.text) else node.text[: len(wanted[2])]
                got[xp] = (indexed if wanted[0] else None, len(node.text), text)
    assert got == expected


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_fragments(path: Path) -> None:
    assert OpenBook.open(path, path.name).summary.fragments == len(lines(path, "frag"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_words(path: Path) -> None:
    """Each pointer resolves to the text that the engine reads on from there, and is written as the engine writes it."""
    book = OpenBook.open(path, path.name)
    found = trees(book)
    for line in lines(path, "word"):
        if not modelled(path, line["xp"]):
            continue
        pointer = parse(line["xp"])
        assert isinstance(pointer, Pointer)
        tree = found[pointer.fragment]
        k, status, *_ = find(tree, pointer)
        if any(part in line["xp"] for part in CLOSED) and path.stem != "07-spine":
            assert status is Status.SNAPPED, line
            continue
        assert status is Status.EXACT, line
        rest = tree.ink[k : k + 40].replace("\u200b", "").replace("\ufffc", "")
        wanted = ink(line["next"]).replace("\u200b", "")
        if path.stem != "08-media":  # the engine reads on through drawings and formulas …
            length = 4 if "script" in wanted or "style" in wanted else 16  # … and through scripts and styles
            assert rest[:length].startswith(wanted[: min(len(rest), length)]), line
        if ink(line["next"][:1]):  # in white space, several pointers mean one place
            name = point(tree, Position("", 0, k))
            assert name.spell(pointer.fragment, book.summary.fragments, indexed=False) == line["xp"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_probes(path: Path) -> None:
    """What the engine finds is found, at the same place as its own spelling of it; what it does not find is never
    claimed to be exact."""
    book = OpenBook.open(path, path.name)
    for line in lines(path, "probe"):
        place = book.decode_xpointer(line["in"])
        if line["found"]:
            assert place.status in (Status.EXACT, Status.SNAPPED), line
            if line.get("norm"):
                assert book.decode_xpointer(line["norm"]).position == place.position, line
        else:
            assert place.status in (Status.APPROXIMATE, Status.FAILED), line


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_page_starts_are_written_as_the_engine_writes_them(path: Path) -> None:
    book = OpenBook.open(path, path.name)
    for line in lines(path, "page"):
        if not modelled(path, line["xp"]) or line["xp"].endswith("/autoboxing/svg.0"):  # its text is hidden there
            continue
        place = book.decode_xpointer(line["xp"])
        assert place.status is Status.EXACT, line
        assert place.position is not None
        assert book.encode_xpointer(place.position).locator == line["xp"]
