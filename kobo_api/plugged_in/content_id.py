"""How a Kobo names documents in its own database (docs/reference/kobo-protocol.md 10.1). Pure."""

import posixpath
import re
from urllib.parse import unquote, urlsplit

_PLAIN = re.compile(r"#\(\d+\)")
_SPAN = re.compile(r"kobo\.\d{1,9}\.\d{1,9}")
ON_BOARD = "/mnt/onboard/"


def document_path(content_id: str, volume_id: str) -> str:
    """The path inside the book's archive of a `ContentID` that begins with that of its volume, as in
    `<volume>!OEBPS!ch.xhtml`, `<volume>!!OEBPS/ch.xhtml`, `<volume>#(6)OEBPS/ch.xhtml`. Empty for anything else."""
    rest = content_id.removeprefix(volume_id)
    if rest == content_id:
        # Only the document: how places are noted by some firmware.
        rest = f"!!{content_id}" if content_id and "://" not in content_id and "!" not in content_id else ""
    if plain := _PLAIN.match(rest):
        path = rest[plain.end() :]
    elif rest.startswith("!"):
        folder, _, href = rest[1:].partition("!")
        path = posixpath.join(folder, href) if href else folder
    else:
        return ""
    return path.partition("#")[0].lstrip("/")


def span_of(content_id: str) -> str:
    """The span that a place names behind its document, `kobo.18.2`; empty for none."""
    value = content_id.rpartition("#")[2] if "#" in content_id else ""
    return value if _SPAN.fullmatch(value) else ""


def file_path(volume_id: str) -> str | None:
    """Where the file of a book lies on the device's drive, relative to it; `None` where the id does not say."""
    parts = urlsplit(volume_id)
    path = unquote(parts.path) if parts.scheme == "file" and "%" in volume_id else volume_id.removeprefix("file://")
    if parts.scheme != "file" or not path.startswith(ON_BOARD):
        return None
    path = posixpath.normpath(path.removeprefix(ON_BOARD))
    return None if path.startswith(("..", "/")) or path == "." else path
