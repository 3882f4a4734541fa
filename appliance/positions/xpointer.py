"""KOReader's dialect: XPointers of its engine, crengine (docs/reference/xpointer.md)."""


def is_indexed(text: str) -> bool:
    """Whether a device writes `[1]` on every step (DOM version 20260812 and newer, xpointer.md 11)."""
    return text.startswith(("/body[", "body["))
