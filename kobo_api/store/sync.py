"""The store's part of a library sync, behind ours.

Our token gets an ending that counts the store's pages, `S1.12.s3`: a device that shows it has got that page, so from
then on the store is asked for what follows. One that shows an earlier token, or none, may not have got it, and is given
it again. A page that never ends is not taken: the device waits 30 seconds in all.
"""

import re
from dataclasses import replace
from typing import Any

import msgspec

from appliance.models import KoboStore
from kobo_api.call import Answer, Call
from kobo_api.library import library_sync
from kobo_api.store import boundary, client

TOKEN = "x-kobo-synctoken"
MAX_TOKEN = 16 * 1024  # characters of the store's token
_OURS = re.compile(r"(S\d+\.\d{1,15})(?:\.s(\d{1,9}))?")
_GENUINE = re.compile(r"[A-Za-z0-9+/=_-]{4,}\.[A-Za-z0-9+/=_.-]{4,}")


def merged_sync(call: Call) -> Answer:
    """`GET /v1/library/sync` with the store's page behind our last one."""
    shown = call.headers.get(TOKEN, "").strip()
    mine = _OURS.fullmatch(shown)
    page = int(mine[2]) if mine is not None and mine[2] else None
    own = library_sync.sync(replace(call, headers={**call.headers, TOKEN: mine[1] if mine is not None else shown}))
    kept = _kept(call, shown, page)
    token = own.headers.get(TOKEN, "")
    if own.status != 200 or own.headers.get("x-kobo-sync") == "continue":
        return replace(own, headers={**own.headers, TOKEN: _with_page(token, page)})
    reply = client.ask("GET", boundary.target(call), _headers(call, kept))
    events = _events(reply)
    if reply is None or events is None:
        return replace(own, headers={**own.headers, TOKEN: _with_page(token, page)})
    number = _note(call, reply.headers.get(TOKEN, ""))
    theirs = [event for event in events if not boundary.ours(call.session, msgspec.json.encode(event).decode())]
    headers = {TOKEN: _with_page(token, number)}
    if reply.headers.get("x-kobo-sync") == "continue" and reply.headers.get(TOKEN, "") != (kept or ""):
        headers["x-kobo-sync"] = "continue"
    return replace(own, body=msgspec.json.encode([*msgspec.json.decode(own.body), *theirs]), headers=headers)


def _kept(call: Call, shown: str, page: int | None) -> str | None:
    """The store's token to go on from. What the device shows says whether the last page arrived."""
    with call.house.database.write() as session:
        kept = session.get_one(KoboStore, call.caller.device_id)
        if page is not None and page == kept.page and kept.next_token is not None:
            kept.token, kept.next_token = kept.next_token, None
        elif kept.token is None and _is_genuine(shown):
            kept.token = shown  # from before it came to us (4.2)
        return kept.token


def _is_genuine(token: str) -> bool:
    return len(token) <= MAX_TOKEN and _GENUINE.fullmatch(token) is not None and _OURS.fullmatch(token) is None


def _note(call: Call, token: str) -> int:
    """Remember the token of the page that is about to be given; returns the page's number."""
    with call.house.database.write() as session:
        kept = session.get_one(KoboStore, call.caller.device_id)
        if token and token != kept.token and len(token) <= MAX_TOKEN:
            if token != kept.next_token:
                kept.next_token, kept.page = token, kept.page + 1
        return kept.page


def _headers(call: Call, token: str | None) -> dict[str, str]:
    # Without a token the store gives the whole list.
    return {**boundary.headers_out(call), **({TOKEN: token} if token else {})}


def _events(reply: client.Reply | None) -> list[dict[str, Any]] | None:
    if reply is None or reply.status != 200:
        return None
    try:
        events = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return None
    return events


def _with_page(token: str, page: int | None) -> str:
    return f"{token}.s{page}" if page else token
