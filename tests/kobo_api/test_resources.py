"""The resource map (kobo-protocol.md 3)."""

from kobo_api.call import Answer
from kobo_api.resources import resources
from tests.kobo_api.conftest import BASE, Desk

OURS = """library_sync library_metadata library_book library_items library_search reading_state delete_entitlement
add_entitlement update_accessibility_to_preview tags tag_items delete_tag rename_tag delete_tag_items image_host
image_url_template image_url_quality_template oauth_host device_auth device_refresh get_tests_request
post_analytics_event user_profile user_loyalty_benefits rating user_ratings user_reviews deals assets affiliaterequest
product_nextread product_prices product_recommendations product_reviews user_wishlist user_recommendations""".split()


def test_everything_that_must_be_ours_is(kobo: Desk) -> None:
    answer = kobo.call("GET", "/v1/initialization")
    assert isinstance(answer, Answer) and answer.headers["x-kobo-apitoken"] == "e30="
    given = kobo.json("GET", "/v1/initialization")
    assert list(given) == ["Resources"]
    prefix = f"{BASE}/kobo/{kobo.secret}"
    assert all(given["Resources"][key].startswith(prefix + "/") for key in OURS)
    assert given["Resources"]["reading_services_host"] == BASE
    assert given["Resources"]["notebooks"] == f"{BASE}/api/internal/notebooks"


def test_the_map_is_whole_and_of_strings() -> None:
    """A truncated map wedges the device (3.2); the genuine one has 183 keys."""
    given = resources("https://a", "https://a/kobo/t")
    assert len(given) >= 180
    objects = {key for key, value in given.items() if not isinstance(value, str)}
    assert objects == {"blackstone_header", "free_books_page"}
    assert {value for key, value in given.items() if key.endswith("_enabled")} == {"True", "False"}


def test_placeholders_are_spelled_as_the_device_fills_them() -> None:
    given = resources("https://a", "https://a/kobo/t")
    assert given["image_url_template"] == "https://a/kobo/t/covers/{ImageId}/{Width}/{Height}/false/image.jpg"
    assert given["image_url_quality_template"].endswith("/{ImageId}/{Width}/{Height}/{Quality}/{IsGreyscale}/image.jpg")
    assert given["image_host"].endswith("/covers/") and given["tag_items"].endswith("/{TagId}/Items")


def test_hosts_that_no_longer_exist_are_left_out() -> None:
    assert not {"social_host", "social_authorization_host", "discovery_host"} & set(
        resources("https://a", "https://a/t")
    )
