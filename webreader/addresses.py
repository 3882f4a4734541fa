"""References inside a book, turned into addresses that mean one thing only.

The server resolves them, because it knows the archive (percent escapes, letter case, missing files). What a page loads
becomes the address of an entry, which the browser then only swaps for a blob; a link becomes `/` and the path of a
document in the book, or stays what it is when it leads out of the book.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from appliance.epub.package import resolve

CONTENT_VERSION = 1
"""Part of every address. Raise it when the same book is served differently, because browsers keep entries for ever."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_EDGES = "".join(map(chr, range(0x21)))  # browsers ignore control characters and spaces around an address,
_INSIDE = str.maketrans("", "", "\t\n\r")  # and these anywhere in it
_DATA = re.compile(
    r"data:(image/(png|jpeg|gif|webp|avif|svg\+xml)|font/[a-z0-9]+|application/(x-)?font-[a-z0-9-]+|audio/mpeg)[;,]",
    re.IGNORECASE,
)
_OUTSIDE = ("http:", "https:", "mailto:")


def entry_address(sha256: str, path: str) -> str:
    """Where a part of a book is served: pictures, fonts, style sheets."""
    return f"/books/{sha256}/{CONTENT_VERSION}/entry/{quote(path, safe='/')}"


def document_address(sha256: str, path: str) -> str:
    """Where a content document of a book is served."""
    return f"/books/{sha256}/{CONTENT_VERSION}/document/{quote(path, safe='/')}"


def scheme(reference: str) -> str:
    """The scheme of a reference as a browser sees it, lower-case with its colon; empty for a relative one."""
    match = _SCHEME.match(_plain(reference))
    return match.group().lower() if match else ""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Resolves the references of one part of a book. `path`: that part's entry name; `find`: the entry that a resolved
    name means, as `Archive.find`."""

    sha256: str
    path: str
    find: Callable[[str], str | None]

    def resource(self, reference: str) -> str | None:
        """The address of something that a page loads; `None` when it is not in the book."""
        plain = _plain(reference)
        if _SCHEME.match(plain):
            return plain if _DATA.match(plain) else None
        entry = self._entry(plain)
        return entry_address(self.sha256, entry) if entry else None

    def link(self, reference: str) -> str | None:
        """The address of something that a person may go to; `None` when it leads nowhere or is a script."""
        plain = _plain(reference)
        if plain.startswith("#"):
            return plain
        if _SCHEME.match(plain):
            return plain if plain.lower().startswith(_OUTSIDE) else None
        entry = self._entry(plain)
        if entry is None:
            return None
        fragment = plain.partition("#")[2]
        return f"/{quote(entry, safe='/')}" + (f"#{fragment}" if fragment else "")

    def _entry(self, plain: str) -> str | None:
        # Two slashes, in either direction, begin the name of another host.
        if not plain or plain[0] == "#" or re.match(r"[\\/]{2}", plain):
            return None
        return self.find(resolve(self.path, plain))


def _plain(reference: str) -> str:
    return reference.strip(_EDGES).translate(_INSIDE)
