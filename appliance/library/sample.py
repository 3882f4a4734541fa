"""The sample book: the first chapters of a novel in the public domain, so that the appliance can be tried in a minute.

It is made here, by ebooklib, and is the same to the byte each time the same versions of the libraries make it.
"""

import os
import re
import tempfile
import zipfile
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from pathlib import Path

from sqlmodel import Session, col, select

from appliance.house import House
from appliance.library.folders import sample_folder
from appliance.models import LibraryFile

TITLE = "Alice’s Adventures in Wonderland: The First Five Chapters"
AUTHOR = "Lewis Carroll"
IDENTIFIER = "urn:uuid:5f1b6c52-6d0e-4d0b-9c1a-a11ce0000001"
FILE_NAME = "Lewis Carroll - Alice's Adventures in Wonderland (sample).epub"
MADE = datetime(2026, 1, 1, tzinfo=UTC)

_STYLE = """
body { margin: 1em 6%; line-height: 1.4; }
h1 { font-size: 1.3em; text-align: center; margin: 2em 0 1.5em; }
p { margin: 0; text-indent: 1.2em; }
h1 + p, blockquote + p { text-indent: 0; }
blockquote { margin: 1em 2em; font-style: italic; }
blockquote p { text-indent: 0; }
"""


def is_offered(session: Session) -> bool:
    """Whether to offer the sample: there is no readable book in any book folder."""
    present = select(LibraryFile.id).where(col(LibraryFile.problem).is_(None), col(LibraryFile.missing_since).is_(None))
    return session.exec(present.limit(1)).first() is None


def add_sample(house: House) -> Path:
    """Put the sample book where the next scan finds it. Raises `OSError`."""
    folder = sample_folder(house.settings)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    descriptor, temporary = tempfile.mkstemp(prefix=".making-", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(sample_epub())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def sample_epub() -> bytes:
    """The sample book as EPUB 3, with a cover, a navigation document and an NCX."""
    from ebooklib import epub

    book = epub.EpubBook()
    book.set_identifier(IDENTIFIER)
    book.set_title(TITLE)
    book.set_language("en-GB")
    book.add_author(AUTHOR, file_as="Carroll, Lewis", uid="author")
    book.add_metadata("DC", "publisher", "Bookwake")
    book.add_metadata("DC", "date", "1865")
    book.add_metadata("DC", "subject", "Fantasy fiction")
    book.add_metadata("DC", "rights", "Public domain; the transcription by Standard Ebooks is CC0 1.0.")
    book.add_metadata(
        "DC",
        "description",
        "Alice follows a White Rabbit down a hole. A sample to try Bookwake with: open it on one device, read a few"
        " pages, and go on reading on another.",
    )
    book.set_cover("cover.jpg", _cover())
    style = epub.EpubItem("style", "style.css", "text/css", _STYLE.encode())
    book.add_item(style)
    chapters = []
    for number, (heading, body) in enumerate(_chapters(), start=1):
        chapter = epub.EpubHtml(f"chapter-{number}", f"chapter-{number}.xhtml", title=heading, lang="en-GB")
        chapter.content = f"<h1>{escape(heading)}</h1>\n{body}"
        chapter.add_item(style)
        book.add_item(chapter)
        chapters.append(chapter)
    book.toc = chapters
    book.add_item(epub.EpubNcx())
    book.add_item(epub.EpubNav())
    book.spine = ["cover", *chapters]
    made = BytesIO()
    epub.write_epub(made, book, {"mtime": MADE})
    return _with_fixed_times(made)


def _chapters() -> list[tuple[str, str]]:
    """Headings, and bodies as XHTML."""
    text = Path(__file__).with_name("alice.txt").read_text(encoding="utf-8")
    chapters = []
    for part in text.split("\n# ")[1:]:
        heading, _, rest = part.partition("\n")
        blocks = [block.strip() for block in rest.split("\n\n")]
        chapters.append((heading.strip(), "\n".join(_block(block) for block in blocks if block)))
    return chapters


def _block(block: str) -> str:
    if block.startswith("| "):
        lines = "<br/>\n".join(_marked(line.removeprefix("| ")) for line in block.splitlines())
        return f"<blockquote><p>{lines}</p></blockquote>"
    return f"<p>{_marked(block)}</p>"


def _marked(text: str) -> str:
    return re.sub(r"_([^_]+)_", r"<em>\1</em>", escape(text, quote=False))


def _cover() -> bytes:
    """The way down the rabbit-hole, seen from above, under the title."""
    from PIL import ImageDraw

    from appliance.library.drawn_cover import drawn_cover

    picture = drawn_cover(TITLE.partition(":")[0], [AUTHOR], 1200)
    draw = ImageDraw.Draw(picture)
    for ring in range(12):
        x, y = 400 + 6 * ring, 940 + 7 * ring
        width, height = 250 - 19 * ring, 150 - 12 * ring
        shade = tuple(max(channel - 14 * ring, 0) for channel in (150, 140, 120))
        draw.ellipse((x - width, y - height, x + width, y + height), fill=shade)
    result = BytesIO()
    picture.save(result, "JPEG", quality=85, optimize=True)
    return result.getvalue()


def _with_fixed_times(made: BytesIO) -> bytes:
    """The same archive with a fixed time on each entry; ebooklib writes the present one."""
    result = BytesIO()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(result, "w") as target:
        for entry in source.infolist():
            fixed = zipfile.ZipInfo(entry.filename, MADE.timetuple()[:6])
            fixed.compress_type = entry.compress_type
            fixed.external_attr = 0o644 << 16
            target.writestr(fixed, source.read(entry))
    return result.getvalue()
