"""Dividing one document where the contents lead into it (kobo-protocol.md 6.2, 10.1)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from appliance.kepub.cuts import LINE, Anchor, divide
from tests.kepub.bodies import TIDY
from tests.kepub.kepubs import body_text, document, ink

X = "x" * (LINE + 1)


def bodies(body: str, *wanted: str) -> list[str]:
    """What stands in the body of each part."""
    parts = divide(document(body).decode(), frozenset(wanted)).parts
    return [part.partition("<body>")[2].partition("</body>")[0] for part in parts]


def test_what_is_open_is_closed_and_opened_again() -> None:
    body = (
        f'<div class="book" id="all"><section id="a"><h2>One</h2><p>{X}</p><h2 id="b">Two</h2><p>y</p></section></div>'
    )
    assert bodies(body, "b") == [
        f'<div class="book" id="all"><section id="a"><h2>One</h2><p>{X}</p></section></div>',
        '<div class="book"><section><h2 id="b">Two</h2><p>y</p></section></div>',
    ]


@pytest.mark.parametrize(
    ("body", "second"),
    [
        (f'<p>{X}</p><div class="new"><h2 id="b">Two</h2></div>', '<div class="new"><h2 id="b">Two</h2></div>'),
        (f'<p>{X}</p><p><a id="b"></a></p><h2>Two</h2>', '<p><a id="b"></a></p><h2>Two</h2>'),
        (f'<p>{X}</p><a name="b"/><h2>Two</h2>', '<a name="b"/><h2>Two</h2>'),
        (f'<p>{X}</p><h2>Chapter 2. <a id="b"/>Two</h2>', '<h2>Chapter 2. <a id="b"/>Two</h2>'),
        (f'<p>{X}</p>\n<hr/><h2 id="b">Two</h2>', '<h2 id="b">Two</h2>'),
        (f'<p>{X}</p><table><tr><td id="b">Two</td></tr></table>', '<table><tr><td id="b">Two</td></tr></table>'),
        (f'<p>{X}</p><img id="b" src="a.png"/>', '<img id="b" src="a.png"/>'),
    ],
)
def test_the_cut_comes_before_all_that_belongs_to_the_heading(body: str, second: str) -> None:
    assert bodies(body, "b")[1:] == [second]


@pytest.mark.parametrize(
    "body",
    [
        '<h2 id="b">One</h2><p>{X}</p>',  # nothing is seen before it
        '<div> <hr/><script>x</script><p><a id="b"/>One</p></div>',
        f'<ol><li>{X}</li><li id="b">y</li></ol>',  # a list would begin anew
        f'<table><tr><td>{X}</td><td><p id="b">y</p></td></tr></table>',
        f'<p>{X[1:]}</p><h2 id="b">no more than a line is seen before it</h2>',
        f"<p>{X}</p>",
    ],
)
def test_what_is_not_cut(body: str) -> None:
    assert len(bodies(body, "b")) == 1


def test_two_lines_for_one_place() -> None:
    body = (
        f'<p>{X}</p><h1 id="part">Part</h1><h2 id="b">Two</h2><p>{X} <i id="c">z</i></p>'
        f'<div><a id="d"/><p id="e">w</p></div><p id="f">{X}</p><p id="g">v</p>'
    )
    divided = divide(document(body).decode(), frozenset("part b c d e f g".split()))
    assert len(divided.parts) == 4
    numbers = {id: anchor.part for id, anchor in divided.anchors.items()}
    assert numbers == {"part": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 2, "g": 3}
    assert all(anchor.leads for anchor in divided.anchors.values())


def test_a_line_or_less_before_an_id_is_no_middle() -> None:
    body = f'<table><tr><td>Scene 2</td><td id="b">Szene 2</td></tr><tr><td>{X}</td><td id="c">y</td></tr></table>'
    anchors = divide(document(body).decode(), frozenset("bc")).anchors
    assert anchors == {"b": Anchor(0, True), "c": Anchor(0, False)}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies=st.lists(TIDY, min_size=1, max_size=5), nested=st.booleans())
def test_every_character_stays_in_order(bodies: list[str], nested: bool) -> None:
    marked = [
        f'<h2 id="w{number}">T</h2>{body}<p>{X} <b id="v{number}">q</b></p>' for number, body in enumerate(bodies)
    ]
    if nested:
        marked = [f'<div id="u{number}">{body}</div>' for number, body in enumerate(marked)]
    source = document("".join(marked)).decode()
    wanted = frozenset(f"{kind}{number}" for kind in "uvw" for number in range(len(bodies)))
    divided = divide(source, wanted)
    parts = [part.encode() for part in divided.parts]
    assert "".join(ink(body_text(part)) for part in parts) == ink(body_text(source.encode()))
    for number, part in enumerate(parts):
        root = etree.fromstring(part)  # well-formed
        own = {element.get("id") for element in root.iter(etree.Element)} & wanted
        assert all(divided.anchors[id].part == number for id in own)
    assert all(id in divided.anchors for id in wanted if f'id="{id}"' in source)
