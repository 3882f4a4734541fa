"""Both engines give the same ids to the same text, on every real book and on random documents.

Where they differ, kepubify fails in a way that docs/reference/kepub.md names; the table below lists each such document
of the corpus, and the test makes sure that the failure is of that kind.
"""

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from appliance.kepub import convert
from appliance.kepub.document import kepub_document
from appliance.kepub.kepubify import KepubifyError
from tests import needs
from tests.kepub.bodies import TIDY, WILD
from tests.kepub.kepubs import books, contents, document, epub, ink, spans

Spans = list[tuple[str, str]]


def parses(data: bytes) -> bool:
    try:
        spans(data)
    except etree.XMLSyntaxError:
        return False
    return True


def swallowed(source: bytes, ours: Spans, theirs: bytes) -> bool:
    """A raw or skipped element that closes itself swallows the rest of the document (kepub.md 3.2)."""
    mine, made = inked(ours), inked(spans(theirs))
    return b"<pre/>" in source and len(made) < len(mine) and mine[: len(made)] == made


def not_utf8(source: bytes, ours: Spans, theirs: bytes) -> bool:
    """kepubify takes any bytes for UTF-8 (kepub.md 3.1)."""
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return bool(ours) and not parses(theirs)
    return False


def left_broken(source: bytes, ours: Spans, theirs: bytes) -> bool:
    """The source is not well-formed, and neither is what kepubify makes of it (kepub.md 3.3: "nearly always")."""
    return not parses(source) and bool(ours) and not parses(theirs)


EXCEPTIONS: dict[tuple[str, str], Callable[[bytes, Spans, bytes], bool]] = {
    ("ebookmaker-epub3_flying-dutchman.epub", "31963/7890955164663695583_31963-h-0.htm.xhtml"): swallowed,
    ("encoding_8b-8-8b.epub", "EPUB/xhtml/file-utf16-w-bom.xhtml"): not_utf8,
    ("sisu_live-manual-fr.epub", "OEBPS/metadata.xhtml"): left_broken,
}
# kepubify reads container and package as UTF-8 too.
REFUSED_BY_KEPUBIFY = {"encoding_16-16-8.epub"}


def inked(found: Spans) -> Spans:
    return [(identifier, ink(text)) for identifier, text in found]


@pytest.mark.parametrize("book", books(), ids=lambda book: book.stem[:40])
def test_on_real_books(book: Path, tmp_path: Path) -> None:
    program = needs.kepubify()
    ours_path, theirs_path = tmp_path / "ours.kepub.epub", tmp_path / "theirs.kepub.epub"
    convert(book, ours_path, "built-in")
    if book.name in REFUSED_BY_KEPUBIFY:
        with pytest.raises(KepubifyError, match="UTF-8"):
            convert(book, theirs_path, "kepubify", program)
        return
    convert(book, theirs_path, "kepubify", program)
    ours, theirs = dict(contents(ours_path)), dict(contents(theirs_path))
    assert list(ours) == list(theirs)
    for name, data in ours.items():
        if b'id="book-columns"' not in data and b"koboSpan" not in data:
            assert b'id="book-columns"' not in theirs[name], name
            continue
        found = spans(data)
        if (book.name, name) in EXCEPTIONS:
            with zipfile.ZipFile(book) as archive:
                assert EXCEPTIONS[book.name, name](archive.read(name), found, theirs[name]), name
        else:
            assert inked(found) == inked(spans(theirs[name])), name


def converted_by_kepubify(program: Path, documents: list[bytes]) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.epub"), Path(folder, "out.kepub.epub")
        source.write_bytes(epub({f"{number}.xhtml": data for number, data in enumerate(documents)}))
        convert(source, target, "kepubify", program)
        with zipfile.ZipFile(target) as archive:
            return [archive.read(f"{number}.xhtml") for number in range(len(documents))]


DOCTYPES = st.sampled_from(
    [
        "",
        "<!DOCTYPE html>",
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">\n',
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(TIDY, DOCTYPES), min_size=1, max_size=30))
def test_on_tidy_documents(drawn: list[tuple[str, str]]) -> None:
    """Ids, texts and white space."""
    program = needs.kepubify()
    documents = [document(body, doctype=doctype) for body, doctype in drawn]
    for data, theirs in zip(documents, converted_by_kepubify(program, documents), strict=True):
        ours = kepub_document(data)
        assert ours is not None
        assert spans(ours) == spans(theirs), data.decode()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(WILD, DOCTYPES), min_size=1, max_size=40))
def test_on_wild_documents(drawn: list[tuple[str, str]]) -> None:
    """The same ids begin at the same text. HTML moves text out of tables, and drops stray table tags and joins the
    texts around them; the built-in converter keeps the book's structure, so order may differ and a span may end sooner.
    """
    program = needs.kepubify()
    documents = [document(body, doctype=doctype) for body, doctype in drawn]
    for data, theirs in zip(documents, converted_by_kepubify(program, documents), strict=True):
        ours = kepub_document(data)
        assert ours is not None
        if parses(theirs):
            mine, made = sorted(inked(spans(ours))), sorted(inked(spans(theirs)))
            assert [identifier for identifier, _ in mine] == [identifier for identifier, _ in made], data.decode()
            for (_, text), (_, longer) in zip(mine, made, strict=True):
                assert longer.startswith(text) and bool(text) == bool(longer), data.decode()
