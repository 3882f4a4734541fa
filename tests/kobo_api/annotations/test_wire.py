"""Annotations on the wire: whatever comes is read without an error, and what was read is written back (7.5 to 7.9)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobo_api.annotations.wire import Item, Wanted, read_check, read_item, read_patch, render

AT = datetime(2026, 3, 2, 18, 1, 7, tzinfo=UTC)

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
spans = st.builds("kobo.{}.{}".format, st.integers(0, 999), st.integers(0, 99))
sources = st.sampled_from(["OEBPS/text/ch07.xhtml", "a b/ü.html", "x.xhtml"])
offsets = st.integers(0, 2**31 - 1)
uuids = st.uuids().map(str)
locators = st.fixed_dictionaries({"source": sources, "value": spans, "offset": offsets})
colours = st.sampled_from(["#F6F3B3", "#E8AFCF", "#b2e1e8", "#123456"])
highlights = st.builds(
    Wanted,
    id=uuids,
    kind=st.just("highlight"),
    range=st.lists(locators, min_size=2, max_size=2),
    fields=st.fixed_dictionaries({"note": words, "text": words, "colour": colours}),
    at=st.just(AT),
    chapter=words,
    progress=st.none() | st.floats(0, 1),
)
dogears = st.builds(
    Wanted,
    id=uuids,
    kind=st.just("bookmark"),
    range=locators,
    fields=st.fixed_dictionaries({"note": words}),
    at=st.just(AT),
)
marks = highlights | dogears
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


def said(item: Item | None, wanted: Wanted) -> None:
    assert item is not None
    assert (item.id, item.kind, item.range) == (wanted.id, wanted.kind, wanted.range)
    assert item.fields == wanted.fields and item.changed_at == wanted.at


@given(marks)
def test_what_is_written_is_read_again(wanted: Wanted) -> None:
    said(read_item(render(wanted)), wanted)


@given(marks, st.dictionaries(st.sampled_from(["future", "version", "attachments"]), json_values), st.booleans())
def test_what_was_sent_goes_back_as_the_text_that_it_was(wanted: Wanted, more: dict, spaced: bool) -> None:
    """7.9: unchanged, unknown fields, spaces and all."""
    value = json.loads(render(wanted)) | more
    raw = json.dumps(value, indent=2 if spaced else None, ensure_ascii=spaced)
    item = read_item(raw)
    assert item is not None and item.raw == raw
    assert render(wanted, raw) == raw


@given(highlights, highlights, st.dictionaries(st.sampled_from(["future", "version"]), json_values, min_size=1))
def test_what_changed_is_changed_and_nothing_else(before: Wanted, after: Wanted, more: dict) -> None:
    raw = json.dumps(json.loads(render(before)) | more)
    wanted = Wanted(before.id, before.kind, after.range, after.fields, AT)
    given = render(wanted, raw)
    said(read_item(given), replace(wanted, at=AT if given == raw else AT + timedelta(seconds=1)))
    assert {name: json.loads(given)[name] for name in more} == json.loads(json.dumps(more))


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ("2026-03-01T09:30:00Z", "2026-11-21T12:00:00Z"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:01Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
    ids=["behind", "ahead", "last-second"],
)
def test_a_change_is_later_than_what_the_device_said(own: str, given: str) -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    before = Wanted("a7d0b6c4-5e3f-4a1c-b7d2-90e1f2a3b4c5", "bookmark", None, {"note": ""}, at)
    raw = json.dumps({**json.loads(render(before)), "clientLastModifiedUtc": own})
    after = replace(before, fields={"note": "from elsewhere"})
    assert json.loads(render(after, raw))["clientLastModifiedUtc"] == given


@given(st.binary(max_size=300))
def test_no_body_is_an_error(body: bytes) -> None:
    read_patch(body)
    read_check(body)


parts = st.sampled_from(["updatedAnnotations", "DeletedAnnotationIds", "annotations", "x"])


@given(st.dictionaries(parts, json_values))
def test_nothing_that_comes_is_dropped(body: dict) -> None:
    """Each element is an annotation, a deletion, or kept as it came."""
    patch = read_patch(json.dumps(body).encode())
    elements = [one for value in body.values() for one in (value if isinstance(value, list) else [value])]
    real = [one for one in elements if one not in (None, {}, "")]
    if real and any(isinstance(one, dict | list | str) and one for one in real):
        assert patch.names or patch.unread


@given(st.lists(marks, max_size=5, unique_by=lambda one: one.id), st.lists(uuids, max_size=3, unique=True))
def test_a_patch_holds_what_was_put_in(items: list[Wanted], deleted: list[str]) -> None:
    texts = [render(one) for one in items]
    body = f'{{"updatedAnnotations":[{",".join(texts)}],"deletedAnnotationIds":{json.dumps(deleted)}}}'
    patch = read_patch(body.encode())
    assert [item.raw for item in patch.items] == texts and set(patch.deleted) == set(deleted) and not patch.unread


def test_variants_that_were_seen() -> None:
    """7.5, 7.8, 7.9: other names, capitals, flags, the older paths, and both of one id."""
    span = {"chapterFilename": "a.xhtml", "startChar": 1, "endChar": 2, "startPath": "a.xhtml#kobo.1.1"}
    span["endPath"] = "span#kobo\\.1\\.2"
    item = {"id": "x", "type": "Highlight", "highlightedText": "w", "location": {"span": span}}
    body = {
        "annotations": [
            {**item, "clientLastModifiedUtc": "2026-03-02T18:01:07Z", "highlightedText": "new"},
            {**item, "clientLastModifiedUtc": "2026-03-02T18:01:06.0000000Z", "highlightedText": "old"},
            {"id": "y", "isDeleted": True},
        ],
        "removedAnnotations": [{"id": "z"}, "w"],
    }
    patch = read_patch(json.dumps(body).encode())
    assert [one.fields["text"] for one in patch.items] == ["new"] and set(patch.deleted) == {"y", "z", "w"}
    [one] = patch.items
    assert one.range == [
        {"source": "a.xhtml", "value": "kobo.1.1", "offset": 1},
        {"source": "a.xhtml", "value": "kobo.1.2", "offset": 2},
    ]


def test_the_check_is_read_leniently() -> None:
    """7.6"""
    body = [{"ContentId": "A", "etag": 'W/"0"'}, {"contentId": "b"}, {"x": 1}, 3, {"ContentId": 4}]
    assert read_check(json.dumps(body).encode()) == [("a", 'W/"0"'), ("b", "")]
