"""Every worked case of docs/reference/kepub.md 7, with both engines."""

import zipfile
from pathlib import Path

import pytest

from appliance.kepub import convert
from appliance.kepub.document import kepub_document
from tests import needs
from tests.kepub.kepubs import document, epub, spans

# (number, inside of body, spans as kepubify makes them)
CASES: list[tuple[int, str, list[tuple[str, str]]]] = [
    (
        1,
        "<p>Rain fell. Dogs barked! Who cared?</p>",
        [("1.1", "Rain fell. "), ("1.2", "Dogs barked! "), ("1.3", "Who cared?")],
    ),
    (2, '<p>He said "Stop." Then left.</p>', [("1.1", 'He said "Stop." '), ("1.2", "Then left.")]),
    (3, '<p>He said "Stop.") Then left.</p>', [("1.1", 'He said "Stop.") Then left.')]),
    (4, "<p>Wait... what?! Yes.</p>", [("1.1", "Wait... "), ("1.2", "what?! "), ("1.3", "Yes.")]),
    (
        5,
        "<p>Dr. Lee met J. R. at 3.5 p.m. today.</p>",
        [("1.1", "Dr. "), ("1.2", "Lee met J. "), ("1.3", "R. "), ("1.4", "at 3.5 p.m. "), ("1.5", "today.")],
    ),
    (6, "<p>One.Two. \n  Three</p>", [("1.1", "One.Two. \n  "), ("1.2", "Three")]),
    (7, "<p>« Oui. » Non.</p>", [("1.1", "« Oui. "), ("1.2", "» Non.")]),
    (
        8,
        "<p>“Hi!” “Yo…” he said.’ Go.” Now.”’ x</p>",
        [("1.1", "“Hi!” "), ("1.2", "“Yo…” he said.’ "), ("1.3", "Go.” "), ("1.4", "Now.”’ x")],
    ),
    (9, "<p>彼は走った。 そして。Then. Go</p>", [("1.1", "彼は走った。 そして。Then. "), ("1.2", "Go")]),
    (10, "<div>Loose text. More.</div>", [("0.1", "Loose text. "), ("0.2", "More.")]),
    (
        11,
        "<div>Pre <p>Para</p> tail <p>Next</p></div>",
        [("0.1", "Pre "), ("1.1", "Para"), ("1.2", " tail "), ("2.1", "Next")],
    ),
    (12, "<p>A <b>bold. Move</b> on.</p>", [("1.1", "A "), ("1.2", "bold. "), ("1.3", "Move"), ("1.4", " on.")]),
    (13, "<p>A <i>x</i> <b>y</b></p>", [("1.1", "A "), ("1.2", "x"), ("1.3", " "), ("1.4", "y")]),
    (14, "<div>A <i>x</i> <b>y</b></div>", [("0.1", "A "), ("0.2", "x"), ("0.3", "y")]),
    (15, "<p><span>A.</span> <span> </span><span>B</span></p>", [("1.1", "A."), ("1.2", " "), ("1.3", "B")]),
    (16, "<p>&#160;</p><p> </p><p></p>z", [("1.1", "\u00a0"), ("2.1", " "), ("3.1", "z")]),
    (17, "<h1>T</h1>\n<p>x</p>", [("1.1", "T"), ("2.1", "x")]),
    (18, "<ul>\n <li>a</li>\n <li>b</li>\n</ul><p>c</p>", [("1.1", "a"), ("1.2", "b"), ("2.1", "c")]),
    (
        19,
        "<dl><dt>a</dt><dd>b</dd></dl><blockquote>q</blockquote><p>r</p>",
        [("0.1", "a"), ("0.2", "b"), ("0.3", "q"), ("1.1", "r")],
    ),
    (20, "<table><tr><td>1</td><td>2</td></tr></table>", [("1.1", "1"), ("1.2", "2")]),
    (
        21,
        '<p>See <img alt=""/> caption. Go</p>',
        [("1.1", "See "), ("2.1", "[img]"), ("2.2", " caption. "), ("2.3", "Go")],
    ),
    (22, '<img alt=""/><img alt=""/>tail', [("1.1", "[img]"), ("2.1", "[img]"), ("2.2", "tail")]),
    (
        23,
        "<pre>Code. Here</pre><p>Use <code>x. y</code> now</p>",
        [("1.1", "Use "), ("1.2", "x. "), ("1.3", "y"), ("1.4", " now")],
    ),
    (
        24,
        '<p>m <math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math> n</p>',
        [("1.1", "m "), ("1.2", " n")],
    ),
    (25, '<svg xmlns="http://www.w3.org/2000/svg"><text>T. U</text></svg><p>v</p>', [("1.1", "v")]),
    (
        26,
        "<p><ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>です。</p>",
        [("1.1", "漢"), ("1.2", "かん"), ("1.3", "字"), ("1.4", "じ"), ("1.5", "です。")],
    ),
    (27, "<p>A<!-- c -->B<br/>C</p>", [("1.1", "A"), ("1.2", "B"), ("1.3", "C")]),
    (28, "<p>A<![CDATA[hidden. text]]>B</p>", [("1.1", "A"), ("1.2", "B")]),
    (29, "<p>a&shy;b &amp; &lt;c&gt; &#128; &hellip;</p>", [("1.1", "a\u00adb & <c> € …")]),
    (30, '<p>X<a id="n1"/>Y<a href="#n">1</a></p>', [("1.1", "X"), ("1.2", "Y"), ("1.3", "1")]),
    (31, "<p>X<i/>Y</p><p>Z</p>", [("1.1", "X"), ("1.2", "Y"), ("2.1", "Z")]),
    (32, "<p>a<div>b</div>c</p>", [("1.1", "a"), ("1.2", "b"), ("1.3", "c")]),
    (33, "<table>stray. text<tr><td>1</td></tr></table>", [("0.1", "stray. "), ("0.2", "text"), ("1.1", "1")]),
    (
        34,
        "<p>em\u2003space. \u2003New\u00a0. Next</p>",
        [("1.1", "em\u2003space. "), ("1.2", "\u2003New\u00a0. "), ("1.3", "Next")],
    ),
    (35, "<p>😀. e\u0301x! ok</p>", [("1.1", "😀. "), ("1.2", "e\u0301x! "), ("1.3", "ok")]),
    (
        36,
        "<section><h2>H</h2>lead <em>in</em><hr/>after</section>",
        [("1.1", "H"), ("1.2", "lead "), ("1.3", "in"), ("1.4", "after")],
    ),
    (
        37,
        '<figure><img alt=""/><figcaption>Fig. 1</figcaption></figure>',
        [("1.1", "[img]"), ("1.2", "Fig. "), ("1.3", "1")],
    ),
    (
        38,
        "<ol><li><p>a</p></li><li>b<ul><li>c</li></ul>d</li></ol>e",
        [("1.1", "a"), ("1.2", "b"), ("2.1", "c"), ("2.2", "d"), ("2.3", "e")],
    ),
    (39, "<p>q\ufffdr</p>", [("1.1", "qr")]),
    (40, "<p>!</p><p>?  </p><p>.  a</p>", [("1.1", "!"), ("2.1", "?  "), ("3.1", ".  "), ("3.2", "a")]),
    (41, "<noscript><p>No. js</p></noscript>", [("0.1", "<p>No. "), ("0.2", "js</p>")]),
    (42, '<p>x</p><p class="koboSpan">y</p>', []),
    (43, "<mbp:pagebreak/><p>x</p>", [("1.1", "x")]),
]

# Where the built-in converter does not do as kepubify does, on purpose (kepub.md 15).
OURS = {41: []}


@pytest.mark.parametrize(("number", "body", "expected"), CASES, ids=[str(case[0]) for case in CASES])
def test_built_in(number: int, body: str, expected: list[tuple[str, str]]) -> None:
    made = kepub_document(document(body))
    assert made is not None
    assert spans(made) == OURS.get(number, expected)


def test_kepubify(tmp_path: Path) -> None:
    """The cases are what kepubify does, so the table cannot drift from it."""
    program = needs.kepubify()
    source, target = tmp_path / "cases.epub", tmp_path / "cases.kepub.epub"
    source.write_bytes(epub({f"{number}.xhtml": document(body) for number, body, _ in CASES}))
    convert(source, target, "kepubify", program)
    with zipfile.ZipFile(target) as archive:
        for number, _, expected in CASES:
            assert spans(archive.read(f"{number}.xhtml")) == expected, f"case {number}"


def test_raw_text_keeps_its_numbers() -> None:
    """What kepubify numbers inside `noscript` is counted, so that the text after it has the same ids."""
    made = kepub_document(document("<p>a</p><noscript><p>No. js</p></noscript><b>c</b>"))
    assert made is not None
    assert spans(made) == [("1.1", "a"), ("1.4", "c")]


def test_cdata_is_not_lost() -> None:
    made = kepub_document(document("<p>A<![CDATA[hidden. text]]>B</p>"))
    assert made is not None
    assert b"<![CDATA[hidden. text]]>" in made
