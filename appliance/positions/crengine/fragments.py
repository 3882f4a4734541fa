"""How many DocFragments KOReader makes of a spine item (docs/reference/xpointer.md 2)."""

import re

from appliance.positions.crengine.scan import decode, scan

_BODY = re.compile(rb"<body[\s/>]", re.IGNORECASE)


def is_shown(source: str, path: str) -> bool:
    """Whether the engine takes a file for markup; otherwise it shows a message in its place."""
    head = source[:2048].lower()
    if len(source) <= 30:
        return False
    if "<html" in head and ("<head" in head or "<body" in head):
        return True
    if re.search(r"<!doctype.{0,32}html", head, re.DOTALL) or "<svg" in head:
        return True
    return path.lower().endswith((".htm", ".html", ".xhtml")) and any(mark in head for mark in ("<!--", "<p>", "ul"))


def has_body(data: bytes, path: str) -> bool:
    """Whether the engine reads a file as a document."""
    return _BODY.search(data) is not None and is_shown(decode(data), path)


def notice(path: str, media_type: str, item_id: str) -> str:
    """The engine's message in place of an item of the manifest that it cannot read."""
    return f"Failed handling EPUB spine item '{path}' ({media_type}, {item_id})."


def count_fragments(data: bytes) -> int:
    """1, but one for each `body` when a file has several, one after the other."""
    return 1 if len(_BODY.findall(data)) < 2 else max(_bodies(decode(data)), 1)


def _bodies(source: str) -> int:
    bodies = 0
    inside = False
    for kind, text, _, closed in scan(source):
        if text.lower() == "body":
            if kind == "open":
                bodies += not inside
                inside = not closed
            elif kind == "close":
                inside = False
    return bodies
