"""KOReader's tokeniser: neither an XML parser nor the HTML algorithm (docs/reference/xpointer.md 3).

`scan` cuts a source text into tokens. Whatever is well-behaved matches one regular expression; the oddities follow the
engine's states one by one.
"""

import codecs
import re
from collections.abc import Generator, Iterator
from functools import lru_cache
from html.entities import html5
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "cdata", "open", "close", "split"]


# Kind; the characters of a text or CDATA, or a name without prefix, as written; source of the attributes of an "open";
# whether it closes itself. A "split" (a comment, a tag that cannot be read) only ends the text before it. Plain tuples,
# because a document is thousands of them.
Token = tuple[Kind, str, str, bool]

_SPLIT: Token = ("split", "", "", False)

_NAME = r"(?:[A-Za-z][A-Za-z0-9_.-]*:)?([A-Za-z][A-Za-z0-9_.-]*)"
# A tag without oddities: quoted values free of ">", no tab right behind a name.
_TAG = re.compile(
    rf"<(?:/{_NAME}[ \n]*>"
    rf"|{_NAME}((?:[ \n][ \n\t]*[A-Za-z][\w.:-]*=(?:\"[^\">]*\"|'[^'>]*'))*)[ \n]?[ \n\t]*(/?)>)",
    re.ASCII,
)
_IDENTIFIER = re.compile(rf"{_NAME}(?=[ \n/>?=])", re.ASCII)
_ATTRIBUTE = re.compile(
    r"(?:[A-Za-z][\w.-]*:)?([A-Za-z][\w.-]*)(?:=(?:\"([^\">]*)\"|'([^'>]*)'|([^\s\"'>]*)))?", re.ASCII
)


def scan(source: str) -> Iterator[Token]:
    """Tokens of a whole file, line ends already made LF."""
    at = 0
    while True:
        mark = source.find("<", at)
        if mark != at:
            if mark < 0:
                if at < len(source):
                    yield ("text", source[at:], "", False)
                return
            yield ("text", source[at:mark], "", False)
        match = _TAG.match(source, mark)
        if match is not None:
            end, name, attributes, closed = match.groups()
            at = match.end()
            if name is None:
                yield ("close", end, "", False)
                continue
            yield ("open", name, attributes, closed == "/")
            if not closed and name.lower() in ("script", "style"):
                at = yield from _raw(source, at, name)
            continue
        at = yield from _odd(source, mark + 1)


def _raw(source: str, at: int, name: str) -> Generator[Token, None, int]:
    """Script and style: text up to the matching end tag."""
    match = re.compile(rf"</(?:\w+:)?{re.escape(name)}\s*>", re.IGNORECASE).search(source, at)
    end = len(source) if match is None else match.start()
    if end > at:
        yield ("text", source[at:end], "", False)
    return end


def _odd(source: str, at: int) -> Generator[Token, None, int]:
    """From just behind a `<` that does not begin a plain tag; returns where text goes on."""
    while True:
        at = _skip_space(source, at)
        if source.startswith("!", at):
            return (yield from _declaration(source, at))
        question = source.startswith("?", at)
        end_tag = source.startswith("/", at)
        at += question or end_tag
        match = _IDENTIFIER.match(source, at)
        if match is None:
            yield _SPLIT
            return _behind(source, ">", at)
        name = match.group(1)
        at = match.end()
        if end_tag:
            yield ("close", name, "", False)
            return _behind(source, ">", at)
        begin = at
        while True:
            at = _skip_space(source, at)
            if source.startswith(">", at) or source[at : at + 2] in ("/>", "?>"):
                closed = not source.startswith(">", at)
                yield ("open", ("?" if question else "") + name, _tidy(source[begin:at]), closed)
                at += 1 + closed
                if not closed and name.lower() in ("script", "style"):
                    at = yield from _raw(source, at, name)
                return at
            attribute = _IDENTIFIER.match(source, at)
            if attribute is None:
                # The engine gives up: all up to the next `<` and the character behind it is lost, and what follows
                # is read as the inside of a tag.
                yield ("open", ("?" if question else "") + name, _tidy(source[begin:at]), False)
                mark = source.find("<", at)
                if mark < 0:
                    return len(source)
                at = mark + 2
                break
            at = _skip_space(source, attribute.end())
            if source.startswith("=", at):
                at = _value_end(source, _skip_space(source, at + 1))


def _declaration(source: str, at: int) -> Generator[Token, None, int]:
    if source.startswith("!--", at):
        yield _SPLIT
        return _behind(source, "-->", at + 3)
    if source.startswith("![CDATA[", at):
        end = source.find("]]>", at)
        end = len(source) if end < 0 else end
        yield ("cdata", source[at + 8 : end], "", False)
        return min(end + 3, len(source))
    yield _SPLIT
    return _behind(source, ">", at)


def _behind(source: str, what: str, at: int) -> int:
    found = source.find(what, at)
    return len(source) if found < 0 else found + len(what)


def _skip_space(source: str, at: int) -> int:
    while at < len(source) and source[at] in " \t\n":
        at += 1
    return at


def _value_end(source: str, at: int) -> int:
    """Behind an attribute value. `>` ends it even inside quotes."""
    quote = source[at : at + 1]
    if quote in ('"', "'") and quote:
        at += 1
        while at < len(source) and source[at] not in (quote, ">"):
            at += 1
        return at + source.startswith(quote, at)
    while at < len(source) and source[at] not in " \t\n>" and source[at : at + 2] != "/>":
        at += 1
    return at


def _tidy(attributes: str) -> str:
    return re.sub(r"\s*=\s*", "=", attributes)


NO_ATTRIBUTES: MappingProxyType[str, str] = MappingProxyType({})


@lru_cache(maxsize=2048)
def attributes(source: str) -> MappingProxyType[str, str]:
    """Attributes by lower-case name without prefix (`epub:type` is `type`); the first of equal names counts."""
    result: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(source):
        result.setdefault(name.lower(), decode_references(double or single or bare))
    return MappingProxyType(result)


# -- character references

REFERENCE = re.compile(r"&(?:#([0-9]+)[; ]|#x([0-9a-fA-F]+)[; ]|([A-Za-z][A-Za-z0-9]{0,30})([; ])|#?(.?))", re.DOTALL)


def reference(match: re.Match[str]) -> str:
    """The characters of one match of `REFERENCE`."""
    decimal, hexadecimal, name, closer, _ = match.groups()
    if name is not None:
        known = html5.get(name + ";")
        return known if known is not None else f"&{name}{closer}"
    if decimal is None and hexadecimal is None:
        return ""  # a bare & swallows itself and the next character
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    if 128 <= code <= 159:
        return bytes([code]).decode("windows-1252", "ignore") or chr(code)
    return chr(code) if 0 < code < 0x110000 else ""


def decode_references(text: str) -> str:
    """Resolve character references the way the engine does."""
    return REFERENCE.sub(reference, text) if "&" in text else text


# -- bytes to text


def decode(data: bytes) -> str:
    """The characters of a file with LF as the only line end (xpointer.md 3)."""
    text = _decode(data)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def _decode(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _units(data[len(mark) :], encoding)
    head = data[:1024]
    declared = re.search(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""", head) or re.search(
        rb"""<meta[^>]*?charset\s*=\s*["']?([A-Za-z0-9._-]+)""", head, re.IGNORECASE
    )
    if head[:2] == b"<\0":
        return _units(data, "utf-16-le")
    if head[:2] == b"\0<":
        return _units(data, "utf-16-be")
    encoding = declared.group(1).decode() if declared else "utf-8"
    try:
        return data.decode(encoding, "replace")
    except (LookupError, UnicodeError):
        return data.decode("utf-8", "replace")


def _units(data: bytes, encoding: str) -> str:
    """UTF-16 is read unit by unit, so a character outside the BMP counts twice (xpointer.md 10)."""
    text = data.decode(encoding, "replace")
    if encoding == "utf-8" or text.isascii():
        return text
    return re.sub("[\U00010000-\U0010ffff]", _surrogates, text)


def _surrogates(match: re.Match[str]) -> str:
    code = ord(match.group()) - 0x10000
    return chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))
