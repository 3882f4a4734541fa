"""Who is calling, and the tokens that we give (kobo-protocol.md 2.4, 2.5, 7.1)."""

import html
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import Session

from appliance.accounts.devices import revoke
from appliance.models import Device
from kobo_api.call import Answer
from kobo_api.caller import by_access_token, by_path_token
from tests.kobo_api.conftest import Desk, Home


def who(home: Home, **headers: str) -> int | None:
    with home.database.read() as session:
        device = by_access_token(session, {name.replace("_", "-"): value for name, value in headers.items()})
        return device.id if device else None


def test_an_access_token_names_the_device(home: Home, kobo: Desk) -> None:
    other = home.kobo(kobo.user_id)
    given = kobo.json("POST", "/v1/auth/device", {"UserKey": "key", "DeviceId": "d"})
    assert (
        given["TokenType"] == "Bearer" and given["UserKey"] == "key" and given["RefreshToken"] and given["TrackingId"]
    )
    assert who(home, authorization=f"Bearer {given['AccessToken']}") == kobo.device_id != other.device_id
    home.clock.forward(days=30)
    assert who(home, authorization=f"Bearer {given['AccessToken']}") == kobo.device_id, "expired ones still name it"


def test_a_refresh_leaves_the_user_key_as_it_is(kobo: Desk) -> None:
    assert kobo.json("POST", "/v1/auth/refresh", {"RefreshToken": ""}, x_kobo_userkey="key")["UserKey"] == "key"
    assert kobo.json("POST", "/v1/auth/refresh", b"nonsense")["UserKey"]


def test_a_device_without_an_account_is_signed_in(kobo: Desk) -> None:
    """2.7: it is led on to an address of its own, with the key that it is given from then on."""
    page = kobo.call("GET", "/activate?pwsdid=x")
    assert isinstance(page, Answer) and page.content_type.startswith("text/html")
    address = html.unescape(page.body.decode().partition("url=")[2].partition('"')[0])
    given = parse_qs(urlsplit(address).query)
    assert address.startswith("kobo://UserAuthenticated?") and set(given) == {"userId", "userKey", "email", "returnUrl"}
    for body in ({}, {"UserKey": ""}):
        assert kobo.json("POST", "/v1/auth/device", body)["UserKey"] == given["userKey"][0]
    assert kobo.json("GET", "/v1/user/profile")["UserId"] == given["userId"][0]
    assert kobo.json("GET", "/v1/affiliate") == {"AffiliateName": "Kobo"}


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJ9.e30.x", "ÿ", "." * 5, "a.eyJkZXYiOiAxfQ.c"])
def test_other_tokens_name_nobody(home: Home, kobo: Desk, token: str) -> None:
    assert who(home, authorization=f"Bearer {token}") is None


def test_a_changed_token_names_nobody(home: Home, kobo: Desk) -> None:
    head, payload, signature = kobo.json("POST", "/v1/auth/device", {})["AccessToken"].split(".")
    other = home.kobo(kobo.user_id).json("POST", "/v1/auth/device", {})["AccessToken"].split(".")
    assert who(home, authorization=f"Bearer {head}.{other[1]}.{signature}") is None
    assert who(home, authorization=f"Bearer {head}.{payload}.{signature}") == kobo.device_id


def test_the_device_id_is_learned_and_the_latest_wins(home: Home, kobo: Desk) -> None:
    kobo.call(
        "GET", "/v1/user/profile", x_kobo_deviceid="9c1f", x_kobo_devicemodel="Kobo Clara 2E", x_kobo_appversion="4.45"
    )
    assert who(home, x_kobo_deviceid="9c1f") == kobo.device_id and who(home, x_kobo_deviceid="other") is None
    again = home.kobo(kobo.user_id)
    again.call("GET", "/v1/user/profile", x_kobo_deviceid="9c1f")
    assert who(home, x_kobo_deviceid="9c1f") == again.device_id
    with home.database.read() as session:
        details = session.get_one(Device, kobo.device_id).details
    assert details["model"] == "Kobo Clara 2E" and details["firmware"] == "4.45" and "9c1f" not in json.dumps(details)


def test_last_seen_is_written_once_a_minute(home: Home, kobo: Desk) -> None:
    def seen() -> object:
        kobo.call("GET", "/v1/deals")
        with home.database.read() as session:
            return session.get_one(Device, kobo.device_id).last_seen_at

    first = seen()
    home.clock.forward(seconds=59)
    assert seen() == first
    home.clock.forward(seconds=2)
    assert seen() != first


def test_a_revoked_device_is_out_at_once(home: Home, kobo: Desk) -> None:
    token = kobo.json("POST", "/v1/auth/device", {})["AccessToken"]
    with home.database.write() as session:
        revoke(home.house, session, kobo.user_id, kobo.device_id)
    with home.database.read() as session:
        assert _by_path(home, session, kobo.secret) is None
    assert who(home, authorization=f"Bearer {token}") is None


def test_only_a_kobo_gets_in(home: Home, kobo: Desk) -> None:
    with home.database.write() as session:
        session.get_one(Device, kobo.device_id).kind = "koreader"
    with home.database.read() as session:
        assert _by_path(home, session, kobo.secret) is None and _by_path(home, session, "") is None


def test_the_whole_dance_of_newer_firmware(home: Home, kobo: Desk) -> None:
    document = kobo.json("GET", "/oauth/.well-known/openid-configuration")
    assert len(document) == 12 and all(document.values())
    answer = kobo.call("GET", "/oauth/authorize?state=s%26t&redirect_uri=kobo://UserAuthenticated")
    assert isinstance(answer, Answer) and answer.status == 302
    location = urlsplit(answer.headers["location"])
    assert (location.scheme, location.netloc) == ("kobo", "UserAuthenticated")
    assert parse_qs(location.query)["state"] == ["s&t"] and parse_qs(location.query)["code"]
    for body in (b"grant_type=refresh_token&refresh_token=r", {"grant_type": "authorization_code", "code": "c"}, b""):
        token = kobo.json("POST", "/oauth/token", body)
        assert token["token_type"] == "Bearer" and token["expires_in"] == 3600 and token["user_id"]
        assert who(home, authorization=f"bearer {token['access_token']}") == kobo.device_id
    assert kobo.json("GET", "/oauth/jwks") == {"keys": []} and kobo.json("GET", "/oauth/userinfo")["sub"]


def _by_path(home: Home, session: Session, token: str) -> object:
    return by_path_token(home.house, session, token, {})
