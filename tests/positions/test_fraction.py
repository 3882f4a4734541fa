"""Shares by text, whole percents and bytes (positions.md C.7, B.5; property 13)."""

import json
import math
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.positions.fraction import ByteShare, at_text_share, of_percent, text_share, whole_percent
from appliance.positions.summary import BookSummary, SpineDocument
from tests.conftest import ROOT
from tests.needs import program

FOLIATE = ROOT / "webreader/static/vendor/foliate-js-1.0.1/progress.js"


def spine(*rows):
    """A summary of documents given as (characters, bytes, linear)."""
    documents = [
        SpineDocument(
            n, f"{n}.xhtml", "application/xhtml+xml", 0, n + 1, 2 * n + 2, None, linear, size, length, "", "xml"
        )
        for n, (length, size, linear) in enumerate(rows)
    ]
    return BookSummary(tuple(documents), 6, None, "", len(documents))


sections = st.tuples(st.integers(0, 5_000), st.integers(0, 50_000), st.booleans())
summaries = st.lists(sections, min_size=1, max_size=8).map(lambda rows: spine(*rows))


@given(summaries, st.data())
def test_a_share_of_the_text_leads_back_to_its_place(summary, data):
    document = data.draw(st.sampled_from(summary.documents))
    k = data.draw(st.integers(0, document.length))
    share = text_share(summary, document, k)
    assert 0 <= share <= 1
    back, at = at_text_share(summary, share)
    assert abs(text_share(summary, back, at) - share) < 1e-9
    if document.linear and any(d.linear and d.length for d in summary.documents):
        # What is not in the reading order lies between for nobody.
        assert summary.weights[back.ordinal] + at == summary.weights[document.ordinal] + k


@given(summaries)
def test_a_share_of_the_text_never_falls(summary):
    shares = [text_share(summary, d, k) for d in summary.documents for k in range(0, d.length + 1, 97)]
    assert shares == sorted(shares)


def test_whole_percents_are_rounded_down():
    assert [whole_percent(n / 100) for n in range(101)] == list(range(101)), "0.29 * 100 is less than 29"
    assert whole_percent(0.9999) == 99, "100 means all of it"
    assert (whole_percent(-1), whole_percent(2)) == (0, 100)


@given(st.integers(0, 100), st.integers(0, 10**7))
def test_a_whole_percent_leads_to_the_first_place_that_has_it(percent, length):
    k, error = of_percent(percent, length)
    assert 0 <= k <= length
    if length:
        assert whole_percent(k / length) >= percent
        if k:
            assert 100 * (k - 1) < percent * length
        # Every place that a Kobo calls so lies within the stated error.
        last = math.ceil((percent + 1) * length / 100) - 1 if percent < 100 else length
        assert last - k <= error


@given(st.integers(1, 10**6), st.data())
def test_whole_percents_within_the_stated_error(length, data):
    k = data.draw(st.integers(0, length))
    back, error = of_percent(whole_percent(k / length), length)
    assert 0 <= k - back <= error, "never later: the reader may read words again, but never miss any"


def test_the_end_of_foliates_page_counts():
    """positions.md B.5, worked by hand: 300 and 100 bytes, and a file of notes that weighs nothing."""
    share = ByteShare.of(spine((100, 300, True), (50, 9_999, False), (200, 100, True)))
    assert share.at(0, 0, page=50) == 150 / 400
    assert share.at(0, 50, page=50) == 300 / 400, "the last page of a section ends where the next one begins"
    assert share.at(1, 0, page=50) == share.at(1, 30, page=50) == 300 / 400
    assert share.at(2, 100, page=50) == 375 / 400
    assert share.at(2, 150, page=50) == 1
    assert share.place(150 / 400, page=50)[:2] == (0, 0)
    assert share.place(300 / 400, page=50)[:2] == (0, 50)
    assert share.place(375 / 400, page=50)[:2] == (2, 100)
    assert share.place(1.0, page=50)[:2] == (2, 150)


@given(summaries, st.integers(1, 2_000), st.data())
def test_foliates_fraction_within_the_stated_error(summary, page, data):
    share = ByteShare.of(summary)
    document = data.draw(st.sampled_from(summary.documents))
    k = data.draw(st.integers(0, document.length))
    fraction = share.at(document.ordinal, k, page)
    assert 0 <= fraction <= 1
    ordinal, at, error = share.place(fraction, page)
    assert 0 <= at <= summary.documents[ordinal].length
    if document.linear and document.size and document.length:
        assert ordinal == document.ordinal
        assert abs(at - k) <= error


@given(summaries, st.integers(1, 2_000))
def test_foliates_fraction_never_falls(summary, page):
    share = ByteShare.of(summary)
    fractions = [share.at(d.ordinal, k, page) for d in summary.documents for k in range(0, d.length + 1, 97)]
    assert all(after >= before - 1e-12 for before, after in pairwise(fractions))


@given(summaries, st.floats(allow_nan=True, allow_infinity=True))
def test_no_number_is_too_odd(summary, number):
    document, k = at_text_share(summary, number)
    assert 0 <= k <= document.length
    ordinal, k, _ = ByteShare.of(summary).place(number)
    assert 0 <= k <= summary.documents[ordinal].length


def test_the_fractions_are_those_of_foliate_itself():
    """Its own progress.js, which the readers of B.5 ship: every page of a section of so many pages."""
    node = program("node", "nodejs")
    rows = [(1_000, 3_000, True), (500, 700, False), (0, 50, True), (2_000, 9_000, True), (40, 100, True)]
    pages = {0: 10, 1: 5, 3: 8, 4: 1}
    script = f"""
        import {{ SectionProgress }} from {json.dumps(FOLIATE.as_uri())}
        const rows = {json.dumps(rows)}, pages = {json.dumps(pages)}
        const progress = new SectionProgress(rows.map(([, size, linear]) =>
            ({{ size, linear: linear ? null : 'no' }})), 1500, 1600)
        console.log(JSON.stringify(Object.entries(pages).map(([index, count]) => Array.from({{ length: count }},
            (_, page) => progress.getProgress(+index, page / count, 1 / count).fraction))))
    """
    run = subprocess.run([str(node), "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    share = ByteShare.of(spine(*rows))
    for (index, count), fractions in zip(pages.items(), json.loads(run.stdout), strict=True):
        size = rows[index][0] // count
        ours = [share.at(index, page * size, size) for page in range(count)]
        assert ours == pytest.approx(fractions, abs=1e-12)
        if rows[index][2]:
            assert [share.place(fraction, size)[:2] for fraction in fractions] == [
                (index, page * size) for page in range(count)
            ]
