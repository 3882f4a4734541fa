"""Who is calling: the KOSync login behind a request (docs/reference/koreader.md 1.2)."""

import base64
import binascii
import hashlib
import hmac
from typing import Any

from litestar import Request
from sqlmodel import Session

from appliance.accounts.devices import Login, by_login
from appliance.accounts.tokens import hash_token
from koreader_api.kosync.wire import WireError


def caller(request: Request[Any, Any, Any], session: Session) -> Login:
    """The login of the request. Raises `WireError` 401 when there is none, or its key does not fit."""
    given = credentials(request)
    if given is None:
        raise WireError(401, 2001, "Unauthorized")
    login, key = given
    found = by_login(session, login)
    # The password is random (accounts.devices), so a fast hash is enough and a guess is hopeless.
    if not hmac.compare_digest(found.token_hash if found else "-", hash_token(key)) or found is None:
        raise WireError(401, 2001, "Unauthorized")
    return found


def credentials(request: Request[Any, Any, Any]) -> tuple[str, str] | None:
    """Login and key of a request, from `x-auth-user`/`x-auth-key`, else from HTTP Basic, whose plain password is
    turned into the key that stock clients send: its MD5 in lower-case hex. `None` when there are none."""
    login, key = request.headers.get("x-auth-user"), request.headers.get("x-auth-key")
    if login and key:
        return login, key
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, separator, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (login, hashlib.md5(password.encode()).hexdigest()) if separator and login else None
