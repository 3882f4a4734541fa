"""Random bodies: well-formed XHTML, from tidy to such that an HTML parser builds another tree."""

from hypothesis import strategies as st

TEXTS = st.sampled_from(
    "Hi. |a|b. c| |\n|  |&#160;|“Yo.” ok|x &amp; y. |&#133;|z.&#8221; q|.|!|? \n|漢。\u3000字|1.5 |😀! e\u0301|\u2003|"
    "don&#x2019;t. So".split("|")
)
BREAKS = st.sampled_from(["<br/>", '<img alt=""/>', "<wbr/>", "<!-- c -->", "<?pi x?>", '<a id="n"/>', "<span/>"])
INLINE = ["b", "i", "em", "strong", "span", "q", "small", "sub", "code", "cite", "s", "u"]
BLOCK = ["div", "section", "blockquote", "article", "aside", "figure", "header"]


def _element(name: str, content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return content.map(lambda inside: f"<{name}>{inside}</{name}>")


def _many(*kinds: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(*kinds), max_size=5).map("".join)


PHRASE = st.recursive(
    _many(TEXTS, BREAKS),
    lambda inner: _many(TEXTS, BREAKS, st.sampled_from(INLINE).flatmap(lambda name: _element(name, inner))),
    max_leaves=8,
)
_PARAGRAPH = st.sampled_from(["p", "h1", "h2", "pre", "p"]).flatmap(lambda name: _element(name, PHRASE))
_TERMS = st.tuples(PHRASE, PHRASE).map(lambda pair: f"<dl><dt>{pair[0]}</dt><dd>{pair[1]}</dd></dl>")
_RUBY = st.tuples(TEXTS, TEXTS).map(lambda pair: f"<p><ruby>{pair[0]}<rt>{pair[1]}</rt></ruby>です。</p>")
_FOREIGN = st.sampled_from(
    [
        '<svg xmlns="http://www.w3.org/2000/svg"><title>T. U</title><g/></svg>',
        '<p>m <math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi><mo>.</mo></math> n</p>',
    ]
)


def _container(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.tuples(st.sampled_from(["ul", "ol"]), st.lists(inner, max_size=3)).map(
        lambda pair: f"<{pair[0]}>\n" + "".join(f"<li>{item}</li>\n" for item in pair[1]) + f"</{pair[0]}>"
    )
    tables = st.lists(inner, max_size=3).map(
        lambda cells: "<table>\n<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "<td/></tr> </table>"
    )
    blocks = st.sampled_from(BLOCK).flatmap(lambda name: _element(name, inner))
    return _many(_PARAGRAPH, PHRASE, lists, tables, blocks, _TERMS, _RUBY, _FOREIGN)


TIDY = st.recursive(_many(_PARAGRAPH, PHRASE), _container, max_leaves=10)
"""Valid, or nearly: what an XML and an HTML parser read alike."""

_ANY = [
    *INLINE,
    *BLOCK,
    "p",
    "p",
    "a",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "h1",
    "h2",
    "ruby",
    "rt",
    "table",
    "tr",
    "td",
]
_ANY += ["th", "tbody", "caption", "pre", "font", "nobr", "form", "button", "object", "center", "svg", "math", "mbp:x"]
_STAY_OPEN = [
    "i",
    "b",
    "em",
    "ol",
    "ul",
    "li",
    "td",
    "h2",
    "section",
    "blockquote",
    "mbp:pagebreak",
    "p",
    "div",
    "ruby",
]

WILD = st.recursive(
    _many(TEXTS, BREAKS),
    lambda inner: _many(
        TEXTS,
        BREAKS,
        st.sampled_from(_ANY).flatmap(lambda name: _element(name, inner)),
        st.sampled_from(_STAY_OPEN).map(lambda name: f"<{name}/>"),
    ),
    max_leaves=20,
)
"""Any nesting at all: blocks in `p`, links in links, text in tables, open tags."""
