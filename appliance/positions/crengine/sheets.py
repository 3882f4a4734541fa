"""Reading a style sheet for the few properties that decide how KOReader numbers text nodes
(docs/reference/xpointer.md 6). Parsing is tinycss2's, selector matching cssselect2's."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import tinycss2
from cssselect2 import SelectorError, compile_selector_list

from appliance.positions.crengine.defaults import DISPLAYS

MAX_SHEET = 2 * 1024 * 1024  # characters

_WHITE_SPACES = frozenset({"normal", "nowrap", "pre", "pre-wrap", "pre-line", "break-spaces"})
_RELEVANT = re.compile(r"display|float|white-space|content|@import", re.IGNORECASE)
_LATER_SIBLINGS = re.compile(
    r":(?:last-child|last-of-type|only-child|only-of-type|nth-last-child|nth-last-of-type|empty|has)\b", re.IGNORECASE
)


Scope = Literal["element", "ancestors", "beside", "around"]
Declarations = dict[str, tuple[str, bool]]  # property: value, !important


class Rule(NamedTuple):
    """One selector with what it declares. `pseudo`: "", "before" or "after". `gate`: what the element's own name and
    attributes must fulfil. `scope`: what `test` looks at: that alone, the same of its ancestors too, also of the
    element just before it, or its place among all its siblings. `needs_attributes`: other than the class.
    `looks_ahead`: it can only be decided when later siblings are known. `doubtful`: whether it holds depends on the
    reader's screen."""

    test: Callable[[Any], bool]
    specificity: tuple[int, int, int]
    pseudo: str
    declarations: Declarations
    id: str | None
    class_name: str | None
    name: str | None
    gate: Callable[[Any], bool]
    scope: Scope
    needs_attributes: bool
    looks_ahead: bool
    doubtful: bool


def text_of_sheet(data: bytes) -> str:
    """The characters of a linked sheet: byte-order mark, `@charset`, else UTF-8."""
    text, _ = tinycss2.bytes.decode_stylesheet_bytes(data)
    return str(text)


class Import(NamedTuple):
    """Another sheet, under conditions of the reader's screen or not."""

    target: str
    doubtful: bool


def read_sheet(text: str) -> Iterator[Rule | Import]:
    """Rules in order, and in place of each `@import` the sheet it names."""
    text = _reduced(text[:MAX_SHEET])
    for kind, value in _walk(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)):
        if kind == "import":
            yield value
        else:
            yield from _rules(value, kind == "doubtful")


def _reduced(text: str) -> str:
    """Leave out the blocks that cannot matter, most of any sheet: the tokeniser is written in Python."""
    text = re.sub(r"/\*.*?(?:\*/|$)", " ", text, flags=re.DOTALL)
    if any("{" in string or "}" in string for string in re.findall(r"\"[^\"\n]*\"|'[^'\n]*'", text)):
        return text  # braces that are not the sheet's own
    kept: list[str] = []
    at = 0
    for match in re.finditer(r"\{[^{}]*\}", text):
        if not _RELEVANT.search(match.group()):
            begin = max(text.rfind(mark, at, match.start()) for mark in "{};") + 1
            kept.append(text[at : max(begin, at)])
            at = match.end()
    kept.append(text[at:])
    return "".join(kept)


def _walk(rules: list[Any], kind: str = "rule") -> Iterator[tuple[str, Any]]:
    for rule in rules:
        if rule.type == "qualified-rule":
            yield kind, rule
        elif rule.type == "at-rule" and rule.lower_at_keyword == "import":
            tokens = list(rule.prelude)
            while tokens and tokens[0].type in ("whitespace", "comment"):
                tokens.pop(0)
            if not tokens:
                continue
            first = tokens.pop(0)
            target = first.value if first.type in ("string", "url") else ""
            if first.type == "function" and first.lower_name == "url":
                target = next((token.value for token in first.arguments if token.type == "string"), "")
            media = tinycss2.serialize(tokens)
            if target and applies(media):
                yield "import", Import(target, is_conditional(media))
        elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None:
            media = tinycss2.serialize(rule.prelude)
            if applies(media):
                inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
                yield from _walk(inner, "doubtful" if is_conditional(media) else kind)


def is_conditional(media: str) -> bool:
    """Whether a media list that applies hangs on the reader's screen."""
    return "(" in media


def applies(media: str) -> bool:
    """Whether a media list holds, or may hold, on a reader's screen."""
    media = media.strip().lower()
    if not media:
        return True
    for query in media.split(","):
        words = query.split()
        negated = bool(words) and words[0] == "not"
        kind = next((word for word in words if word not in ("not", "only")), "all")
        holds = kind in ("all", "screen") or kind.startswith("(")
        if holds != negated:
            return True
    return False


def _rules(rule: Any, doubtful: bool) -> Iterator[Rule]:
    declarations = _declarations(rule.content)
    if not declarations:
        return
    for prelude in _split_at_commas(_without_prefixes(rule.prelude)):
        try:
            (selector,) = compile_selector_list(prelude)
        except (SelectorError, NotImplementedError, ValueError, SyntaxError, RecursionError):
            continue
        if selector.never_matches:
            continue
        pseudo = selector.pseudo_element or ""
        if pseudo not in ("", "before", "after"):
            continue  # first-letter and first-line do not split the text
        yield Rule(
            selector.test,
            selector.specificity,
            pseudo,
            declarations,
            selector.id,
            selector.class_name,
            selector.lower_local_name,
            *_gate(prelude, selector.test),
            _LATER_SIBLINGS.search(tinycss2.serialize(prelude)) is not None,
            doubtful,
        )


_PLAIN = r"(?:\*|[\w-]+)?(?:[.#][\w-]+|\[[^\]]*\])*"
_LAST = re.compile(rf"(?s)(?:(.*[ >+~]))?({_PLAIN})(?:::?(?:before|after))?")
_COMPOUND = re.compile(_PLAIN)


def _gate(prelude: list[Any], test: Callable[[Any], bool]) -> tuple[Callable[[Any], bool], Scope, bool]:
    """What an element's own name and attributes must fulfil for a selector to match, what else it looks at, and whether
    it asks for other attributes than the class."""
    text = tinycss2.serialize(prelude).strip()
    asks = "[" in text or "#" in text
    match = _LAST.fullmatch(text)
    if match is None:
        return _always, "around", True
    rest, last = match.groups()
    if not rest:
        return test, "element", asks
    beside = rest.endswith("+")
    upwards = all(map(_COMPOUND.fullmatch, re.split(r"[\s>]+", rest[:-1].strip() if beside else rest)))
    scope: Scope = "around" if not upwards else "beside" if beside else "ancestors"
    if not last:
        return _always, scope, asks
    return compile_selector_list(last)[0].test, scope, asks


def _always(element: Any) -> bool:
    return True


def _without_prefixes(tokens: Iterable[Any]) -> list[Any]:
    """`epub|type` → `type`: the engine drops prefixes from names."""
    result: list[Any] = []
    for token in tokens:
        if token.type == "literal" and token.value == "|":
            if result and (result[-1].type == "ident" or result[-1] == "*"):
                result.pop()
            continue
        if token.type == "[] block":
            token.content = _without_prefixes(token.content)
        result.append(token)
    return result


def _split_at_commas(tokens: list[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _declarations(content: Any) -> Declarations:
    result: Declarations = {}
    for declaration in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if declaration.type != "declaration":
            continue
        name = declaration.lower_name
        values = [token for token in declaration.value if token.type not in ("whitespace", "comment")]
        if not values:
            continue
        word = values[0].lower_value if values[0].type == "ident" else ""
        if name == "content":
            word = "none" if word in ("none", "normal") else "something"
        elif name == "display":
            if word != "inherit" and word not in DISPLAYS:
                continue  # `flex`, `grid`, `contents` and nonsense behave as if not given
        elif name == "float":
            if word not in ("left", "right", "none", "inherit"):
                continue
        elif name == "white-space":
            if word != "inherit" and word not in _WHITE_SPACES:
                continue
        else:
            continue
        if name in result and result[name][1] and not declaration.important:
            continue
        result[name] = (word, declaration.important)
    return result


@lru_cache(maxsize=512)
def inline_declarations(text: str) -> Declarations:
    """What a `style` attribute declares."""
    return _declarations(text[:MAX_SHEET]) if _RELEVANT.search(text) else {}
