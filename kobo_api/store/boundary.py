"""What may go out to the store, and what may come in: nothing of ours, nothing that claims to be ours."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from sqlmodel import Session, col, select

from appliance.models import KoboEntitlement, KoboTag
from kobo_api.call import Call
from kobo_api.caller import is_access_token

_FORWARDED = {"authorization", "user-agent", "accept", "accept-language", "content-type"}
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_REFRESH = re.compile(r"r-[0-9a-f]{32}")
MAX_IDS = 20_000  # in one text


def target(call: Call) -> str:
    """Path and query as they go over the wire; the query as it came (9)."""
    path = quote(call.path, safe="/:@!$&'()*+,;=~")
    return f"{path}?{call.query}" if call.query else path


def headers_out(call: Call) -> dict[str, str]:
    """The headers that the store gets: a few by name, the device's own, and never a token of ours."""
    kept = {
        name: value
        for name, value in call.headers.items()
        if (name in _FORWARDED or name.startswith("x-kobo-")) and name != "x-kobo-synctoken"
    }
    if is_access_token(kept.get("authorization", "")):
        del kept["authorization"]
    return kept


def may_go_out(call: Call) -> bool:
    """Whether a request names nothing that is ours: a secret, a book, a collection."""
    body = call.body.decode("utf-8", "replace")
    whole = f"{call.path}\n{call.query}\n{body}"
    if call.caller.token in whole or _REFRESH.search(whole) or is_access_token(body):
        return False
    return not ours(call.session, whole)


def ours(session: Session, text: str) -> set[str]:
    """The ids in a text that are ours, of whoever's Kobo."""
    return _known(session, {match.lower() for match in _UUID.findall(text)})


def _known(session: Session, ids: Iterable[str]) -> set[str]:
    listed = sorted(ids)[:MAX_IDS]
    found: set[str] = set()
    for at in range(0, len(listed), 500):
        part = listed[at : at + 500]
        found |= set(session.exec(select(KoboEntitlement.id).where(col(KoboEntitlement.id).in_(part))))
        found |= set(session.exec(select(KoboTag.tag_id).where(col(KoboTag.tag_id).in_(part))))
    return found


def headers_in(headers: Mapping[str, str]) -> dict[str, str]:
    """Of the store's answer, what a device needs."""
    return {name: value for name, value in headers.items() if name in ("x-kobo-apitoken", "etag", "cache-control")}
