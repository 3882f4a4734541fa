"""References between the files of a book whose documents were divided (`cuts`)."""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import quote, unquote

from appliance.epub.package import resolve
from appliance.kepub.cuts import Anchor
from appliance.kepub.numbering import TAG

_LINK = re.compile(r"""(\s(?:xlink:)?(?:href|src)\s*=\s*)(?:"([^"]*#[^"]*)"|'([^']*#[^']*)')""")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


@dataclass(frozen=True, slots=True)
class Division:
    """What became of a document. `names`: archive entries of its parts, the first is its own. `anchors`: by id."""

    names: tuple[str, ...]
    anchors: Mapping[str, Anchor]


def redirected(
    source: str,
    base: str,
    divisions: Mapping[str, Division],
    find: Callable[[str], str | None],
    *,
    part: int = 0,
    is_table: bool = False,
) -> str:
    """The source of the file `base` (of its part number `part`) with its links led to the parts that hold their ids.

    `find`: the archive entry that a resolved name means. In a table of contents an id that nothing is seen before is
    left out: a Kobo files highlights under what stands there, and looks for them under the name of the document.
    """

    def link(match: re.Match[str]) -> str:
        href = unescape(match[2] if match[2] is not None else match[3]).strip()
        path, _, fragment = href.partition("#")
        if _ABSOLUTE.match(href) or "?" in path:
            return match[0]
        target = find(resolve(base, path))
        division = divisions.get(target) if target else None
        anchor = division.anchors.get(unquote(fragment)) if division is not None else None
        if division is None or anchor is None:
            return match[0]
        if is_table and anchor.leads:
            fragment = ""
        elif len(division.names) == 1 or (not path and anchor.part == part):
            return match[0]
        folder = path[: path.rindex("/") + 1] if "/" in path else ""
        name = quote(posixpath.basename(division.names[anchor.part]), safe="!$&()*+,;=:@~-._")
        return f'{match[1]}"{escape(folder + name + (f"#{fragment}" if fragment else ""))}"'

    def tag(match: re.Match[str]) -> str:
        text = match[0]
        return _LINK.sub(link, text) if "#" in text and text[1] not in "!?/" else text

    return TAG.sub(tag, source)
