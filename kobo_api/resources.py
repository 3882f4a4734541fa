"""`GET /v1/initialization`: the resource map, which tells a Kobo where everything is (kobo-protocol.md 3)."""

from typing import Any

from kobo_api.call import Answer, Call, answer
from kobo_api.resource_map import FLAGS, PAGES, PATHS

# Base64 of `{}`; without this header the map is ignored (3.1).
API_TOKEN = {"x-kobo-apitoken": "e30="}
_FREE_BOOKS = dict.fromkeys("EN FR IT NL PT".split(), "https://www.kobo.com/{region}/{language}/p/free-ebooks")

# What a device must ask us for even where the rest of the map is the store's (3.3).
OURS = (
    "add_entitlement delete_entitlement delete_tag delete_tag_items device_auth device_refresh get_tests_request"
    " image_host image_url_quality_template image_url_template library_book library_items library_metadata"
    " library_search library_sync notebooks post_analytics_event reading_services_host reading_state rename_tag"
    " tag_items tags update_accessibility_to_preview"
).split()


def initialization(call: Call) -> Answer:
    """`GET /v1/initialization` → `{"Resources": {…}}`, the whole map: a truncated one wedges the device (3.2)."""
    return answer({"Resources": resources(call.root, call.base)}, headers=API_TOKEN)


def resources(root: str, base: str) -> dict[str, Any]:
    """The map for the device whose `api_endpoint` is `base`. The placeholders are case-sensitive (3.3)."""
    image = f"{base}/covers/{{ImageId}}/{{Width}}/{{Height}}"
    return {
        **{key: base + path for key, path in PATHS.items()},
        **FLAGS,
        **PAGES,
        "blackstone_header": {"key": "x-amz-request-payer", "value": "requester"},
        "free_books_page": _FREE_BOOKS,
        # A prefix, with a slash at its end.
        "image_host": f"{base}/covers/",
        "image_url_template": f"{image}/false/image.jpg",
        "image_url_quality_template": f"{image}/{{Quality}}/{{IsGreyscale}}/image.jpg",
        "notebooks": f"{root}/api/internal/notebooks",
        "oauth_host": f"{base}/oauth",
        # The device cuts any path off this one (7.1).
        "reading_services_host": root,
        # For a device that was never signed in; others do not open it (2.7).
        "sign_in_page": f"{base}/activate",
    }
