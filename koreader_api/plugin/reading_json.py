"""JSON as a plugin in Lua writes it, into the shapes of `wire`.

Lua knows no `null` and one kind of table, so that an empty list comes as `{}`; it has one kind of number, so that a
whole one may come as `3.0`. Texts of books may hold characters that no database takes.
"""

from typing import Any, TypeVar

import msgspec

from koreader_api.plugin.call import Refusal

_LISTS = frozenset(
    "annotations authors books capabilities changed deleted files followed identifiers operations parts protocols pull"
    " rows".split()
)
Shape = TypeVar("Shape")


class NotUnderstood(Exception):
    """The text says what is wrong, and where."""


def read(body: bytes) -> Any:
    """The value of a body. Raises `Refusal` 400 for what is no JSON."""
    try:
        return _tidy(msgspec.json.decode(body))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise Refusal(400, "not-json", "The request is not JSON.") from None


def shape(value: Any, kind: type[Shape]) -> Shape:
    """The value as one of the shapes. Raises `NotUnderstood`."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise NotUnderstood(str(error)) from None
    except RecursionError:
        raise NotUnderstood("It is nested too deeply.") from None


def _tidy(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        if not value and name in _LISTS:
            return []
        within = "native" if name == "native" else None
        return {_clean(key): _tidy(each, within or key) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_tidy(each, "native" if name == "native" else "") for each in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    return _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    return text.replace("\0", "") if "\0" in text else text
