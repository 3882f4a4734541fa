"""How many DocFragments KOReader makes of a spine item (docs/reference/xpointer.md 2)."""

import re

from appliance.positions.crengine_scan import decode, scan

_BODY = re.compile(rb"<body[\s/>]", re.IGNORECASE)


def count_fragments(data: bytes) -> int:
    """1, but one for each `body` when a file has several, one after the other."""
    return 1 if len(_BODY.findall(data)) < 2 else max(_bodies(decode(data)), 1)


def _bodies(source: str) -> int:
    bodies = 0
    inside = False
    for token in scan(source):
        if token.text.lower() == "body":
            if token.kind == "open":
                bodies += not inside
                inside = not token.closed
            elif token.kind == "close":
                inside = False
    return bodies
