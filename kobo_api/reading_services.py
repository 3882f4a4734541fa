"""The annotation service, which lives at the root of the site (docs/reference/kobo-protocol.md 7).

Highlights and notes are not kept yet. Everything here serves one end: the device must not lose any of them.

* `PATCH` brings notes, and what is acknowledged once is never sent again (7.5): 503, so that the device keeps them and
  tries again later, until there is a place for them.
* `checkforchanges` names no book, so the device asks for no set of notes of its own accord (7.2).
* `GET` replaces the device's whole set by the answer, an empty set and a 503 included (7.3). It comes unasked after
  each download, when the device's set is empty: then, and only then, the empty set is the truth. At any other time 304
  is the one answer that was seen to leave the notes in place (by two of three observers), so everybody else gets that.
* UserStorage and notebooks must not fail, or the whole sync does (7.12).
"""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from appliance.house import House
from appliance.models import Device, KoboDelivery, KoboEntitlement
from kobo_api.call import Answer, answer
from kobo_api.caller import by_access_token

AFTER_DOWNLOAD = timedelta(minutes=10)
UNAVAILABLE = Answer(b"{}", status=503, headers={"retry-after": "3600"})
UNCHANGED = Answer(status=304, headers={"etag": 'W/"0"'})
NO_NOTES = answer({"annotations": [], "nextPageOffsetToken": None}, headers={"etag": 'W/"0"'})
NOTHING_CHANGED = answer([])
NO_METADATA = answer({"continuationToken": None, "metadata": []})
NO_NOTEBOOKS = answer({"data": [], "totalResults": 0})

logger = logging.getLogger(__name__)
_DELIVERY = KoboDelivery.__table__  # type: ignore[attr-defined]
_ENTITLEMENT = KoboEntitlement.__table__  # type: ignore[attr-defined]
_ANNOTATIONS = re.compile(r"/([^/]{1,64})/annotations/?", re.IGNORECASE)


def content(house: House, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """`POST /api/v3/content/checkforchanges` → `[]`; `GET` and `PATCH` of `/api/v3/content/{id}/annotations`."""
    annotations = _ANNOTATIONS.fullmatch(path)
    if annotations is None:
        return NOTHING_CHANGED
    return _annotations(house, method, annotations[1].lower(), headers)


def user_storage(house: House, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """`/api/UserStorage/…` → nothing is stored; what is sent is discarded (7.12)."""
    if method not in ("GET", "HEAD"):
        return Answer(status=204)
    return NO_METADATA if path.lower().strip("/") == "metadata" else answer({})


def notebooks(house: House, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """`/api/internal/notebooks…` → there are none (7.12)."""
    return NO_NOTEBOOKS


Respond = Callable[[House, str, str, Mapping[str, str]], Answer]
PARTS: dict[str, Respond] = {
    "/api/v3/content": content,
    "/api/UserStorage": user_storage,
    "/api/internal/notebooks": notebooks,
}


def _annotations(house: House, method: str, content_id: str, headers: Mapping[str, str]) -> Answer:
    with house.database.read() as session:
        device = by_access_token(session, headers)
        delivery = _delivery(session, device, content_id) if device else None
    if method not in ("GET", "HEAD"):
        if delivery is not None and device is not None and delivery.notes_refused_at is None:
            with house.database.write() as session:
                one = (_DELIVERY.c.device_id == device.id) & (_DELIVERY.c.book_id == delivery.book_id)
                session.execute(update(_DELIVERY).where(one).values(notes_refused_at=house.now()))
        return UNAVAILABLE
    began = delivery.began_at if delivery is not None else None
    if delivery is None or began is None or delivery.notes_refused_at is not None:
        logger.warning("a Kobo asked for the notes of a book without having just downloaded it; told: unchanged")
        return UNCHANGED
    return NO_NOTES if house.now() - (delivery.downloaded_at or began) < AFTER_DOWNLOAD else UNCHANGED


def _delivery(session: Session, device: Device, content_id: str) -> Any:
    query = select(
        _DELIVERY.c.book_id, _DELIVERY.c.began_at, _DELIVERY.c.downloaded_at, _DELIVERY.c.notes_refused_at
    ).where(
        _ENTITLEMENT.c.id == content_id,
        _ENTITLEMENT.c.user_id == device.user_id,
        _DELIVERY.c.book_id == _ENTITLEMENT.c.book_id,
        _DELIVERY.c.device_id == device.id,
    )
    return session.execute(query).first()
