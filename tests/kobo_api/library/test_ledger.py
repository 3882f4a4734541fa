"""What the ledger decides, for every state it can be in."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kobo_api.library.ledger import News, Shown, Told, decide

names = st.sampled_from(["a", "b"])
shown = st.builds(Shown, names, names, names)
told = st.builds(
    Told,
    offered_in=st.none() | st.just(1),
    was_offered=st.booleans(),
    source_sha256=names,
    edition=names,
    metadata_fingerprint=names,
    wanted=st.booleans(),
    may_go=st.booleans(),
    removed=st.booleans(),
    began=st.booleans(),
    holds_notes=st.booleans(),
)


@given(shown, told)
def test_a_held_book_is_offered_only_with_another_text_and_no_notes_at_stake(shown: Shown, told: Told) -> None:
    if told.began and decide(shown, told) is News.OFFER:
        assert shown.edition != told.edition and shown.source_sha256 != told.source_sha256
        assert not told.holds_notes and told.wanted and not told.removed


@given(shown, told)
def test_what_was_told_is_not_told_again(shown: Shown, told: Told) -> None:
    after = replace(
        told,
        offered_in=1,
        was_offered=True,
        source_sha256=shown.source_sha256,
        edition=shown.edition,
        metadata_fingerprint=shown.metadata_fingerprint,
        removed=told.removed or (not told.wanted and told.may_go),
    )
    assert decide(shown, after) is News.NOTHING


@given(shown, told)
def test_what_the_person_removed_stays_away(shown: Shown, told: Told) -> None:
    assert decide(shown, replace(told, removed=True)) is News.NOTHING
    assert decide(shown, replace(told, removed=False, wanted=False)) in (News.REMOVE, News.NOTHING)


def test_the_first_word_is_an_offer() -> None:
    assert decide(Shown("a", "b", "c"), None) is News.OFFER
