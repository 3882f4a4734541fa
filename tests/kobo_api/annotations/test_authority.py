"""The rule of 7.4 over everything that it can be asked."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from kobo_api.annotations.authority import Refusal, Sets, Standing, may_give, may_give_these, may_name

STANDINGS = [Standing(*flags) for flags in product([False, True], repeat=7)]
ids = st.sets(st.sampled_from("abcdef"))
sets = st.builds(Sets, held=ids, given=ids, deleted=ids, news=st.booleans(), has_ink=st.booleans())
standings = st.sampled_from(STANDINGS)


@given(standings, sets)
def test_the_brake(standing: Standing, sets: Sets) -> None:
    """Never fewer than it is known to hold, unless a person deleted what is missing."""
    if may_give_these(standing, sets) is Refusal.NONE or may_name(standing, sets) is Refusal.NONE:
        assert standing.is_fresh or set(sets.held) <= set(sets.given) | set(sets.deleted)


@given(standings, sets)
def test_what_is_named_may_be_given(standing: Standing, sets: Sets) -> None:
    if may_name(standing, sets) is Refusal.NONE:
        assert may_give_these(standing, sets) is Refusal.NONE and may_give(standing) is Refusal.NONE
        assert not sets.has_ink and (standing.pushes or standing.is_due)


def test_completeness_is_proven() -> None:
    """Either the set is empty for sure, or a whole one was taken; and nothing is owed or doubted."""
    for standing in STANDINGS:
        if may_give(standing) is Refusal.NONE:
            assert standing.has_file and not standing.owes and not standing.doubt
            assert standing.was_served or not standing.has_spoken


@given(standings, sets)
def test_nothing_happens_without_news(standing: Standing, sets: Sets) -> None:
    if not sets.news and not standing.is_due:
        assert may_name(standing, sets) is not Refusal.NONE
