"""What a device holds once it took everything it was offered for its whole set, as a Kobo does."""

from datetime import UTC, datetime

from appliance.reading.annotations.effects import fold
from appliance.reading.annotations.links import Links
from appliance.reading.annotations.report import Caller

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHA = "a" * 64


def caller(sha256: str = SHA) -> Caller:
    return Caller(1, 2, "b", "kobo", "kobo", sha256, NOW)


def row(id: str, version: int) -> dict:
    described = {"created_at": NOW.isoformat(), "kind": "highlight", "text": "w", "note": "", "colour": "", "style": ""}
    return fold(None, {"do": "create", "id": id, "version": version, "at": NOW.isoformat(), "row": described})


def offered(*rows: dict, sha256: str = SHA) -> Links:
    links = Links(caller(sha256), {})
    for one in rows:
        links.offer(one, {"note": one["note"], "text": one["text"], "range": one["version"]})
    return links


def test_what_was_offered_by_then_is_held() -> None:
    one, two = row("one", 1), row("two", 5)
    links = offered(one, two)
    links.follow_all(3, {"one": one, "two": two})
    assert links.has("one") and not links.has("two")
    link = links.of("one")
    assert link is not None and link["held"]["range"] == 1 and link["held_version"] == 1 and link["given"] == []


def test_of_several_offers_the_newest_by_then_counts() -> None:
    one = row("one", 1)
    links = offered(one)
    changed = fold(one, {"do": "set", "id": "one", "version": 4, "at": NOW.isoformat(), "fields": ["note"],
                         "columns": {"note": "n"}, "other_notes": [], "revived": False})  # fmt: skip
    links.offer(changed, {"note": "n", "text": "w", "range": 1})
    links.follow_all(4, {"one": changed})
    link = links.of("one")
    assert link is not None and link["held"]["note"] == "n" and link["held_version"] == 4


def test_what_was_deleted_is_gone() -> None:
    one = row("one", 1)
    links = offered(one)
    links.follow_all(1, {"one": one})
    deleted = fold(one, {"do": "delete", "id": "one", "version": 2, "at": NOW.isoformat()})
    links.follow_all(1, {"one": deleted})
    assert links.has("one"), "it was deleted after the set was made"
    links.follow_all(2, {"one": deleted})
    link = links.of("one")
    assert not links.has("one") and link is not None and link["gone_at"] == NOW


def test_an_offer_for_another_file_is_none() -> None:
    """It got a file with other coordinates since."""
    one = row("one", 1)
    earlier = offered(one, sha256="b" * 64)
    links = Links(caller(), earlier.by_name)
    links.follow_all(9, {"one": one})
    assert not links.has("one")
