"""A cover for a book that has none: a plain cloth binding with title and authors. The same book gets the same one."""

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageFont

# Bindings that are dark enough for white letters, in colour and on a grey screen.
CLOTH = ("#23395b", "#3f4b3b", "#5b2333", "#4a3b5c", "#2f4f4f", "#5c4033", "#37474f", "#4b3f2f")
PAPER = "#f4f1e8"

SYSTEM_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoNaskhArabic-Regular.ttf")


def drawn_cover(title: str, authors: Sequence[str], height: int) -> "Image.Image":
    """A picture of `height` pixels, two thirds as wide."""
    from PIL import Image, ImageDraw

    height = max(height, 24)
    width = height * 2 // 3
    number = int.from_bytes(hashlib.sha256("\0".join([title, *authors]).encode()).digest()[:4])
    picture = Image.new("RGB", (width, height), CLOTH[number % len(CLOTH)])
    draw = ImageDraw.Draw(picture)
    edge = max(width // 24, 1)
    draw.rectangle((edge, edge, width - 1 - edge, height - 1 - edge), outline=PAPER, width=max(width // 200, 1))
    if height < 90:
        return picture
    inner = width - 6 * edge
    y = height // 6
    for text, share, lines, gap in ((title, 11, 6, 1.3), (", ".join(authors), 18, 3, 1.3)):
        text, font = _drawable(text, max(width // share, 8))
        for words in _wrapped(text, font, inner, lines):
            draw.text((width // 2, y), words, PAPER, font, anchor="ma")
            y += int(font.size * gap)
        y += height // 12
    return picture


def _drawable(text: str, size: int) -> tuple[str, "ImageFont.FreeTypeFont"]:
    """The text and a font that has its letters. Pillow brings letters without accents along; a machine may have more.
    Without a font, accents are left out, and a text in another script is left out as a whole, rather than drawn as
    boxes."""
    from PIL import ImageFont

    built_in = ImageFont.load_default(size)
    assert isinstance(built_in, ImageFont.FreeTypeFont)
    if _has_letters(built_in, text):
        return text, built_in
    for name in SYSTEM_FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _has_letters(font, text):
            return text, font
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    plain = plain.translate({ord(c): "-" for c in "‐‑‒–—―"})
    return (plain if _has_letters(built_in, plain) else ""), built_in


def _has_letters(font: "ImageFont.FreeTypeFont", text: str) -> bool:
    """Whether the font has every letter: a missing one looks like one that no font has."""
    missing = bytes(font.getmask("\U0010fffd"))
    return all(bytes(font.getmask(c)) != missing for c in set(text) if not c.isspace())


def _wrapped(text: str, font: "ImageFont.FreeTypeFont", width: int, most: int) -> list[str]:
    """Lines no wider than `width`, at most `most` of them; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1] + " …"]
    return [_shortened(line, font, width) for line in lines]


def _shortened(line: str, font: "ImageFont.FreeTypeFont", width: int) -> str:
    if font.getlength(line) <= width:
        return line
    while len(line) > 1 and font.getlength(line + "…") > width:
        line = line[:-1]
    return line + "…"
