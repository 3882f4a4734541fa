"""The chapter of a document, by the table of contents."""

from sqlmodel import select

from appliance.library.chapters import chapter_names
from appliance.library.scan import scan
from appliance.models import Rendition
from tests.library.making import PROSE, epub, put

NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>
<nav epub:type="toc"><ol>
<li><a href="a.xhtml">Part one</a><ol><li><a href="a.xhtml">The start</a></li></ol></li>
<li><a href="c.xhtml">The middle</a></li>
<li><a href="d.xhtml#one">Third</a></li><li><a href="d.xhtml#two">Fourth</a></li>
</ol></nav></body></html>"""


def test_chapters(house, folder):
    """A document without a heading goes on with the chapter before it; one with two chapters says neither."""
    body = f"<p id='one'>{PROSE}</p><p id='two'>{PROSE}</p>"
    items = '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    chapters = {f"{name}.xhtml": body for name in "fabcde"}
    put(folder / "book.epub", epub(chapters=chapters, items=items, files={"nav.xhtml": NAV}))
    scan(house)
    with house.database.read() as session:
        names = chapter_names(session.exec(select(Rendition)).one())
    assert names == {
        "OPS/a.xhtml": "The start",
        "OPS/b.xhtml": "The start",
        "OPS/c.xhtml": "The middle",
        "OPS/e.xhtml": "Fourth",
    }


def test_a_book_without_contents_has_none(house, folder):
    put(folder / "book.epub", epub())
    scan(house)
    with house.database.read() as session:
        assert chapter_names(session.exec(select(Rendition)).one()) == {}
