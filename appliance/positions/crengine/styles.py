"""The few style properties that decide how KOReader numbers text nodes (docs/reference/xpointer.md 6).

The cascade: `sheets` reads the rules, this file decides which of them an element gets.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import count
from typing import Any, Literal, NamedTuple

from appliance.epub.errors import MissingEntry
from appliance.epub.package import resolve
from appliance.positions.crengine.defaults import DISPLAY, FLOATABLE, TABLE_PARTS, WHITE_SPACE
from appliance.positions.crengine.sheets import MAX_SHEET, Rule, inline_declarations, read_sheet, text_of_sheet

MAX_IMPORTS = 16
MAX_CHOICES = 4096
MAX_CASCADES = 64


class Style(NamedTuple):
    """`display`: one of `defaults.DISPLAYS`. `floats`: left or right. `before`, `after`: display of the
    pseudo-element, "" if there is none. `doubtful`: it may be another on another screen."""

    display: str
    floats: bool
    white_space: str
    before: str = ""
    after: str = ""
    doubtful: bool = False


class Sheet(NamedTuple):
    """`whole`: whether these are all the rules that the engine may have read."""

    rules: tuple[Rule, ...]
    whole: bool = True

    def under_conditions(self) -> "Sheet":
        """The same rules, all of which hang on the reader's screen."""
        return Sheet(tuple(rule._replace(doubtful=True) for rule in self.rules), self.whole)


class Source(NamedTuple):
    """A sheet in a document's head: the `href` of a link, or the text of a `style`. `conditional`: its media list hangs
    on the reader's screen."""

    kind: Literal["link", "style"]
    text: str
    conditional: bool


Winners = dict[tuple[str, str], str]  # (pseudo-element, property): value


class _Choice(NamedTuple):
    """The rules that may match elements of one name, class, id and inline style. `beside`: some of them look at the
    element before. `around`: some look at all siblings, so nothing can be decided for several elements at once."""

    candidates: list[tuple[int, Rule]]
    beside: bool
    around: bool
    doubtful: bool


class Styles:
    """The cascade of one document: its sheets in order, with or without the rules that hang on the reader's screen."""

    def __init__(self, sheets: Iterable[Sheet], *, doubtful: bool = False) -> None:
        self._with_doubtful = doubtful
        sheets = list(sheets)
        rules = [rule for sheet in sheets for rule in sheet.rules]
        self.whole = all(sheet.whole for sheet in sheets)
        # Some selectors can only be decided when later siblings are known.
        self.looks_ahead = any(rule.looks_ahead for rule in rules)
        self._choices: dict[tuple[object, ...] | str, _Choice] = {}
        # Elements that look the same below ancestors that look the same have one lineage, and mostly one style.
        self._lineages: dict[tuple[int, tuple[object, ...] | str], int] = {}
        self._numbers = count(1)
        self._made: dict[tuple[int, int], tuple[Style, Style]] = {}  # the parent's with it
        # Where only classes are asked for, elements that differ in anything else share a choice.
        self._whole_key = any(rule.needs_attributes for rule in rules)
        self._by_id: dict[str, list[tuple[int, Rule]]] = {}
        self._by_class: dict[str, list[tuple[int, Rule]]] = {}
        self._by_name: dict[str, list[tuple[int, Rule]]] = {}
        self._everywhere: list[tuple[int, Rule]] = []
        for entry in enumerate(rules):
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
        lineage = self._lineage(element, key)
        choice = self._choices.get(key)
        if choice is None:
            choice = self._choices[key] = self._choose(element)
        default = _default(name, parent.white_space)
        special = False
        if attributes or name == "default":
            if name in _SPECIAL or not _SPECIAL_ATTRIBUTES.isdisjoint(attributes):
                plain, default = default, _default_with_attributes(element, default)
                special = default is not plain
        before = element.previous.lineage if choice.beside and element.previous is not None else 0
        if not special and not choice.around:
            made = self._made.get((lineage, before))
            if made is not None and made[0] is parent:
                return made[1]
        style = _cascade(default, parent, _winners(element, choice.candidates, attributes.get("style", "")))
        if choice.doubtful:
            style = style._replace(doubtful=True)
        if not special:
            self._made[lineage, before] = parent, style
        return style

    def _lineage(self, element: Any, key: tuple[object, ...] | str) -> int:
        above = element.parent.lineage if element.parent is not None else 0
        lineage = self._lineages.get((above, key))
        if lineage is None:
            if len(self._lineages) >= MAX_CHOICES:
                self._lineages.clear()
                self._choices.clear()
                self._made.clear()
            lineage = self._lineages[above, key] = next(self._numbers)
        element.lineage = lineage
        return lineage

    def _choose(self, element: Any) -> "_Choice":
        candidates = self._everywhere + self._by_name.get(element.name, [])
        for name in dict.fromkeys(element.classes):
            candidates += self._by_class.get(name, [])
        if element.id is not None:
            candidates += self._by_id.get(element.id, [])
        candidates = [entry for entry in candidates if entry[1].gate(element)]
        doubtful = any(rule.doubtful for _, rule in candidates)
        if not self._with_doubtful:
            candidates = [entry for entry in candidates if not entry[1].doubtful]
        scopes = {rule.scope for _, rule in candidates}
        return _Choice(candidates, "beside" in scopes, "around" in scopes, doubtful)


_SPECIAL = frozenset({"input", "form", "span", "case", "default"})
_SHOWN_CASES = frozenset({"http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg"})
_SPECIAL_ATTRIBUTES = frozenset({"hidden", "align"})


def _default_with_attributes(element: Any, style: Style) -> Style:
    name, attributes = element.name, element.attributes
    if (
        ("hidden" in attributes and not style.display.startswith("table"))
        or (name == "input" and attributes.get("type", "").lower() == "hidden")
        or (name == "span" and attributes.get("type") == "pagebreak")
        or (name == "form" and element.parent is not None and element.parent.name in TABLE_PARTS)
        or (name in ("case", "default") and _is_switched_off(element))
    ):
        return style._replace(display="none")
    if name in FLOATABLE and attributes.get("align", "").lower() in ("left", "right"):
        return style._replace(floats=True)
    return style


def _is_switched_off(element: Any) -> bool:
    """Of an `epub:switch` a formula or drawing is shown, else what is there by default."""
    if element.parent is None or element.parent.name != "switch":
        return False
    if element.name == "case":
        return element.get("required-namespace") not in _SHOWN_CASES
    return any(case.name == "case" and not _is_switched_off(case) for case in element.previous_siblings)


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
        for name, (value, important) in inline_declarations(inline).items():
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
    """The style sheets of one book, each parsed once. `read` gives the bytes of an archive entry, or raises. Threads
    share only what is complete."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._sheets: dict[str, Sheet] = {}
        self._styles: dict[tuple[object, ...], Styles] = {}

    def styles(self, base: str, sources: list[Source], *, doubtful: bool = False) -> Styles:
        """The cascade of the document `base` with these sheets in its head."""
        paths = [resolve(base, source.text) if source.kind == "link" else base for source in sources]
        texts = (source.text if source.kind == "style" else "" for source in sources)
        key = (doubtful, *zip(paths, texts, (source.conditional for source in sources), strict=True))
        styles = self._styles.get(key)
        if styles is None:
            sheets = []
            for path, source in zip(paths, sources, strict=True):
                sheet = self._linked(path) if source.kind == "link" else self._parse(source.text, base)
                sheets.append(sheet.under_conditions() if source.conditional else sheet)
            styles = Styles(sheets, doubtful=doubtful)
            if len(self._styles) >= MAX_CASCADES:  # a book with a style of its own in every document
                self._styles.clear()
            self._styles[key] = styles
        return styles

    def _linked(self, path: str, importers: tuple[str, ...] = ()) -> Sheet:
        sheet = self._sheets.get(path)
        if sheet is None:
            try:
                sheet = self._parse(text_of_sheet(self._read(path)), path, (*importers, path))
            except (MissingEntry, KeyError):
                sheet = Sheet(())  # the engine has none either
            except Exception:  # whatever is wrong with a style sheet, the book goes on without it
                sheet = Sheet((), False)
            self._sheets[path] = sheet
        return sheet

    def _parse(self, text: str, base: str, importers: tuple[str, ...] = ()) -> Sheet:
        rules: list[Rule] = []
        whole = len(text) <= MAX_SHEET
        for entry in read_sheet(text):
            if isinstance(entry, Rule):
                rules.append(entry)
                continue
            target = resolve(base, entry.target)
            if target in importers:
                continue  # a sheet that imports itself ends here
            if len(importers) > MAX_IMPORTS:
                whole = False
                continue
            imported = self._linked(target, importers)
            rules += imported.under_conditions().rules if entry.doubtful else imported.rules
            whole &= imported.whole
        return Sheet(tuple(rules), whole)
