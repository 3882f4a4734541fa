"""Who is using the browser: the person behind the session cookie."""

from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from appliance.accounts import sessions
from appliance.accounts.sessions import SignedIn
from appliance.house import House

COOKIE = "bookwake-session"

Connection = ASGIConnection[Any, Any, Any, Any]


def caller(connection: Connection) -> SignedIn | None:
    """The person who is signed in. Looks into the database: call it in a thread."""
    cookie = connection.cookies.get(COOKIE)
    return sessions.find(connection.app.state.house, cookie) if cookie else None


def session_cookie(connection: Connection, value: str) -> Cookie:
    """The cookie that keeps a browser signed in: out of reach for scripts, not sent along by other sites, and never
    over a plain connection once it came over a safe one."""
    return Cookie(
        key=COOKIE,
        value=value,
        path="/",
        max_age=int(sessions.LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_secure(connection),
    )


def is_secure(connection: Connection) -> bool:
    """Whether the browser came over HTTPS, as far as we can tell behind a proxy that does not say so."""
    house: House = connection.app.state.house
    public = urlsplit(house.settings.public_url or "")
    return connection.url.scheme == "https" or (
        public.scheme == "https" and connection.headers.get("host", "") == public.netloc
    )
