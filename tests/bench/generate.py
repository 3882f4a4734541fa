"""Novels that nobody wrote: EPUBs of realistic size and structure, the same for the same number.

Five shapes, after the tools that most e-books come from. The words are made up but distributed like a language's, so
that parsing, hashing and compressing cost what they cost with real books.
"""

import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

LANGUAGES = ("en", "de", "fr", "es", "it")
PARAGRAPHS = 6000
"""Distinct paragraphs of which all books are put together."""


@dataclass(frozen=True)
class Book:
    """What is known of a book before it is written."""

    number: int
    title: str
    author: str
    language: str
    series: str | None
    series_index: int
    characters: int
    shape: int

    @property
    def file_name(self) -> str:
        return f"{self.author}/{self.title}.epub"


def plan(number: int, small: bool = False) -> Book:
    """The book of a number. `small`: some pages only, for libraries where the count is what matters."""
    dice = random.Random(f"book {number}")
    words = vocabulary()
    title = " ".join(dice.choice(words[200:4000]).capitalize() for _ in range(dice.randint(2, 4)))
    author = f"{dice.choice(words[100:400]).capitalize()} {dice.choice(words[300:1500]).capitalize()}"
    in_series = dice.random() < 0.3
    # Half of all novels have 300,000 to 600,000 characters; a few are novellas, a few are very long.
    size = int(min(max(dice.lognormvariate(12.9, 0.55), 60_000), 2_500_000))
    return Book(
        number=number,
        title=f"{title} {number}",
        author=author,
        language=dice.choice(LANGUAGES),
        series=f"The {dice.choice(words[500:600]).capitalize()} Cycle" if in_series else None,
        series_index=dice.randint(1, 9),
        characters=6_000 if small else size,
        shape=number % len(SHAPES),
    )


def write_library(folder: Path, count: int, small: bool = False) -> int:
    """Write books 0 to `count` - 1 below `folder`, unless they are there; returns their size in bytes together."""
    done = folder / f".{count}-books"
    if not done.exists():
        for number in range(count):
            write(folder, plan(number, small))
        done.touch()
    return sum(path.stat().st_size for path in folder.rglob("*.epub"))


def write(folder: Path, book: Book) -> Path:
    """Write one book."""
    path = folder / book.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry("mimetype"), "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in _files(book):
            archive.writestr(
                _entry(name), content, zipfile.ZIP_STORED if name.endswith(".jpg") else zipfile.ZIP_DEFLATED
            )
    return path


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))


def _files(book: Book) -> Iterator[tuple[str, str | bytes]]:
    dice = random.Random(f"text {book.number}")
    shape = SHAPES[book.shape]
    chapters = [shape.chapter(book, index, body) for index, body in enumerate(_chapters(book, dice))]
    names = [shape.name.format(index) for index in range(len(chapters))]
    yield "META-INF/container.xml", _container(shape.folder + "content.opf")
    yield shape.folder + "content.opf", _package(book, shape, names)
    yield shape.folder + "toc.ncx", _ncx(book, names)
    if shape.version == 3:
        yield shape.folder + "nav.xhtml", _nav(book, names)
    yield shape.folder + "style.css", _STYLE
    yield shape.folder + "cover.jpg", _cover(book, small=book.characters < 20_000)
    for name, chapter in zip(names, chapters, strict=True):
        yield shape.folder + name, chapter


def _chapters(book: Book, dice: random.Random) -> Iterator[list[str]]:
    """The paragraphs of each chapter."""
    pool = paragraphs()
    left = book.characters
    while left > 0:
        size = min(left, dice.randint(8_000, 28_000))
        left -= size
        body = [f"This is part of book {book.number}, {book.title}."]
        while size > 0:
            body.append(pool[dice.randrange(len(pool))])
            size -= len(body[-1])
        yield body


@cache
def vocabulary() -> tuple[str, ...]:
    """8,000 pronounceable words, frequent ones first and shorter."""
    dice = random.Random("vocabulary")
    onsets = ("", "b", "br", "c", "ch", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "st", "t", "th", "v", "w")
    vowels = ("a", "e", "i", "o", "u", "ea", "ou", "ä", "é", "ö")
    codas = ("", "", "n", "r", "s", "t", "l", "nd", "ck", "ß")
    words: dict[str, None] = {}
    while len(words) < 8_000:
        syllables = 1 + (len(words) > 60) + (dice.random() < 0.4)
        word = "".join(dice.choice(onsets) + dice.choice(vowels) + dice.choice(codas) for _ in range(syllables))
        words.setdefault(word)
    return tuple(words)


@cache
def paragraphs() -> tuple[str, ...]:
    """Paragraphs of 1 to 8 sentences, with the quotation marks, dashes and abbreviations that splitters meet."""
    dice = random.Random("paragraphs")
    words = vocabulary()
    # Zipf's law: the n-th word of a language comes about 1/n times as often as the first.
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    stock = iter(dice.choices(words, weights, k=700_000))

    def sentence() -> str:
        count = dice.randint(4, 24)
        said = [next(stock) for _ in range(count)]
        said[0] = said[0].capitalize()
        if count > 12:
            said[dice.randint(3, 9)] += dice.choice((",", ";", " —", ", Mr. Pell,"))
        text = " ".join(said) + dice.choices((".", "?", "!", "…"), (12, 2, 1, 1))[0]
        return f"“{text}”" if dice.random() < 0.25 else text

    return tuple(" ".join(sentence() for _ in range(dice.randint(1, 8))) for _ in range(PARAGRAPHS))


@dataclass(frozen=True)
class Shape:
    """How a tool builds a book."""

    tool: str
    version: int
    folder: str
    name: str
    chapter: Callable[[Book, int, list[str]], str]


def _page(book: Book, index: int, body: str, extra: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"'
        f' xmlns:epub="http://www.idpf.org/2007/ops" xml:lang="{book.language}" lang="{book.language}">\n<head>\n'
        f'<title>{index + 1}</title>\n<link href="{extra}style.css" rel="stylesheet" type="text/css"/>\n</head>\n'
        f"{body}\n</html>\n"
    )


def _semantic(book: Book, index: int, body: list[str]) -> str:
    """One file a chapter, sections and little else, as Standard Ebooks does it."""
    lines = "\n".join(f"\t\t\t<p>{_emphasised(text)}</p>" for text in body)
    return _page(
        book,
        index,
        f'<body epub:type="bodymatter z3998:fiction">\n\t\t<section id="chapter-{index + 1}" epub:type="chapter">\n'
        f'\t\t\t<h2 epub:type="ordinal z3998:roman">{index + 1}</h2>\n{lines}\n\t\t</section>\n</body>',
    )


def _calibre(book: Book, index: int, body: list[str]) -> str:
    """Classes on everything and no structure, as a conversion by calibre leaves it."""
    lines = "\n".join(
        f'<p class="calibre{1 + number % 3}">{_emphasised(text, "span", "italic")}</p>'
        for number, text in enumerate(body)
    )
    return _page(
        book,
        index,
        f'<body class="calibre">\n<div class="calibre1" id="filepos{index}">\n<h2 class="calibre4" id="c{index}">'
        f'<span class="bold">Chapter {index + 1}</span></h2>\n{lines}\n<div class="mbp_pagebreak"></div></div>\n'
        "</body>",
    )


def _word_processor(book: Book, index: int, body: list[str]) -> str:
    """A span around every run of text, as word processors export it."""
    lines = "\n".join(
        f'<p class="P{1 + number % 9}"><span class="T1">{escape(text[: len(text) // 2])}</span>'
        f'<span class="T2">{escape(text[len(text) // 2 :])}</span></p>'
        for number, text in enumerate(body)
    )
    return _page(book, index, f'<body>\n<h1 class="P1"><a id="a{index}"></a>Chapter {index + 1}</h1>\n{lines}\n</body>')


def _desktop_publishing(book: Book, index: int, body: list[str]) -> str:
    """Nested boxes and override classes, as layout programs export it."""
    lines = "\n".join(
        f'<p class="Body-Text ParaOverride-{number % 5}"><span class="CharOverride-1" id="_id{number}">'
        f"{_emphasised(text, 'em')}</span></p>"
        for number, text in enumerate(body)
    )
    return _page(
        book,
        index,
        f'<body id="chapter-{index}" lang="{book.language}">\n<div class="_idGenObjectLayout-1"><div'
        f' class="Basic-Text-Frame" id="_idContainer{index:03}">\n<p class="Head">Chapter {index + 1}</p>\n{lines}\n'
        "</div></div>\n</body>",
    )


def _pandoc(book: Book, index: int, body: list[str]) -> str:
    """Sections with notes at their end, as pandoc writes them."""
    lines = "\n".join(
        f'<p>{_emphasised(text)}<a href="#fn{number}" class="footnote-ref" id="fnref{number}"><sup>{number}</sup></a>'
        "</p>"
        if number % 15 == 7
        else f"<p>{_emphasised(text)}</p>"
        for number, text in enumerate(body)
    )
    notes = "\n".join(
        f'<li id="fn{number}"><p>{escape(body[number][:120])}<a href="#fnref{number}">↩</a></p></li>'
        for number in range(7, len(body), 15)
    )
    return _page(
        book,
        index,
        f'<body>\n<section id="section-{index}" class="level1">\n<h1>{index + 1}</h1>\n{lines}\n'
        f'<section class="footnotes" epub:type="footnotes">\n<ol>\n{notes}\n</ol>\n</section>\n</section>\n</body>',
    )


SHAPES = (
    Shape("semantic", 3, "epub/", "text-chapter-{}.xhtml", _semantic),
    Shape("calibre", 2, "", "index_split_{:03}.html", _calibre),
    Shape("word processor", 2, "OEBPS/", "Section{:04}.xhtml", _word_processor),
    Shape("desktop publishing", 3, "OEBPS/", "Book-{}.xhtml", _desktop_publishing),
    Shape("pandoc", 3, "EPUB/", "ch{:03}.xhtml", _pandoc),
)


def _emphasised(text: str, tag: str = "i", css: str = "") -> str:
    """Some words of every fourth paragraph or so in italics."""
    if len(text) % 4 or len(text) < 80:
        return escape(text)
    begin = text.index(" ", 20) + 1
    end = text.index(" ", begin + 8) if " " in text[begin + 8 :] else len(text)
    opening = f'<{tag} class="{css}">' if css else f"<{tag}>"
    return f"{escape(text[:begin])}{opening}{escape(text[begin:end])}</{tag}>{escape(text[end:])}"


_STYLE = "body{margin:5%}p{margin:0;text-indent:1.2em}h1,h2{text-align:center;page-break-before:always}\n" + "".join(
    f".calibre{number}{{display:block;margin:0 0 {number / 10}em}}\n" for number in range(40)
)


def _container(package: str) -> str:
    return (
        '<?xml version="1.0"?>\n<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        f'<rootfiles><rootfile full-path="{package}" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>"
    )


def _package(book: Book, shape: Shape, names: list[str]) -> str:
    items = "\n".join(
        f'<item id="c{index}" href="{name}" media-type="application/xhtml+xml"/>' for index, name in enumerate(names)
    )
    spine = "\n".join(f'<itemref idref="c{index}"/>' for index in range(len(names)))
    modern = shape.version == 3
    series = ""
    if book.series and modern:
        series = (
            f'<meta property="belongs-to-collection" id="s">{book.series}</meta><meta refines="#s"'
            ' property="collection-type">series</meta><meta refines="#s" property="group-position">'
            f"{book.series_index}</meta>"
        )
    elif book.series:
        series = (
            f'<meta name="calibre:series" content="{book.series}"/>'
            f'<meta name="calibre:series_index" content="{book.series_index}"/>'
        )
    nav = '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>' if modern else ""
    cover = ' properties="cover-image"' if modern else ""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf"'
        f' version="{shape.version}.0" unique-identifier="id">\n<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:opf="http://www.idpf.org/2007/opf">\n'
        f'<dc:identifier id="id">urn:uuid:00000000-0000-4000-8000-{book.number:012}</dc:identifier>\n'
        f"<dc:title>{escape(book.title)}</dc:title>\n<dc:creator>{escape(book.author)}</dc:creator>\n"
        f"<dc:language>{book.language}</dc:language>\n<dc:publisher>Bench Press</dc:publisher>\n"
        f"<dc:date>2020-01-01</dc:date>\n<dc:subject>Fiction</dc:subject>\n"
        f"<dc:description>{escape(paragraphs()[book.number % PARAGRAPHS])}</dc:description>\n{series}\n"
        + (
            '<meta property="dcterms:modified">2020-01-01T00:00:00Z</meta>'
            if modern
            else '<meta name="cover" content="cover"/>'
        )
        + f'\n</metadata>\n<manifest>\n{nav}\n<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>\n'
        f'<item id="css" href="style.css" media-type="text/css"/>\n<item id="cover" href="cover.jpg"'
        f' media-type="image/jpeg"{cover}/>\n{items}\n</manifest>\n<spine toc="ncx">\n{spine}\n</spine>\n</package>\n'
    )


def _ncx(book: Book, names: list[str]) -> str:
    points = "\n".join(
        f'<navPoint id="n{index}" playOrder="{index + 1}"><navLabel><text>Chapter {index + 1}</text></navLabel>'
        f'<content src="{name}"/></navPoint>'
        for index, name in enumerate(names)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"'
        f' version="2005-1"><head/>'
        f"<docTitle><text>{escape(book.title)}</text></docTitle><navMap>\n{points}\n</navMap></ncx>\n"
    )


def _nav(book: Book, names: list[str]) -> str:
    items = "\n".join(f'<li><a href="{name}">Chapter {index + 1}</a></li>' for index, name in enumerate(names))
    return _page(book, -1, f'<body>\n<nav epub:type="toc"><ol>\n{items}\n</ol></nav>\n</body>')


def _cover(book: Book, small: bool) -> bytes:
    """A picture of its own for each book: one of some drawings, with the number in a JPEG comment."""
    picture = _drawing(book.number % 12, small)
    comment = str(book.number).encode()
    return picture[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + picture[2:]


@cache
def _drawing(number: int, small: bool) -> bytes:
    from PIL import Image

    dice = random.Random(f"cover {number}")
    size = (120, 180) if small else (800, 1200)
    coarse = Image.frombytes("RGB", (20, 30), dice.randbytes(1800))
    target = BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).save(target, "JPEG", quality=85)
    return target.getvalue()
