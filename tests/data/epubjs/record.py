"""Record what epub.js itself calls places, and which places it finds for Bookwake's names.

    npm install --prefix FOLDER epubjs@0.3.93 jszip@3
    python -m tests.data.epubjs.record FOLDER/node_modules

Writes the `.json` files beside this script. Each document is shown by `book.renderTo(element)` with the default
options, and the names are `contents.cfiFromRange(range)` and `contents.range(cfi)`.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Page

from appliance.positions import OpenBook, Range
from appliance.positions.canonical import Position
from tests.chromium import chromium
from tests.conftest import ROOT
from tests.positions.documents import book_file
from tests.positions.test_epubjs import HERE, write

BOOKS = [
    "calibre-docx_alice",
    "childrens-literature",
    "ebooklib_kokoro-vertical-ruby",
    "l-frank-baum_the-marvelous-land-of-oz",
    "large-tables",
    "libreoffice_flying-dutchman",
    "sphinx_ubuntu-packaging-guide-fr",
]
PIECES = [
    "<!--c-->", "<?p i?>", "<![CDATA[x <y>]]>", "ab ", "\n", "\u00a0", "é😀", "<b>b</b>", "<i/>", "<img/>", "<br/>",
    '<p id="a]b,c;=(^)">z</p>', '<span id="a">q</span>', '<span id="b:c">r</span>', "<p> <img/>\n</p>",
    "<pre>\n x</pre>", "<ruby>漢<rt>k</rt></ruby>", "<table><tr><td>t</td></tr></table>", '<a id="n"/>',
]  # fmt: skip

OPEN = """async data => {
    const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0))
    window.book = ePub(bytes.buffer)
    window.rendition = book.renderTo(document.getElementById('area'), { width: 600, height: 400 })
    await book.ready
    return book.spine.spineItems.length
}"""
SHOW = """async index => {
    await rendition.display(index)
    window.contents = rendition.getContents()[0]
    return places.open(contents.document)[1]
}"""
NAME = """pairs => !places.hasText() ? [] : pairs.map(([from, to]) => {
    const start = places.pick(...from)
    const range = places.rangeOf(start, to ? places.pick(...to) : start)
    return [contents.cfiFromRange(range), ...places.placesOf(range), range.toString().replace(/\\s+/g, '').slice(0, 40)]
})"""
RESOLVE = """texts => texts.map(text => {
    const range = contents.range(text)
    return range && [...places.placesOf(range)]
})"""


def main(modules: Path) -> None:
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        page = browser.new_page()
        page.route(
            "http://reader.test/", lambda route: route.fulfill(body="<div id=area></div>", content_type="text/html")
        )
        page.goto("http://reader.test/")
        page.add_script_tag(path=str(modules / "jszip" / "dist" / "jszip.min.js"))
        page.add_script_tag(path=str(modules / "epubjs" / "dist" / "epub.min.js"))
        source = base64.b64encode((ROOT / "tests" / "positions" / "places.js").read_bytes()).decode()
        page.evaluate(
            "async source => { window.places = await import('data:text/javascript;base64,' + source) }", source
        )
        for name in BOOKS:
            save(name, {"documents": record(page, ROOT / "tests" / "data" / "books" / f"{name}.epub")})
        chance = Random(1)
        bodies = ["".join(chance.choices(PIECES, k=14)) for _ in range(60)]
        path = book_file(Path(folder) / "generated.epub", *bodies)
        save("generated", {"bodies": bodies, "documents": record(page, path, 60)})


def record(page: Page, path: Path, most: int = 8) -> list[dict[str, Any]]:
    chance = Random(path.name)
    book = OpenBook.open(path, path.name)
    items = page.evaluate(OPEN, base64.b64encode(path.read_bytes()).decode())
    found = []
    for number in list(range(items))[:: -(-items // most)]:
        document = book.summary.documents[number]
        shown = page.evaluate(SHOW, number)
        pairs = [(place(chance), place(chance) if chance.random() < 0.7 else None) for _ in range(24)]
        names = page.evaluate(NAME, pairs)
        asked = []
        for _ in range(12):
            first = chance.randint(0, document.length)
            last = min(first + chance.randint(0, 60), document.length)
            start = Position(document.path, document.occurrence, first)
            text = write(book, Range(start, Position(document.path, document.occurrence, last, "before")))
            if text is not None:
                asked.append((first, last, text))
        answers = page.evaluate(RESOLVE, [text for _, _, text in asked])
        found.append(
            {
                "ordinal": number,
                "length": shown,
                "written": names,
                "resolved": [[*line, answer] for line, answer in zip(asked, answers, strict=True)],
            }
        )
    return found


def place(chance: Random) -> tuple[float, float]:
    return round(chance.random() * 0.9999, 4), chance.choice([0.0, 1.0, round(chance.random(), 4)])


def save(name: str, value: dict[str, Any]) -> None:
    value["documents"] = [document for document in value["documents"] if document["written"] or document["resolved"]]
    text = json.dumps(value, ensure_ascii=False, indent=0, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
