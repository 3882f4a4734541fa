"""What KOReader's engine knows of an element before any book style sheet (docs/reference/xpointer.md 4.6 and 6)."""

from enum import IntEnum


class Dom(IntEnum):
    """Versions of the engine's DOM that name text nodes differently (xpointer.md 11)."""

    NORMAL = 20240114
    NEWEST = 20260812  # writes `[1]` everywhere, and drops more white space


BLOCK = frozenset(
    "body html hr form pre blockquote div h1 h2 h3 h4 h5 h6 p output section ol ul dl dt dd address article aside"
    " canvas fieldset figcaption figure footer header hgroup legend main nav noscript video center dir menu multicol"
    " noframes search listing textarea plaintext xmp details dialog summary frame frameset iframe select applet track"
    " keygen audio source optgroup map"
    # of other formats the engine reads
    " subtitle date id v year email city part author annotation coverpage epigraph poem stanza description"
    " title-info document-info publish-info empty-line".split()
)

DISPLAY: dict[str, str] = {
    **dict.fromkeys(BLOCK, "block"),
    "li": "list-item",
    "table": "table",
    "caption": "table-caption",
    "colgroup": "table-column-group",
    "col": "table-column",
    "thead": "table-header-group",
    "tbody": "table-row-group",
    "tfoot": "table-footer-group",
    "tr": "table-row",
    "th": "table-cell",
    "td": "table-cell",
    "input": "inline-block",
    "button": "inline-block",
    "marquee": "inline-block",
    "ruby": "ruby",
    **dict.fromkeys(
        "head title style script base basefont link meta template param area datalist noembed rp".split(), "none"
    ),
}

WHITE_SPACE = {"pre": "pre", "listing": "pre", "plaintext": "pre", "xmp": "pre", "textarea": "pre-wrap"}
KEPT = frozenset({"pre", "pre-wrap", "pre-line", "break-spaces"})

FLOATABLE = frozenset({"table", "img", "iframe", "embed", "input"})
TABLE_PARTS = frozenset({"table", "thead", "tbody", "tfoot", "tr"})

# Text directly inside these does not exist; their children do.
TEXTLESS = frozenset(
    "table colgroup col thead tbody tfoot tr img image object embed svg applet area track input keygen param audio"
    " source base basefont bgsound meta link html head annotation author coverpage epigraph part poem stanza"
    " description empty-line title-info document-info publish-info".split()
)
SVG_TEXT = frozenset({"text", "tspan", "textPath", "title", "desc", "metadata", "style"})

DISPLAYS = frozenset(DISPLAY.values()) | {"inline", "inline-table", "run-in", "compact", "marker", "none"}
INLINE = frozenset({"inline", "inline-block", "inline-table", "ruby", "run-in"})
