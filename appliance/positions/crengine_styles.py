"""The few style properties that decide how KOReader numbers text nodes (docs/reference/xpointer.md 6).

Only `display`, `float`, `white-space`, and whether `::before`/`::after` have content matter. Parsing is tinycss2's,
selector matching cssselect2's; this file is the cascade between them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import tinycss2
from cssselect2 import SelectorError, compile_selector_list

from appliance.epub.package import resolve
from appliance.positions.crengine_defaults import DISPLAY, DISPLAYS, FLOATABLE, TABLE_PARTS, WHITE_SPACE

MAX_SHEET = 2 * 1024 * 1024  # characters
MAX_IMPORTS = 16
MAX_CHOICES = 4096

_WHITE_SPACES = frozenset({"normal", "nowrap", "pre", "pre-wrap", "pre-line", "break-spaces"})
_RELEVANT = re.compile(r"display|float|white-space|content", re.IGNORECASE)
_LATER_SIBLINGS = re.compile(
    r":(?:last-child|last-of-type|only-child|only-of-type|nth-last-child|nth-last-of-type|empty|has)\b", re.IGNORECASE
)


class Style(NamedTuple):
    """`display`: one of `crengine_defaults.DISPLAYS`. `floats`: left or right. `before`, `after`: display of the
    pseudo-element, "" if there is none."""

    display: str
    floats: bool
    white_space: str
    before: str = ""
    after: str = ""


Declarations = dict[str, tuple[str, bool]]  # property: value, !important


class Rule(NamedTuple):
    """One selector with what it declares. `pseudo`: "", "before" or "after". `gate`: what the element's own name and
    attributes must fulfil; where that is all, `local`, it is the same as `test`."""

    test: Callable[[Any], bool]
    specificity: tuple[int, int, int]
    pseudo: str
    declarations: Declarations
    id: str | None
    class_name: str | None
    name: str | None
    gate: Callable[[Any], bool]
    local: bool
    needs_attributes: bool


class Sheet(NamedTuple):
    """Rules in order; `looks_ahead`: some selector can only be decided when later siblings are known."""

    rules: tuple[Rule, ...]
    looks_ahead: bool


Winners = dict[tuple[str, str], str]  # (pseudo-element, property): value


class _Choice(NamedTuple):
    """The rules that may match elements of one name, class, id and inline style; `winners`: what they come to, where
    that is the same for all of them; `made`: styles made from that by default and parent style."""

    candidates: list[tuple[int, Rule]]
    winners: Winners | None
    made: dict[tuple[Style, Style], Style]


class Styles:
    """The cascade of one document: its sheets in order."""

    def __init__(self, sheets: Iterable[Sheet]) -> None:
        sheets = list(sheets)
        self.looks_ahead = any(sheet.looks_ahead for sheet in sheets)
        self._choices: dict[tuple[object, ...] | str, _Choice] = {}
        # Where only classes are asked for, elements that differ in anything else share a choice.
        self._whole_key = any(rule.needs_attributes for sheet in sheets for rule in sheet.rules)
        self._by_id: dict[str, list[tuple[int, Rule]]] = {}
        self._by_class: dict[str, list[tuple[int, Rule]]] = {}
        self._by_name: dict[str, list[tuple[int, Rule]]] = {}
        self._everywhere: list[tuple[int, Rule]] = []
        for entry in enumerate(rule for sheet in sheets for rule in sheet.rules):
            rule = entry[1]
            if rule.id is not None:
                self._by_id.setdefault(rule.id, []).append(entry)
            elif rule.class_name is not None:
                self._by_class.setdefault(rule.class_name, []).append(entry)
            elif rule.name is not None:
                self._by_name.setdefault(rule.name, []).append(entry)
            else:
                self._everywhere.append(entry)

    def of(self, element: Any, parent: Style) -> Style:
        """The style of an element (an object as cssselect2 expects it) below one with the style `parent`."""
        name, attributes = element.name, element.attributes
        key: tuple[object, ...] | str = name
        if attributes:
            if self._whole_key:
                key = (name, *attributes.items())
            else:
                key = (name, attributes.get("class", ""), attributes.get("style", ""))
        choice = self._choices.get(key)
        if choice is None:
            if len(self._choices) >= MAX_CHOICES:
                self._choices.clear()
            choice = self._choices[key] = self._choose(element)
        default = _default(name, parent.white_space)
        if attributes and (name in _SPECIAL or not _SPECIAL_ATTRIBUTES.isdisjoint(attributes)):
            default = _default_with_attributes(element, default)
        winners = choice.winners
        if winners is None:
            return _cascade(default, parent, _winners(element, choice.candidates, attributes.get("style", "")))
        if not winners:
            return default
        style = choice.made.get((default, parent))
        if style is None:
            style = choice.made[default, parent] = _cascade(default, parent, winners)
        return style

    def _choose(self, element: Any) -> "_Choice":
        candidates = self._everywhere + self._by_name.get(element.name, [])
        for name in dict.fromkeys(element.classes):
            candidates += self._by_class.get(name, [])
        if element.id is not None:
            candidates += self._by_id.get(element.id, [])
        candidates = [entry for entry in candidates if entry[1].gate(element)]
        if all(rule.local for _, rule in candidates):
            return _Choice(candidates, _winners(element, candidates, element.attributes.get("style", "")), {})
        return _Choice(candidates, None, {})


_SPECIAL = frozenset({"input", "form", "span"})
_SPECIAL_ATTRIBUTES = frozenset({"hidden", "align"})


def _default_with_attributes(element: Any, style: Style) -> Style:
    name, attributes = element.name, element.attributes
    if (
        ("hidden" in attributes and not style.display.startswith("table"))
        or (name == "input" and attributes.get("type", "").lower() == "hidden")
        or (name == "span" and attributes.get("type") == "pagebreak")
        or (name == "form" and element.parent is not None and element.parent.name in TABLE_PARTS)
    ):
        return style._replace(display="none")
    if name in FLOATABLE and attributes.get("align", "").lower() in ("left", "right"):
        return style._replace(floats=True)
    return style


@lru_cache(maxsize=1024)
def _default(name: str, white_space: str) -> Style:
    quotes = "inline" if name == "q" else ""
    return Style(DISPLAY.get(name, "inline"), False, WHITE_SPACE.get(name, white_space), quotes, quotes)


_Weight = tuple[bool, bool, tuple[int, int, int], int]


def _winners(element: Any, candidates: list[tuple[int, Rule]], inline: str) -> Winners:
    """The value that wins for each (pseudo-element, property)."""
    best: dict[tuple[str, str], tuple[_Weight, str]] = {}
    for order, rule in candidates:
        if rule.test(element):
            for name, (value, important) in rule.declarations.items():
                weight = (important, False, rule.specificity, order)
                key = (rule.pseudo, name)
                if key not in best or best[key][0] <= weight:
                    best[key] = (weight, value)
    if inline:
        for name, (value, important) in _inline(inline).items():
            weight = (important, True, (0, 0, 0), 0)
            if ("", name) not in best or best["", name][0] <= weight:
                best["", name] = (weight, value)
    return {key: value for key, (_, value) in best.items()}


def _cascade(style: Style, parent: Style, winners: Winners) -> Style:
    if not winners:
        return style
    display = winners.get(("", "display"), style.display)
    floats = winners.get(("", "float"))
    white_space = winners.get(("", "white-space"), style.white_space)
    return Style(
        parent.display if display == "inherit" else display,
        style.floats if floats is None else floats in ("left", "right"),
        parent.white_space if white_space == "inherit" else white_space,
        _pseudo(winners, "before", style.before),
        _pseudo(winners, "after", style.after),
    )


def _pseudo(winners: Winners, which: str, default: str) -> str:
    content = winners.get((which, "content"))
    if content == "none" or (content is None and not default):
        return ""
    display = winners.get((which, "display"), "inline")
    return "" if display == "none" else display


class StyleBook:
    """The style sheets of one book, each parsed once. `read` gives the bytes of an archive entry, or raises."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._sheets: dict[str, Sheet] = {}
        self._styles: dict[tuple[str, ...], Styles] = {}

    def styles(self, base: str, sources: list[tuple[str, str]]) -> Styles:
        """The cascade of the document `base` with these sheets in its head: ("link", href) or ("style", text)."""
        key = tuple(resolve(base, text) if kind == "link" else f"{base}\n{text}" for kind, text in sources)
        styles = self._styles.get(key)
        if styles is None:
            sheets = [
                self._linked(path) if kind == "link" else self._parse(text, base, 0)
                for path, (kind, text) in zip(key, sources, strict=True)
            ]
            styles = Styles(sheets)
            if len(self._styles) >= 64:  # a book with a style of its own in every document
                self._styles.clear()
            self._styles[key] = styles
        return styles

    def _linked(self, path: str, depth: int = 0) -> Sheet:
        sheet = self._sheets.get(path)
        if sheet is None:
            self._sheets[path] = Sheet((), False)  # a sheet that imports itself ends here
            try:
                text, _ = tinycss2.bytes.decode_stylesheet_bytes(self._read(path))
            except Exception:  # whatever is wrong with a style sheet, the book goes on without it
                text = ""
            sheet = self._sheets[path] = self._parse(text, path, depth)
        return sheet

    def _parse(self, text: str, base: str, depth: int) -> Sheet:
        rules: list[Rule] = []
        looks_ahead = False
        text = _reduce(text[:MAX_SHEET])
        for kind, value in _walk(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)):
            if kind == "import":
                if depth < MAX_IMPORTS:
                    imported = self._linked(resolve(base, value), depth + 1)
                    rules += imported.rules
                    looks_ahead |= imported.looks_ahead
                continue
            rules += _rules(value)
            looks_ahead |= _LATER_SIBLINGS.search(tinycss2.serialize(value.prelude)) is not None
        return Sheet(tuple(rules), looks_ahead)


def _reduce(text: str) -> str:
    """Leave out the rules that cannot matter, most of any sheet: the tokeniser is written in Python."""
    text = re.sub(r"/\*.*?(?:\*/|$)", " ", text, flags=re.DOTALL)
    if re.search(r"""(["'])(?:(?!\1)[^\n])*[{}]""", text):
        return text  # braces in a string: not for a regular expression
    return re.sub(r"[^{};]*\{[^{}]*\}", lambda match: match.group() if _RELEVANT.search(match.group()) else "", text)


def _walk(rules: list[Any]) -> Iterator[tuple[str, Any]]:
    for rule in rules:
        if rule.type == "qualified-rule":
            yield "rule", rule
        elif rule.type == "at-rule" and rule.lower_at_keyword == "import":
            tokens = [token for token in rule.prelude if token.type not in ("whitespace", "comment")]
            if not tokens:
                continue
            first = tokens[0]
            target = first.value if first.type in ("string", "url") else ""
            if first.type == "function" and first.lower_name == "url":
                target = next((token.value for token in first.arguments if token.type == "string"), "")
            if target and applies(tinycss2.serialize(tokens[1:])):
                yield "import", target
        elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None:
            if applies(tinycss2.serialize(rule.prelude)):
                yield from _walk(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))


def applies(media: str) -> bool:
    """Whether a media list holds on a reader's screen. Queries with conditions are taken to hold for `screen`, except
    those for other makers' readers."""
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


def _rules(rule: Any) -> Iterator[Rule]:
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
        wanted = {k: v for k, v in declarations.items() if (k in ("content", "display")) if pseudo} or declarations
        yield Rule(
            selector.test,
            selector.specificity,
            pseudo,
            wanted,
            selector.id,
            selector.class_name,
            selector.lower_local_name,
            *_gate(prelude, selector.test),
        )


_PLAIN = r"(?:\*|[\w-]+)?(?:[.#][\w-]+|\[[^\]]*\])*"
_LAST = re.compile(rf"(?s)(?:(.*[ >+~]))?({_PLAIN})(?:::?(?:before|after))?")


def _gate(prelude: list[Any], test: Callable[[Any], bool]) -> tuple[Callable[[Any], bool], bool, bool]:
    """What an element's own name and attributes must fulfil for a selector to match, whether that is all there is to
    it, and whether it asks for other attributes than the class."""
    text = tinycss2.serialize(prelude).strip()
    match = _LAST.fullmatch(text)
    if match is None:
        return _always, False, True
    rest, last = match.groups()
    asks = "[" in last or "#" in last
    if not rest:
        return test, True, asks
    if not last:
        return _always, False, asks
    return compile_selector_list(last)[0].test, False, asks


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
def _inline(text: str) -> Declarations:
    return _declarations(text[:MAX_SHEET]) if _RELEVANT.search(text) else {}
