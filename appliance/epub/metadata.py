"""What a package document says about the book: title, authors, series and so on, in EPUB 2 and EPUB 3 spelling.

Whatever a maker wrote, the result is bounded plain text with white space folded (EPUB 3.3, 5.4: leading, trailing and
repeated white space does not count).
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from appliance.epub.markup import local_name
from appliance.epub.package import Package

DC = ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/elements/1.0/")

MAX_LINE = 500  # characters of a title, name, identifier
MAX_DESCRIPTION = 20_000  # characters
MAX_VALUES = 100  # authors, identifiers, subjects


@dataclass(frozen=True, slots=True)
class Author:
    """`file_as`: how the name is to be sorted, `None` when the book does not say."""

    name: str
    file_as: str | None


@dataclass(frozen=True, slots=True)
class Metadata:
    """Absent values are empty or `None`. `identifiers`: "scheme:value", the scheme in lower case. `published`: as much
    of YYYY-MM-DD as is known. `description`: plain text, a blank line between paragraphs."""

    title: str
    title_file_as: str | None
    authors: tuple[Author, ...]
    language: str
    identifiers: tuple[str, ...]
    unique_identifier: str | None
    series: str | None
    series_index: float | None
    description: str
    subjects: tuple[str, ...]
    publisher: str
    published: str


def read_metadata(package: Package) -> Metadata:
    """Never raises for odd metadata: what cannot be understood is left out."""
    source = _Source(package)
    title = _title(source)
    series, series_index = _series(source)
    return Metadata(
        title=line(_text(title)) if title is not None else "",
        title_file_as=_file_as(source, title) or source.named.get("calibre:title_sort"),
        authors=_authors(source),
        language=_language(source),
        identifiers=_unique(_identifier(source, element) for element in source.dc("identifier")),
        unique_identifier=_unique_identifier(source),
        series=series,
        series_index=series_index,
        description=next((text for element in source.dc("description") if (text := plain_text(_text(element)))), ""),
        subjects=_unique(line(_text(element)) for element in source.dc("subject")),
        publisher=next((text for element in source.dc("publisher") if (text := line(_text(element)))), ""),
        published=_published(source),
    )


def line(text: str, limit: int = MAX_LINE) -> str:
    """Text on one line: white space folded, control characters gone, at most `limit` characters."""
    if not text.isprintable():
        text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
    kept = " ".join(text.split())
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def plain_text(markup: str) -> str:
    """A description without its markup. calibre and others escape HTML into it, some of them twice."""
    text = markup[: MAX_DESCRIPTION * 4]
    for _ in range(2):
        if not re.search(r"</?[a-zA-Z][^<>]*>|&#?\w+;", text):
            break
        text = _Stripper.strip(text)
    paragraphs = [line(part, MAX_DESCRIPTION) for part in re.split(r"\n\s*\n", text)]
    return "\n\n".join(part for part in paragraphs if part)[:MAX_DESCRIPTION]


class _Stripper(HTMLParser):
    """Keeps the text, with a blank line where a block begins or ends; scripts and styles are not text."""

    _BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "tr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = ""

    @classmethod
    def strip(cls, markup: str) -> str:
        stripper = cls()
        stripper.feed(markup)
        stripper.close()
        return "".join(stripper._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._silent = tag
        if tag in self._BLOCKS:
            self._pieces.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        if tag in self._BLOCKS:
            self._pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(data)


class _Source:
    """The metadata element, sorted for reading: Dublin Core elements, EPUB 3 properties, EPUB 2 named metas."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._dc: dict[str, list[Any]] = {}
        self._refinements: dict[str, list[tuple[str, str, str]]] = {}
        self.properties: list[tuple[str, Any]] = []
        self.named: dict[str, str] = {}
        metadata = next((child for child in package.root if local_name(child) == "metadata"), None)
        for element in metadata.iterdescendants() if metadata is not None else ():
            if not isinstance(element.tag, str):
                continue
            namespace, _, name = element.tag.rpartition("}")
            if namespace[1:] in DC or name.lower().startswith("dc:"):
                self._dc.setdefault(name.rpartition(":")[2].lower(), []).append(element)
            elif name.rpartition(":")[2] == "meta":
                self._meta(element)

    def _meta(self, element: Any) -> None:
        # "property" is EPUB 3; "name" is EPUB 2, and still written by calibre and many others.
        if name := element.get("name"):
            self.named.setdefault(name.strip(), line(element.get("content") or ""))
        elif name := element.get("property"):
            if refined := element.get("refines"):
                # Some makers leave out the "#".
                refinement = (name.strip(), line(_text(element)), element.get("scheme") or "")
                self._refinements.setdefault(refined.strip().removeprefix("#"), []).append(refinement)
            else:
                self.properties.append((name.strip(), element))

    def dc(self, name: str) -> list[Any]:
        return self._dc.get(name, [])[:MAX_VALUES]

    def refined(self, element: Any, name: str) -> str | None:
        """The value of an EPUB 3 refinement of `element`."""
        identifier = element.get("id")
        values = self._refinements.get(identifier, []) if identifier else []
        return next((value for key, value, _ in values if key == name and value), None)


def _text(element: Any) -> str:
    return "".join(element.itertext("*")) if element is not None else ""


def _attribute(element: Any, name: str) -> str | None:
    """An EPUB 2 attribute such as opf:role, whatever prefix its maker declared for it, or none."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2].rpartition(":")[2] == name:
            return line(value) or None
    return None


def _unique(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(value for value in dict.fromkeys(values) if value)


def _file_as(source: _Source, element: Any) -> str | None:
    if element is None:
        return None
    value = source.refined(element, "file-as") or _attribute(element, "file-as")
    return None if value == "Unknown" else value  # calibre's way to say nothing


def _title(source: _Source) -> Any:
    """The element that is called the main title, else the first (EPUB 3.3, 5.5.3.1.1)."""
    titles = [element for element in source.dc("title") if line(_text(element))]
    main = [element for element in titles if source.refined(element, "title-type") == "main"]
    return next(iter(main or titles), None)


def _authors(source: _Source) -> tuple[Author, ...]:
    """Creators who are authors by their role or have none; all creators when there is no such."""
    creators = []
    for order, element in enumerate(source.dc("creator")):
        name = line(_text(element))
        role = (source.refined(element, "role") or _attribute(element, "role") or "aut").lower()
        sequence = _number(source.refined(element, "display-seq"))
        place = (sequence if sequence is not None else math.inf, order)
        if name:
            creators.append((place, role, Author(name, _file_as(source, element))))
    chosen = [creator for creator in creators if creator[1] == "aut"] or creators
    by_name: dict[str, Author] = {}
    for _, _, author in sorted(chosen, key=lambda creator: creator[0]):
        by_name.setdefault(author.name.casefold(), author)
    return tuple(by_name.values())


def _language(source: _Source) -> str:
    for element in source.dc("language"):
        tag = line(_text(element)).replace("_", "-")
        if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", tag) and tag.lower() != "und":
            return tag
    return ""


def _unique_identifier(source: _Source) -> str | None:
    wanted = source.package.root.get("unique-identifier")
    elements = source.dc("identifier")
    named = [element for element in elements if wanted and element.get("id") == wanted]
    return next((text for element in named + elements if (text := line(_text(element)))), None)


_ONIX_SCHEMES = {"02": "isbn", "06": "doi", "15": "isbn"}  # ONIX code list 5


def _identifier(source: _Source, element: Any) -> str:
    """ "scheme:value"; the scheme from the markup, a prefix, or the looks of the value."""
    value = line(_text(element))
    if not value:
        return ""
    scheme = (
        _attribute(element, "scheme") or _ONIX_SCHEMES.get(source.refined(element, "identifier-type") or "", "")
    ).lower()
    if match := re.match(
        r"(?:urn:)?(isbn|uuid|doi|issn|asin|amazon|google|goodreads|calibre)[:\s]\s*(?=\S)", value, re.I
    ):
        scheme, value = match.group(1).lower(), value[match.end() :]
    if not scheme:
        if value.lower().startswith(("http://", "https://")):
            scheme = "uri"
        elif re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
            scheme = "uuid"
        elif is_isbn(value):
            scheme = "isbn"
        elif value.startswith("10.") and "/" in value:
            scheme = "doi"
    if scheme == "isbn":
        value = re.sub(r"[\s-]", "", value).upper()
    return f"{re.sub(r'[^a-z0-9._-]', '-', scheme) or 'id'}:{value}"


def is_isbn(text: str) -> bool:
    """Whether this is an ISBN-10 or ISBN-13 with a right check digit."""
    digits = re.sub(r"[\s-]", "", text).upper()
    if re.fullmatch(r"97[89][0-9]{10}", digits):
        return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0
    if re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        values = [10 if digit == "X" else int(digit) for digit in digits]
        return sum(value * (10 - place) for place, value in enumerate(values)) % 11 == 0
    return False


def _series(source: _Source) -> tuple[str | None, float | None]:
    """A collection that calls itself a series, else calibre's series, else a collection of no type with a number.

    Sets are not series: Standard Ebooks writes lists such as “The Guardian’s 100 Best Novels” as numbered sets.
    """
    fallback: tuple[str, float] | None = None
    for name, element in source.properties:
        if name != "belongs-to-collection" or not (title := line(_text(element))):
            continue
        index = _number(source.refined(element, "group-position"))
        kind = source.refined(element, "collection-type")
        if kind == "series":
            return title, index
        if kind is None and fallback is None and index is not None:
            fallback = title, index
    # calibre writes the name as "name" into EPUB 2 and as "property" into EPUB 3.
    calibre = {name: line(_text(element)) for name, element in source.properties} | source.named
    if title := calibre.get("calibre:series", ""):
        return title, _number(calibre.get("calibre:series_index"))
    return fallback or (None, None)


def _number(text: str | None) -> float | None:
    """A number such as 3, 1.5 or the 2.1 of "2.1.4"."""
    match = re.match(r"\s*([0-9]{1,6}(?:[.,][0-9]{1,4})?)", text or "", re.ASCII)
    return float(match.group(1).replace(",", ".")) if match else None


def _published(source: _Source) -> str:
    dates = [(_attribute(element, "event") or "", line(_text(element))) for element in source.dc("date")]
    for events in (("publication", "original-publication"), ("", "creation", "issued")):
        for event, date in dates:
            match = re.match(r"([0-9]{4})(-[01][0-9](-[0-3][0-9])?)?", date)
            # calibre writes the year 101 for "unknown".
            if event.lower() in events and match and int(match.group(1)) >= 1000:
                return match.group(0)
    return ""
