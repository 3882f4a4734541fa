"""Where the HTML algorithm builds another tree than the tags of a well-formed document say.

Only as far as span numbers depend on it: the order of texts, whether white space stands in `p`, what is skipped. The
rules are on the safe side: what they let pass is numbered alike in both trees; the rest goes through a real HTML parser
(`appliance.kepub.restructured`). Sections of the HTML standard: 13.2.6.4 (insertion modes).
"""

from appliance.kepub.spans import PARAGRAPHS, SKIPPED

VOID = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
# kepubify closes these when they close themselves; HTML5 would leave them open.
CLOSES_ITSELF = frozenset({"a", "p", "div", "span", "title", "script"})
# Their content is one raw text for an HTML parser with scripting.
RAW = frozenset({"iframe", "noembed", "noframes", "noscript", "textarea", "title", "xmp"})
# Left open, these would swallow the rest of the document. kepubify lets them; here they are empty, as they were meant.
SWALLOWS = RAW | SKIPPED | {"plaintext", "listing", "select", "option", "optgroup", "button", "object", "template"}
# These stay open, but the next of their kind or the end of the list or row closes them: no number changes.
_OPEN_HARMLESSLY = frozenset({"td", "th", "li", "dd", "dt"})
# What HTML calls special: an end tag of an ordinary element outside does not close it.
_SPECIAL = frozenset(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd"
    " details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header"
    " hgroup hr html iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript"
    " object ol p param plaintext pre script section select source style summary table tbody td template textarea tfoot"
    " th thead title tr track ul wbr xmp".split()
)
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Elements whose staying open has more effects than that of an ordinary one.
_OPEN_WITH_EFFECTS = _FORMATTING | frozenset(
    "applet body caption col colgroup form frame frameset h1 h2 h3 h4 h5 h6 head html image isindex marquee rb rp rt"
    " rtc ruby table tbody tfoot thead tr".split()
)
# A start tag of these closes an open paragraph.
_CLOSES_P = frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre section summary table ul"
    " xmp".split()
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# HTML5 allows table parts only here (and takes missing levels as meant), and nothing else inside tables.
_TABLE_PARTS = {
    "caption": {"table"},
    "colgroup": {"table"},
    "col": {"table", "colgroup"},
    "thead": {"table"},
    "tbody": {"table"},
    "tfoot": {"table"},
    "tr": {"table", "thead", "tbody", "tfoot"},
    "td": {"table", "thead", "tbody", "tfoot", "tr"},
    "th": {"table", "thead", "tbody", "tfoot", "tr"},
}
_TABLE_FRAME = frozenset({"table", "colgroup", "thead", "tbody", "tfoot", "tr"})
_NOT_INSIDE_ITSELF = frozenset({"a", "nobr", "button", "form"})
_RUBY_PARTS = frozenset({"rb", "rp", "rt", "rtc"})
# A start tag of the first closes an open one of the second, unless one of _HOLDS_LISTS stands between.
_LIST_ITEMS = {"li": frozenset({"li"}), "dd": frozenset({"dd", "dt"}), "dt": frozenset({"dd", "dt"})}
_HOLDS_LISTS = _SPECIAL - {"address", "div", "p"}
# Raw text, tags that are ignored or renamed, or content that goes elsewhere.
_UNLIKE_XML = frozenset(
    "body frame frameset head html iframe image isindex listing noembed noframes noscript optgroup option plaintext"
    " select template textarea title xmp".split()
)
# HTML tags that end an svg or math element.
BREAKS_OUT = frozenset(
    "b big blockquote body br center code dd div dl dt em embed font h1 h2 h3 h4 h5 h6 head hr i img li listing menu"
    " meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_CLOSED_SAFELY = VOID | CLOSES_ITSELF | SWALLOWS | _OPEN_HARMLESSLY
# Names that any of the rules above says something about.
RULED = (
    VOID | _CLOSES_P | SKIPPED | PARAGRAPHS | _UNLIKE_XML | _NOT_INSIDE_ITSELF | _RUBY_PARTS | frozenset(_TABLE_PARTS)
)
# Parents in which not everything may stand.
GUARDED = _TABLE_FRAME | VOID


class Restructured(Exception):
    """An HTML parser would build another tree than an XML parser, in a way that may change numbers."""


def check_text(text: str, parent: str) -> None:
    """Raise `Restructured` when a text may not stand in its parent, one of `GUARDED`."""
    if parent in _TABLE_FRAME and not text.isspace():
        raise Restructured("text directly in a table")
    if parent in VOID:
        raise Restructured("content in an empty element")


def check_start(name: str, parent: str, stack: list[str], paragraphs_open: int, closed: bool) -> None:
    """Raise `Restructured` when a start tag has side effects in HTML.

    To be called for the names in `RULED`, in the parents in `GUARDED`, and for tags that close themselves (`closed`).
    `stack`: the names of the open elements from `body` down to `parent`.
    """
    if parent in VOID:
        raise Restructured("content in an empty element")
    if paragraphs_open and name in _CLOSES_P:
        raise Restructured(f"{name} in p")
    if name in _TABLE_PARTS:
        if parent not in _TABLE_PARTS[name]:
            raise Restructured(f"{name} in {parent}")
    elif parent in _TABLE_FRAME and name not in ("script", "style"):
        raise Restructured(f"{name} directly in a table")
    if name in _LIST_ITEMS:
        for outer in reversed(stack):
            if outer in _LIST_ITEMS[name]:
                raise Restructured(f"{name} in {outer}")
            if outer in _HOLDS_LISTS:
                break
    if name in _HEADINGS and parent in _HEADINGS:
        raise Restructured("a heading in a heading")
    if name in _NOT_INSIDE_ITSELF and name in stack:
        raise Restructured(f"{name} in {name}")
    if name in _RUBY_PARTS and parent in ("dd", "dt", "li", "p", *_RUBY_PARTS):
        raise Restructured(f"{name} in {parent}")
    if closed and name not in _CLOSED_SAFELY and not _stays_open_harmlessly(name, stack, paragraphs_open):
        raise Restructured(f"{name} closes itself")
    if name in _UNLIKE_XML and not closed:
        raise Restructured(name)


def _stays_open_harmlessly(name: str, stack: list[str], paragraphs_open: int) -> bool:
    """Whether no number changes although HTML leaves the element open."""
    if paragraphs_open or name in _OPEN_WITH_EFFECTS or not _FORMATTING.isdisjoint(stack):
        return False
    # A special element keeps the end tags of ordinary ones, and a list that of its item, from being heard; the texts
    # around those become one.
    return name not in _SPECIAL or (_SPECIAL.issuperset(stack) and (name not in ("ol", "ul") or "li" not in stack))
