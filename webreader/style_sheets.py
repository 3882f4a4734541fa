"""Style sheets of a book: nothing they load comes from outside it."""

from collections.abc import Callable
from typing import Any

import tinycss2

NOWHERE = "about:invalid"
"""What an address that is not allowed becomes; a browser loads nothing for it."""

# In these functions a bare string is an address.
_LOADING = {"image-set", "-webkit-image-set", "image", "cross-fade", "-webkit-cross-fade", "src"}

Resolve = Callable[[str], str | None]


def neutral_style_sheet(data: bytes, resolve: Resolve) -> str:
    """A style sheet with each address resolved. `resolve` answers `None` for what may not be loaded."""
    text, _encoding = tinycss2.bytes.decode_stylesheet_bytes(data)
    return neutral_css(text, resolve)


def neutral_css(text: str, resolve: Resolve) -> str:
    """CSS of any kind (a sheet, declarations, one value) with each address resolved; empty when it is nested deeper
    than any style sheet is."""
    if not _may_load(text):
        return text
    tokens = tinycss2.parse_component_value_list(text)
    try:
        _rewrite(tokens, resolve, loading=False)
        return str(tinycss2.serialize(tokens))
    except RecursionError:
        return ""


def _may_load(text: str) -> bool:
    """Whether an address can stand in this CSS at all; a backslash may spell anything."""
    folded = text.lower()
    return any(word in folded for word in ("url", "@", "\\", "image", "src", "cross-fade"))


def _rewrite(tokens: list[Any], resolve: Resolve, *, loading: bool) -> None:
    rule = ""  # the at-rule that the tokens belong to, until its block or semicolon
    for token in tokens:
        if token.type == "at-keyword":
            rule = token.lower_value
        elif token.type == "{} block" or (token.type == "literal" and token.value == ";"):
            rule = ""
        # A namespace looks like an address and is only a name.
        if rule == "namespace":
            continue
        if token.type == "url":
            token.representation = f'url("{_target(token.value, resolve)}")'
        elif token.type == "string" and (loading or rule == "import"):
            token.representation = f'"{_target(token.value, resolve)}"'
        elif token.type == "function":
            name = token.lower_name
            _rewrite(token.arguments, resolve, loading=loading or name in _LOADING or name == "url")
        elif hasattr(token, "content"):
            _rewrite(token.content, resolve, loading=loading)


def _target(reference: str, resolve: Resolve) -> str:
    # A fragment points into the same document: gradients, clip paths, filters.
    target = reference if reference.startswith("#") else resolve(reference)
    return (target or NOWHERE).replace("\\", "").replace('"', "%22").replace("\n", "")
