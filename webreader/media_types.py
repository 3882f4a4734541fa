"""Which parts of a book a browser is given, and as what. Everything else is refused; a script type is never served."""

import posixpath

DOCUMENT_TYPE = "application/xhtml+xml"
CSS_TYPE = "text/css"
SVG_TYPE = "image/svg+xml"

_SERVED = {
    CSS_TYPE,
    SVG_TYPE,
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "video/mp4",
    "video/webm",
    "font/ttf",
    "font/otf",
    "font/woff",
    "font/woff2",
}
# Font types are written in many ways in real books; the others are common slips.
_SPELLINGS = {
    "application/vnd.ms-opentype": "font/otf",
    "application/font-sfnt": "font/ttf",
    "application/x-font-ttf": "font/ttf",
    "application/x-font-truetype": "font/ttf",
    "application/x-font-opentype": "font/otf",
    "application/x-font-otf": "font/otf",
    "application/font-woff": "font/woff",
    "application/font-woff2": "font/woff2",
    "application/x-font-woff": "font/woff",
    "font/opentype": "font/otf",
    "font/truetype": "font/ttf",
    "image/jpg": "image/jpeg",
    "text/x-oeb1-css": CSS_TYPE,
    "audio/mp3": "audio/mpeg",
}
_EXTENSIONS = {
    ".css": CSS_TYPE,
    ".svg": SVG_TYPE,
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


def served_type(path: str, declared: str | None) -> str | None:
    """The media type an entry is served as, `None` when it is not for browsers.

    `declared`: of the manifest. A type that says nothing, or an entry missing from the manifest, goes by its extension.
    """
    by_name = _EXTENSIONS.get(posixpath.splitext(path)[1].lower())
    if declared is None or declared in ("", "application/octet-stream", "text/plain"):
        return by_name
    declared = declared.partition(";")[0].strip().lower()
    declared = _SPELLINGS.get(declared, declared)
    return declared if declared in _SERVED else None
