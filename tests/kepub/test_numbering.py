"""The pass over the tags and the pass through an HTML parser, against each other."""

import pytest
from hypothesis import assume, given, settings

from appliance.kepub.html_rules import Restructured
from appliance.kepub.numbering import TAG, characters, spans_of
from appliance.kepub.restructured import spans_of_restructured
from tests.kepub.bodies import TIDY, WILD


def by_tags(body: str) -> list[str]:
    parts = TAG.split(body)
    return applied(parts, spans_of(parts, 0, len(parts) - 1))


def by_parser(body: str) -> list[str]:
    parts = TAG.split(body)
    return applied(parts, spans_of_restructured(parts, 0, len(parts) - 1, "<!DOCTYPE html>"))


def applied(parts: list[str], edits: list[tuple[int, str]]) -> list[str]:
    for index, source in edits:
        parts[index] = source
    return parts


@given(TIDY)
@settings(deadline=None)
def test_tidy_documents_need_no_parser(body: str) -> None:
    assert by_tags(body) == by_parser(body)


@given(WILD)
@settings(max_examples=200, deadline=None)
def test_rules_are_on_the_safe_side(body: str) -> None:
    """Whatever the rules let pass has the numbers that the HTML parser's tree gives."""
    try:
        found = by_tags(body)
    except Restructured:
        assume(False)
    assert found == by_parser(body)


@pytest.mark.parametrize(
    "body",
    [
        "<p>a<div>b</div>c</p>",
        "<p>a<i/> <b>b</b></p>",
        "<a>x<a>y</a></a>",
        "<table>x<tr><td>y</td></tr></table>",
        "<table><p>x</p></table>",
        "<td>x</td>",
        "<li>a<li>b</li></li>",
        "<h1>a<h2>b</h2></h1>",
        "<noscript><p>x</p></noscript>",
        "<br>x</br>",
        "<img><b>x</b></img>",
        '<svg xmlns="http://www.w3.org/2000/svg"><p>x</p></svg>',
        "<b><ol/></b>x",
        "<li><ul/></li>",
        "<image/>",
    ],
)
def test_what_html_rebuilds_is_noticed(body: str) -> None:
    with pytest.raises(Restructured):
        by_tags(body)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ('a<b t="x > y">c</b>', ["a", '<b t="x > y">', "c", "</b>", ""]),
        ("<!-- <b> -->x", ["", "<!-- <b> -->", "x"]),
        ("<![CDATA[<b>]]>x", ["", "<![CDATA[<b>]]>", "x"]),
        ("<?php <b> ?>x", ["", "<?php <b> ?>", "x"]),
        ("<a\nb='\">'/>", ["", "<a\nb='\">'/>", ""]),
    ],
)
def test_tags_are_found(source: str, parts: list[str]) -> None:
    assert TAG.split(source) == parts


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("&amp;&lt;&#65;&#x41;", "&<AA"),
        ("&nbsp;&hellip;", "\u00a0…"),
        ("&#146;&#x80;&#129;", "’€\x81"),
        ("&nope;", "&nope;"),
    ],
)
def test_references(source: str, text: str) -> None:
    assert characters(source) == text
