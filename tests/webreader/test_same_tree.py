"""The contract that all positions of the web reader rest on: the browser's tree is the server's, and what
foliate-js calls a place, the server understands as the same character."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from playwright.sync_api import Browser, Page

from appliance.epub.archive import Archive
from appliance.epub.document import parse_document
from appliance.epub.markup import local_name
from appliance.epub.package import read_package
from appliance.positions import OpenBook, Status
from tests.chromium import signed_in
from tests.server import BOOKS, Server, running_server
from tests.webreader.open_reader import OpenReader, books, query

# Loads a section as the reader does and writes its tree down: for each element of the body the number of its element
# children and the text before, between and after them. Text that nobody reads (style, script) is left out.
TREE = """async index => {
    const { book } = document.querySelector('foliate-view')
    const section = book.sections[index]
    const frame = document.createElement('iframe')
    frame.src = await section.load()
    await new Promise(resolve => { frame.onload = resolve; document.body.append(frame) })
    const doc = frame.contentDocument
    const wrapped = doc.documentElement.hasAttribute('data-bookwake-wrapped')
    const root = wrapped ? doc.body.firstElementChild : doc.documentElement
    const SILENT = ['style']
    const describe = element => {
        const chunks = ['']
        const children = []
        for (const node of element.childNodes) {
            if (node.nodeType === 1) { children.push(node); chunks.push('') }
            else if (node.nodeType === 3 || node.nodeType === 4) chunks[chunks.length - 1] += node.data
        }
        const silent = SILENT.includes(element.localName) || element.style?.cssText.includes('display: none !important')
        return [silent ? [] : chunks, children.map(describe)]
    }
    const body = wrapped ? root : doc.body
    const tree = [wrapped ? 0 : [...root.children].indexOf(body), describe(body)]
    frame.remove()
    section.unload()
    return tree
}"""

# Makes CFIs for random places in the text of a section, with the number of characters before each, as positions.md C.1
# counts them. The section is in a frame, as the reader shows it.
CFIS = """async ([index, count]) => {
    const view = document.querySelector('foliate-view')
    const section = view.book.sections[index]
    const frame = document.createElement('iframe')
    frame.src = await section.load()
    await new Promise(resolve => { frame.onload = resolve; document.body.append(frame) })
    const doc = frame.contentDocument
    const places = []
    let k = 0
    const visit = element => {
        for (const node of element.childNodes) {
            if (node.nodeType === 3 || node.nodeType === 4) {
                for (let at = 0; at < node.data.length;) {
                    const character = String.fromCodePoint(node.data.codePointAt(at))
                    if (!'\\t\\n\\f\\r \\ufffd'.includes(character)) places.push([node, at, k++])
                    at += character.length
                }
            } else if (node.nodeType === 1) {
                // Inside video and audio is what readers without them show, and that is text too.
                if (['video', 'audio'].includes(node.localName)) { k++; visit(node) }
                else if (['img', 'svg', 'image', 'math'].includes(node.localName)) k++
                else if (node.localName !== 'style' && !node.style?.cssText.includes('display: none !important'))
                    visit(node)
            }
        }
    }
    if (!doc.documentElement.hasAttribute('data-bookwake-wrapped')) visit(doc.body)
    const result = []
    for (let i = 0; i < count && places.length; i++) {
        const [node, at, k] = places[Math.floor(Math.random() * places.length)]
        const range = doc.createRange()
        range.setStart(node, at)
        range.collapse(true)
        result.push([view.getCFI(index, range), k])
    }
    frame.remove()
    section.unload()
    return [result, k]
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(books=sorted(BOOKS.glob("*.epub"))) as server:
        server.add_user("Ida")
        yield server


@pytest.fixture(scope="module")
def page(browser: Browser, server: Server) -> Page:
    return signed_in(browser, server, "Ida")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.name for path in BOOKS.glob("*.epub")))
def test_tests_books(server: Server, page: Page, name: str) -> None:
    check_book(server, page, BOOKS / name, 120)


@pytest.mark.nightly
def test_corpus(browser: Browser, shared: Path) -> None:
    paths = [path for path in sorted((shared / "corpus").rglob("*.epub")) if path.parent.name != "broken"]
    with running_server(books=paths) as server:
        server.add_user("Ida")
        page = signed_in(browser, server, "Ida")
        known = books(server)
        for path in paths:
            # Of a book that is there twice, the reader opens the reference rendition.
            main = query(server, "SELECT main_sha256 FROM book WHERE id = ?", known.get(path.name, ""))
            if main == [(hashlib.sha256(path.read_bytes()).hexdigest(),)]:
                check_book(server, page, path, 200)


def check_book(server: Server, page: Page, path: Path, wanted: int, sections: int = 16) -> None:
    OpenReader(page, server, books(server)[path.name]).open()
    book = OpenBook.open(path, "0" * 64)
    documents = [document for document in book.summary.documents if document.path]
    step = -(-len(documents) // sections)
    chosen = list(enumerate(documents))[::step]
    with Archive(path) as archive:
        types = {item.path: item.media_type for item in read_package(archive).items.values()}
        for index, document in chosen:
            data = archive.read(document.path)
            assert page.evaluate(TREE, index) == server_tree(data, types[document.path]), document.path
            if b"<iframe" in data:
                continue  # it counts as a character, and in the served page it cannot be told from a script any more
            cfis, characters = page.evaluate(CFIS, [index, wanted // len(chosen) + 1])
            if cfis:
                assert characters == document.length, document.path
            for cfi, k in cfis:
                check_place(book, cfi, (document.path, document.occurrence, k))


def check_place(book: OpenBook, cfi: str, expected: tuple[str, int, int]) -> None:
    place = book.decode_cfi(cfi)
    assert place.status is Status.EXACT, (expected, cfi, place)
    assert place.position is not None
    assert (place.position.document, place.position.occurrence, place.position.k) == expected, cfi


def server_tree(data: bytes, media_type: str) -> list[Any]:
    """The same description of the tree that the server's positions are made from: of the document as it came."""
    document = parse_document(data, media_type)
    root, body = document.root, document.body
    elements = [child for child in root if isinstance(child.tag, str)]
    wrapped = body is None or body is root or root.tag != "{http://www.w3.org/1999/xhtml}html"
    return [0, describe(root)] if wrapped else [elements.index(body), describe(body)]


SILENT = {"script", "style", "template", "iframe", "input", "embed", "param", "base", "bgsound", "command"}


def describe(element: Any) -> list[Any]:
    chunks, children = [element.text or ""], []
    for child in element:
        if isinstance(child.tag, str):
            children.append(describe(child))
            chunks.append(child.tail or "")
        else:
            assert child.tag in (etree.Comment, etree.ProcessingInstruction)
            chunks[-1] += child.tail or ""
    silent = local_name(element).lower() in SILENT
    return [[] if silent else [chunk.replace("\r", " ") for chunk in chunks], children]
