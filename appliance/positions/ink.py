"""Counting canonical characters in raw text, fast.

A text is never scanned character by character in Python: `str.count` and `str.replace` run at memory speed, and the
place of the n-th canonical character is found by halving.
"""

from appliance.positions.canonical import NO_INK


def ink(text: str) -> str:
    """The canonical characters of a text (docs/reference/positions.md C.1)."""
    if not text:
        return text
    for character in NO_INK:
        text = text.replace(character, "")
    return text


def ink_length(text: str, start: int = 0, end: int | None = None) -> int:
    """How many canonical characters `text[start:end]` has."""
    if end is None:
        end = len(text)
    # Written out: this is the innermost call of every index.
    return (
        end
        - start
        - text.count(" ", start, end)
        - text.count("\n", start, end)
        - text.count("\t", start, end)
        - text.count("\r", start, end)
        - text.count("\f", start, end)
        - text.count("\ufffd", start, end)
    )


def ink_offset(text: str, n: int) -> int:
    """Offset of the canonical character that has `n` canonical characters before it; `len(text)` if there is none."""
    low, high, count = 0, len(text), n
    # Invariant: the wanted character is in text[low:high], with `count` canonical characters between.
    while high - low > 16:
        middle = (low + high) // 2
        left = ink_length(text, low, middle)
        if left > count:
            high = middle
        else:
            low, count = middle, count - left
    for offset in range(low, len(text)):
        if text[offset] not in NO_INK:
            if count == 0:
                return offset
            count -= 1
    return len(text)


def ink_end(text: str, n: int) -> int:
    """Offset just behind the n-th canonical character (1-based); 0 for n = 0."""
    return 0 if n <= 0 else min(ink_offset(text, n - 1) + 1, len(text))


def units(text: str, offset: int) -> int:
    """UTF-16 units in `text[:offset]`: what browsers and Kobo count."""
    if text.isascii():
        return offset
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def code_points(text: str, offset: int) -> int:
    """Code points in the first `offset` UTF-16 units of `text`; inside a surrogate pair, the pair is not counted."""
    if text.isascii():
        return offset
    head = text.encode("utf-16-le", "surrogatepass")[: offset * 2]
    return len(head.decode("utf-16-le", "ignore")) if offset * 2 <= len(head) else len(text) + offset - len(head) // 2
