"""Metadata in the spellings of EPUB 2, EPUB 3 and calibre, and in none."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.epub.archive import Archive
from appliance.epub.metadata import (
    MAX_DESCRIPTION,
    MAX_LINE,
    Author,
    Metadata,
    is_isbn,
    line,
    plain_text,
    read_metadata,
)
from appliance.epub.package import read_package
from tests.conftest import ROOT
from tests.library.making import epub

BOOKS = ROOT / "tests/data/books"


def read(metadata: str) -> Metadata:
    with Archive(BytesIO(epub(metadata))) as archive:
        return read_metadata(read_package(archive))


def read_file(path: Path) -> Metadata:
    with Archive(path) as archive:
        return read_metadata(read_package(archive))


def test_nothing() -> None:
    assert read("") == Metadata("", None, (), "", (), None, None, None, "", (), "", "")


@pytest.mark.parametrize(
    ("metadata", "title"),
    [
        ("<dc:title>First</dc:title><dc:title>Second</dc:title>", "First"),
        ("<dc:title/><dc:title> </dc:title><dc:title>Third</dc:title>", "Third"),
        ("<dc:title>\n  Much \t white&#160;&#10; space </dc:title>", "Much white space"),
        (
            '<dc:title id="a">Series</dc:title><meta refines="#a" property="title-type">collection</meta>'
            '<dc:title id="b">Book</dc:title><meta refines="#b" property="title-type">main</meta>',
            "Book",
        ),
        # Without the "#", as the IDPF's own test suite has it.
        ('<dc:title id="b">B</dc:title><meta refines="b" property="title-type">main</meta>', "B"),
        ("<dc:title>a<b>b</b>c</dc:title>", "abc"),
        ("<dc-metadata><dc:title>OEB 1</dc:title></dc-metadata>", "OEB 1"),
    ],
)
def test_titles(metadata: str, title: str) -> None:
    assert read(metadata).title == title


@pytest.mark.parametrize(
    ("metadata", "file_as"),
    [
        ('<dc:title id="t">The Sea</dc:title><meta refines="#t" property="file-as">Sea, The</meta>', "Sea, The"),
        ('<dc:title>The Sea</dc:title><meta name="calibre:title_sort" content="Sea, The"/>', "Sea, The"),
        ("<dc:title>The Sea</dc:title>", None),
    ],
)
def test_how_to_sort_a_title(metadata: str, file_as: str | None) -> None:
    assert read(metadata).title_file_as == file_as


@pytest.mark.parametrize(
    ("metadata", "authors"),
    [
        (
            '<dc:creator opf:role="aut" opf:file-as="Austen, Jane">Jane Austen</dc:creator>',
            [("Jane Austen", "Austen, Jane")],
        ),
        (
            "<dc:creator>A</dc:creator><dc:creator> a </dc:creator><dc:creator>B</dc:creator>",
            [("A", None), ("B", None)],
        ),
        (
            '<dc:creator opf:role="trl">Translator</dc:creator><dc:creator>Author</dc:creator>',
            [("Author", None)],
        ),
        ('<dc:creator opf:role="edt">Editor</dc:creator>', [("Editor", None)]),
        (
            '<dc:creator id="b">B</dc:creator><meta refines="#b" property="display-seq">2</meta>'
            '<dc:creator id="a">A</dc:creator><meta refines="#a" property="display-seq">1</meta>'
            '<dc:creator id="c">C</dc:creator>',
            [("A", None), ("B", None), ("C", None)],
        ),
        (
            '<dc:creator id="x">X</dc:creator><meta refines="#x" property="role" scheme="marc:relators">ill</meta>'
            '<dc:creator id="y">Y</dc:creator><meta refines="#y" property="role">aut</meta>',
            [("Y", None)],
        ),
        # calibre writes this when it does not know.
        ('<dc:creator opf:file-as="Unknown">Leo Tolstoy</dc:creator>', [("Leo Tolstoy", None)]),
        ("<dc:creator> </dc:creator>", []),
    ],
)
def test_authors(metadata: str, authors: list[tuple[str, str | None]]) -> None:
    assert read(metadata).authors == tuple(Author(*author) for author in authors)


COLLECTION = '<meta id="{0}" property="belongs-to-collection">{1}</meta>'
REFINED = '<meta refines="#{0}" property="{1}">{2}</meta>'


@pytest.mark.parametrize(
    ("metadata", "series"),
    [
        (
            COLLECTION.format("s", "Oz")
            + REFINED.format("s", "collection-type", "series")
            + REFINED.format("s", "group-position", "2"),
            ("Oz", 2.0),
        ),
        (COLLECTION.format("s", "Oz") + REFINED.format("s", "collection-type", "series"), ("Oz", None)),
        # Standard Ebooks: a list of recommendations is a "set".
        (
            COLLECTION.format("l", "100 Best Novels")
            + REFINED.format("l", "collection-type", "set")
            + REFINED.format("l", "group-position", "7"),
            (None, None),
        ),
        (COLLECTION.format("n", "Numbered") + REFINED.format("n", "group-position", "1.5"), ("Numbered", 1.5)),
        ('<meta property="belongs-to-collection">should</meta>', (None, None)),
        (
            '<meta name="calibre:series" content="Novels"/><meta name="calibre:series_index" content="2.0"/>',
            ("Novels", 2.0),
        ),
        (
            '<meta property="calibre:series">Novels</meta><meta property="calibre:series_index">3</meta>',
            ("Novels", 3.0),
        ),
        ('<meta name="calibre:series" content="Novels"/>', ("Novels", None)),
        (
            COLLECTION.format("n", "Plain")
            + REFINED.format("n", "group-position", "1")
            + '<meta name="calibre:series" content="Calibre"/>',
            ("Calibre", None),
        ),
        ('<meta name="calibre:series_index" content="2"/>', (None, None)),
        (
            COLLECTION.format("s", "S")
            + REFINED.format("s", "collection-type", "series")
            + REFINED.format("s", "group-position", "two"),
            ("S", None),
        ),
    ],
)
def test_series(metadata: str, series: tuple[str | None, float | None]) -> None:
    found = read(metadata)
    assert (found.series, found.series_index) == series


@pytest.mark.parametrize(
    ("markup", "identifier"),
    [
        ("<dc:identifier>urn:isbn:978-0-306-40615-7</dc:identifier>", "isbn:9780306406157"),
        ("<dc:identifier>0-306-40615-2</dc:identifier>", "isbn:0306406152"),
        ('<dc:identifier opf:scheme="ISBN">978 0 306 40615 7</dc:identifier>', "isbn:9780306406157"),
        ("<dc:identifier>9780306406158</dc:identifier>", "id:9780306406158"),
        (
            '<dc:identifier id="i">9780306406157</dc:identifier>'
            '<meta refines="#i" property="identifier-type" scheme="onix:codelist5">15</meta>',
            "isbn:9780306406157",
        ),
        (
            "<dc:identifier>URN:UUID:A1B2C3D4-0000-1111-2222-333344445555</dc:identifier>",
            "uuid:A1B2C3D4-0000-1111-2222-333344445555",
        ),
        (
            "<dc:identifier>a1b2c3d4-0000-1111-2222-333344445555</dc:identifier>",
            "uuid:a1b2c3d4-0000-1111-2222-333344445555",
        ),
        ("<dc:identifier>https://example.org/1</dc:identifier>", "uri:https://example.org/1"),
        ("<dc:identifier>10.1000/182</dc:identifier>", "doi:10.1000/182"),
        ('<dc:identifier opf:scheme="calibre">12</dc:identifier>', "calibre:12"),
        ("<dc:identifier> x  y </dc:identifier>", "id:x y"),
    ],
)
def test_identifiers(markup: str, identifier: str) -> None:
    assert read(markup).identifiers == (identifier,)


def test_the_unique_identifier_is_the_one_the_package_names() -> None:
    both = '<dc:identifier id="other">1</dc:identifier><dc:identifier id="id"> 2 </dc:identifier>'
    assert read(both).unique_identifier == "2"
    assert read('<dc:identifier id="other">1</dc:identifier>').unique_identifier == "1"
    assert read("").unique_identifier is None


@pytest.mark.parametrize(
    ("metadata", "published"),
    [
        ("<dc:date>1865-11-26</dc:date>", "1865-11-26"),
        ("<dc:date>2021-03-16T22:46:04Z</dc:date>", "2021-03-16"),
        ("<dc:date>1865</dc:date>", "1865"),
        ("<dc:date>1865-11</dc:date>", "1865-11"),
        ("<dc:date>0101-01-01T00:00:00+00:00</dc:date>", ""),
        ("<dc:date>November 1865</dc:date>", ""),
        (
            '<dc:date opf:event="modification">2020-01-01</dc:date><dc:date opf:event="publication">1999</dc:date>',
            "1999",
        ),
        ('<dc:date opf:event="modification">2020-01-01</dc:date>', ""),
    ],
)
def test_dates(metadata: str, published: str) -> None:
    assert read(metadata).published == published


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Plain & simple", "Plain & simple"),
        ("<p>One.</p><p>Two<br/>three.</p>", "One.\n\nTwo\n\nthree."),
        ("&lt;p&gt;Twice &lt;i&gt;escaped&lt;/i&gt;.&lt;/p&gt;", "Twice escaped."),
        ("<script>alert(1)</script>Text<style>p{}</style>", "Text"),
        ("a < b and c > d", "a < b and c > d"),
        ("line\nbreaks\n\n\nparagraph", "line breaks\n\nparagraph"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("AT&amp;T", "AT&T"),
    ],
)
def test_descriptions(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("en_US", "en-US"), ("zh-Hant-TW", "zh-Hant-TW"), ("und", ""), ("English language", ""), ("", "")],
)
def test_languages(tag: str, language: str) -> None:
    assert read(f"<dc:language>{tag}</dc:language>").language == language


def test_subjects_and_publisher() -> None:
    found = read(
        "<dc:subject>Sea</dc:subject><dc:subject>Ships</dc:subject><dc:subject>Sea</dc:subject>"
        "<dc:publisher/><dc:publisher>Press</dc:publisher>"
    )
    assert (found.subjects, found.publisher) == (("Sea", "Ships"), "Press")


def test_real_books() -> None:
    alice = read_file(BOOKS / "calibre-docx_alice.epub")
    assert (alice.title, alice.authors[0].name) == ("Alice's Adventures in Wonderland", "Lewis Carroll")
    kokoro = read_file(BOOKS / "ebooklib_kokoro-vertical-ruby.epub")
    assert (kokoro.title, kokoro.authors[0].name, kokoro.language) == ("こころ", "夏目漱石", "ja")
    diet = read_file(BOOKS / "regime-anticancer-arabic.epub")
    assert [author.name for author in diet.authors] == ["Pr David Khayat", "Nathalie Hutter-Lardeau"]
    austen = read_file(BOOKS / "ebookmaker-epub2_pride-and-prejudice.epub")
    assert austen.authors == (Author("Jane Austen", "Austen, Jane"),)
    assert austen.identifiers == ("uri:https://www.gutenberg.org/ebooks/1342",)
    oz = read_file(BOOKS / "l-frank-baum_the-marvelous-land-of-oz.epub")
    assert (oz.series, oz.series_index, oz.publisher, oz.published) == ("Oz", 2.0, "Standard Ebooks", "2020-06-23")
    children = read_file(BOOKS / "childrens-literature.epub")
    assert children.title == "Children's Literature"


@given(st.text(max_size=1000))
def test_a_line_is_one_line(text: str) -> None:
    result = line(text)
    assert len(result) <= MAX_LINE and result == line(result)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in result)


@given(st.text(max_size=300).map(lambda text: "<p>" + text) | st.text(alphabet="<>&;/p br=\"'lgt#x0\n", max_size=200))
def test_any_description_becomes_bounded_text(markup: str) -> None:
    text = plain_text(markup)
    assert len(text) <= MAX_DESCRIPTION and "\0" not in text


NAMES = st.sampled_from(
    ["dc:title", "dc:creator", "dc:date", "dc:identifier", "dc:language", "meta", "x", "dc:subject"]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["id", "refines", "property", "name", "content", "opf:role", "opf:event", "opf:scheme", "scheme"]),
    st.sampled_from(
        ["a", "#a", "", "display-seq", "role", "file-as", "title-type", "belongs-to-collection", "group-position",
         "collection-type", "calibre:series", "calibre:series_index", "aut", "publication"]
    ),
    max_size=4,
)  # fmt: skip
TEXTS = st.text(alphabet="019.-:/ aZé\u2028\U0001f600", max_size=12)


@given(st.lists(st.tuples(NAMES, ATTRIBUTES, TEXTS), max_size=12))
def test_odd_metadata_never_fails(elements: list[tuple[str, dict[str, str], str]]) -> None:
    markup = "".join(
        "<" + name + "".join(f' {key}="{value}"' for key, value in attributes.items()) + ">" + text + f"</{name}>"
        for name, attributes, text in elements
    )
    found = read(markup)
    assert all(":" in identifier for identifier in found.identifiers)
    assert (found.title == "") == (found.title.strip() == "")
    assert found.series is not None or found.series_index is None


@given(st.integers(0, 10**9 - 1))
def test_isbn_check_digits(number: int) -> None:
    body = f"{number:09d}"
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(body))
    right = "0123456789X"[-total % 11]
    assert is_isbn(body + right)
    assert sum(is_isbn(body + digit) for digit in "0123456789X") == 1
    thirteen = "978" + body
    assert sum(is_isbn(thirteen + digit) for digit in "0123456789") == 1
