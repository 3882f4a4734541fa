"""What a Kobo asks of the shop that we do not have (kobo-protocol.md 8).

An error in any of these cancels everything queued behind it, the sync of the library included, so each has its answer,
and everything unknown is answered `200 {}`.
"""

from collections.abc import Callable
from typing import Any

from kobo_api.call import Answer, Call, answer
from kobo_api.reading import analytics

_PAGE = {
    "Items": [],
    "ItemCount": 0,
    "TotalPageCount": 0,
    "TotalItemCount": 0,
    "CurrentPageIndex": 0,
    "ItemsPerPage": 100,
}
_REVIEWS = {"CurrentPageIndex": 1, "Items": [], "TotalPageCount": 0}
_WISHLIST = {"TotalCountByProductType": {}, **_PAGE, "VersionCode": 2}


def always(value: Any, status: int = 200) -> Callable[..., Answer]:
    """A handler that gives the same answer to everybody, whatever the parts of the path."""
    ready = answer(value, status) if value is not None else Answer(status=status)
    return lambda call, **parts: ready


nothing = always({})


def wishlist_items(call: Call) -> Answer:
    """`POST /v1/user/wishlist/items` `{Add, Remove}` → all of them done."""
    given = call.json()
    lists = [given.get("Add"), given.get("Remove")] if isinstance(given, dict) else []
    return answer({"SuccessfulIds": [id for ids in lists if isinstance(ids, list) for id in ids[:1000]]})


# Method ("*": any), path, handler; the first that fits answers. `{x}` stands for one part of a path.
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("*", "/v1/affiliate", always({"AffiliateName": "Kobo"})),
    ("*", "/v1/user/loyalty/benefits", always({"Benefits": {}})),
    ("*", "/v1/analytics/gettests", analytics.tests),
    ("*", "/v1/analytics/event", analytics.events),
    ("*", "/v1/deals", always({"Deals": []})),
    ("*", "/v1/products/deals", always({"Deals": []})),
    ("*", "/v1/assets", always({"AssetGroups": [], "KeepGoing": False})),
    ("*", "/v1/products/books/subscriptions", always([])),
    ("*", "/v1/user/wishlist", always(_WISHLIST)),
    ("*", "/v1/user/wishlist/items", wishlist_items),
    ("*", "/v1/user/recommendations", always(_PAGE)),
    ("POST", "/v1/user/recommendations/feedback", always(None, 204)),
    ("*", "/v1/user/reviews", always(_REVIEWS)),
    ("*", "/v1/user/ratings", always(_REVIEWS)),
    ("*", "/v1/user/library/previews/prices", always({"Items": []})),
    ("*", "/v1/products", always(_PAGE)),
    ("*", "/v1/products/featured/{list}", always(_PAGE)),
    ("*", "/v1/products/books/series/{series}", always(_PAGE)),
    ("*", "/v1/categories/{category}/products", always(_PAGE)),
    ("*", "/v1/products/{product}/recommendations", always(_PAGE)),
    ("*", "/v1/products/{product}/related", always(_PAGE)),
    ("*", "/v1/products/{products}/prices", always({"Items": []})),
    ("POST", "/v1/products/{product}/reviews", always(None)),
    ("*", "/v1/products/{product}/reviews", always({"ReviewSummary": {}, **_REVIEWS, "CurrentPageIndex": 0})),
]
