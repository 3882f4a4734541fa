"""A package document that lies below what it names, moved up so that no reference climbs (`../text/ch1.xhtml`).

A Kobo makes the name of a document out of the package's folder and the reference, and draws a highlight only where two
such names are equal byte by byte; climbing references break that (docs/reference/kobo-protocol.md 10.1). Only the
package document moves: all other entries, and with them every place in the book, keep their names.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from appliance.epub.archive import Archive
from appliance.epub.package import Package, resolve

_TAG = re.compile(r"<(?:[\w.-]+:)?(?:item|reference|link)\b[^<>]*>", re.DOTALL)
_HREF = re.compile(r"""(\bhref\s*=\s*)(["'])(.*?)\2""", re.DOTALL)
_ROOT_FILE = re.compile(r"""(<(?:[\w.-]+:)?rootfile\b[^<>]*?\bfull-path\s*=\s*)(["'])(.*?)\2""", re.DOTALL)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Move:
    """The package document goes from entry `old` to entry `new`."""

    old: str
    new: str

    def in_package(self, data: bytes) -> bytes:
        """The package document, read from its new place."""
        return _substituted(data, lambda text: _TAG.sub(lambda tag: _HREF.sub(self._reference, tag[0]), text))

    def in_container(self, data: bytes) -> bytes:
        """The container, naming the new place."""
        return _substituted(data, lambda text: _ROOT_FILE.sub(self._root_file, text))

    def _reference(self, match: re.Match[str]) -> str:
        href = match[3].strip()
        path, mark, rest = re.split(r"([?#])", href, maxsplit=1) if re.search(r"[?#]", href) else (href, "", "")
        if not path or path.startswith("/") or _ABSOLUTE.match(path):
            return match[0]
        entry = resolve(self.old, path.replace("&amp;", "&"))
        folder = posixpath.dirname(self.new)
        if folder and not entry.startswith(folder + "/"):
            return match[0]
        moved = quote(entry.removeprefix(folder + "/" if folder else ""), safe="/!$&()*+,;=:@~-._")
        return f"{match[1]}{match[2]}{moved.replace('&', '&amp;')}{mark}{rest}{match[2]}"

    def _root_file(self, match: re.Match[str]) -> str:
        if resolve("", match[3]) != self.old and unquote(match[3]) != self.old:
            return match[0]
        return f"{match[1]}{match[2]}{self.new.replace('&', '&amp;')}{match[2]}"


def move_up(archive: Archive, package: Package) -> Move | None:
    """Where the package document has to lie for nothing that it names to climb; `None` where nothing does."""
    if not any(".." in unquote(item.href).split("/") for item in package.items.values()):
        return None
    folders = [posixpath.dirname(path).split("/") for path in (package.path, *_named(package))]
    common = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1 or not parts[0]:
            break
        common.append(parts[0])
    new = "/".join([*common, posixpath.basename(package.path)])
    number = 1
    while new != package.path and new in archive:
        new, number = "/".join([*common, f"package-{number}.opf"]), number + 1
    return Move(package.path, new)


def _named(package: Package) -> list[str]:
    return [item.path for item in package.items.values() if not _ABSOLUTE.match(item.href)]


def _substituted(data: bytes, change: Callable[[str], str]) -> bytes:
    """Changed as text, in the encoding that it is in; left alone where that is not known."""
    declared = re.match(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""", data)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else declared[1].decode() if declared else "utf-8"
    try:
        return change(data.decode(encoding)).encode(encoding)
    except (LookupError, UnicodeError):
        return data
