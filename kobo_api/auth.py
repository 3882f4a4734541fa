"""Signing in: device tokens, and the OpenID Connect dance of firmware 4.44 and later (kobo-protocol.md 2.4, 2.5).

The token in the URL has already proved who calls. What is issued here keeps the firmware content, and is recognised
on the reading services, whose paths carry no token. Nothing here ever answers 4xx: it would cancel the sync.
"""

import html
import secrets
import uuid
from typing import Any
from urllib.parse import parse_qs, urlencode

from kobo_api.call import Answer, Call, answer
from kobo_api.caller import TOKEN_LIFETIME, access_token

SCOPES = ["openid", "profile", "kobo_profile", "public_api_authenticated", "public_api_anonymous", "offline_access"]

CONTACT = "reader@example.net"  # nobody's: the device wants one


def device_auth(call: Call) -> Answer:
    """`POST /v1/auth/device` and `POST /v1/auth/refresh` → the five fields of 2.4. The user key is an echo: it is the
    user's lasting secret, so it is neither kept nor logged."""
    given = call.json()
    user_key = given.get("UserKey") if isinstance(given, dict) else None
    # A refresh does not repeat it in the body; another one in the answer might make the device somebody else.
    user_key = user_key or call.headers.get("x-kobo-userkey")
    return answer(
        {
            "AccessToken": access_token(call.caller, call.house.now()),
            "RefreshToken": _refresh_token(),
            "TokenType": "Bearer",
            "TrackingId": str(uuid.uuid4()),
            "UserKey": user_key if isinstance(user_key, str) and user_key else _user_id(call),
        }
    )


def discovery(call: Call) -> Answer:
    """`GET …/oauth/.well-known/openid-configuration`. Without a usable `token_endpoint` the device stops syncing an
    hour after its first success."""
    issuer = f"{call.base}/oauth"
    return answer(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "response_types_supported": ["code", "token"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256", "plain"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": SCOPES,
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
        }
    )


def authorize(call: Call) -> Answer:
    """`GET …/oauth/authorize` → `302 kobo://UserAuthenticated?code=…&state=…`."""
    state = parse_qs(call.query).get("state", [""])[0]
    parameters = {"code": secrets.token_hex(16)} | ({"state": state} if state else {})
    return Answer(status=302, headers={"location": f"kobo://UserAuthenticated?{urlencode(parameters)}"})


def activate(call: Call) -> Answer:
    """`GET …/activate`, the `sign_in_page`: a new device without an account opens it in its own browser, and is signed
    in by being led on to `kobo://UserAuthenticated` (2.7)."""
    user_id = _user_id(call)
    signed_in = {"userId": user_id, "userKey": user_id, "email": CONTACT, "returnUrl": call.base}
    address = html.escape(f"kobo://UserAuthenticated?{urlencode(signed_in)}")
    page = (
        f'<!doctype html><title>Bookwake</title><meta http-equiv="refresh" content="0;url={address}">'
        f'<p><a href="{address}">Sign in</a></p>'
    )
    return Answer(page.encode(), headers={"cache-control": "no-store"}, content_type="text/html; charset=utf-8")


def token(call: Call) -> Answer:
    """`POST …/oauth/token`, form or JSON, any grant → an access token for an hour. `user_id` must not be empty: one
    firmware looped on that."""
    access, refresh = access_token(call.caller, call.house.now()), _refresh_token()
    return answer(
        {
            "access_token": access,
            "refresh_token": refresh,
            "id_token": access,
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFETIME.total_seconds()),
            "scope": " ".join(SCOPES),
            "user_id": _user_id(call),
            "AccessToken": access,
            "RefreshToken": refresh,
            "TokenType": "Bearer",
        },
        headers={"cache-control": "no-store"},
    )


def userinfo(call: Call) -> Answer:
    """`GET …/oauth/userinfo` → an object; nothing of it is needed."""
    return answer({"sub": _user_id(call)})


def jwks(call: Call) -> Answer:
    """`GET …/oauth/jwks` → no keys: no firmware verifies a signature (2.4)."""
    return answer({"keys": []})


def profile(call: Call) -> Answer:
    """`GET /v1/user/profile`. The whole object of chapter 8: an empty one hung a device."""
    created = "2026-01-01T00:00:00Z"
    value: dict[str, Any] = {
        "AffiliateName": "Kobo",
        "AudiobooksEnabled": False,
        "ContactEmail": CONTACT,
        "CountryCode": "US",
        "Geo": "US",
        "HasPurchased": True,
        "HasPurchasedAudiobook": False,
        "HasPurchasedBook": True,
        "IsChildAccount": False,
        "IsEligibleForOrangeDeal": False,
        "IsLibraryMigrated": False,
        "IsOneStore": True,
        "IsOrangeAffiliated": False,
        "IsoCultureCode": "en-US",
        "KoboCrmOptInSetting": "ExplicitlyConsentedNo",
        "LinkedAccounts": [],
        "LoyaltyDetails": {
            "LoyaltyCurrentBalance": 0,
            "LoyaltyIsActive": False,
            "LoyaltyStartDate": created,
            "LoyaltyTagString": "",
            "LoyaltyTags": 0,
        },
        "PartnerId": "00000000-0000-0000-0000-000000000001",
        "PlatformId": call.headers.get("x-kobo-platformid", "00000000-0000-0000-0000-000000000391"),
        "PrivacyPermissions": [],
        "SafeSearch": False,
        "StoreFront": "US",
        "UserCreated": created,
        "UserId": _user_id(call),
        "VipMembershipPurchased": False,
    }
    return answer(value)


def _refresh_token() -> str:
    return f"r-{secrets.token_hex(16)}"


def _user_id(call: Call) -> str:
    """An id for the user, the same for ever, that says nothing of them."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"bookwake:user:{call.caller.user_id}"))
