"""Tokens and the resource map (kobo-protocol.md 2.4, 2.5, 3)."""

import html
import re
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tests.simulators.kobo.connection import Connection, check_sync, read_json
from tests.simulators.kobo.shelf import Shelf
from tests.simulators.kobo.violation import check

LIFETIME = 3600
REDIRECT = "kobo://UserAuthenticated"


class SignIn:
    """What the device does before it may sync."""

    def __init__(
        self, connection: Connection, shelf: Shelf, now: Callable[[], float], say: Callable[[str], None]
    ) -> None:
        self.connection, self.shelf, self.now, self.say = connection, shelf, now, say

    def initialize(self) -> None:
        """Sign the device in if it never was, then fetch the resource map and merge it into what is known (3.2)."""
        if not self.connection.user_key:
            self.connection.user_key = self.shelf.user_key
        if not self.connection.user_key:
            self.fetch_map()
            self.activate()
        if not self.shelf.access_token:
            self.authenticate()
        self.fetch_map()

    def activate(self) -> None:
        """A device without an account opens the sign-in page, which leads it on to an address of its own (2.7)."""
        page = self.shelf.resources["sign_in_page"]
        check_sync(
            page.startswith(self.connection.api_endpoint), "the sign-in page is the shop's, which knows no such device"
        )
        query = (
            f"pwsdid={self.connection.device_id}&pwspid={self.connection.platform_id}&pwsav={self.connection.firmware}"
        )
        answer = self.connection.send("GET", f"{page}?{query}")
        found = re.search(rf"{REDIRECT}\?[^\"'<>\s]+", answer.text)
        check_sync(answer.status_code == 200 and found, "the sign-in page leads nowhere")
        given = parse_qs(urlsplit(html.unescape(found[0] if found else "")).query)
        check({"userId", "userKey", "email"} <= set(given), f"the sign-in gave only {sorted(given)}")
        self.connection.user_key = self.shelf.user_key = given["userKey"][0]
        self.say("  signed in without an account")

    def fetch_map(self) -> None:
        """`GET /v1/initialization`."""
        answer = self.connection.send("GET", self.connection.url("/v1/initialization"))
        check_sync(answer.status_code == 200, f"initialization was answered with {answer.status_code}")
        check(answer.headers.get("x-kobo-apitoken"), "without x-kobo-apitoken the map is ignored")
        resources = read_json(answer, "initialization")["Resources"]
        check(len(resources) >= 140, f"a map with {len(resources)} keys is a truncated one, and wedges the device")
        for name, value in resources.items():
            is_object = name in ("blackstone_header", "free_books_page")
            check(isinstance(value, dict if is_object else str), f"{name} is {value!r}")
        for name in ("image_url_template", "image_url_quality_template"):
            for part in ("{ImageId}", "{Width}", "{Height}"):
                check(part in resources[name], f"{name} has no {part}; the device asks for it literally")
        check(resources["image_host"].endswith("/"), "image_host is a prefix and needs a slash at its end")
        self.shelf.resources |= resources

    def authenticate(self) -> None:
        """`POST /v1/auth/device`."""
        self._take(self.connection.call("POST", "/v1/auth/device", self.connection.identity()))

    def refresh_by_api(self) -> None:
        """`POST /v1/auth/refresh`."""
        identity = self.connection.identity()
        body = {name: identity[name] for name in ("AppVersion", "ClientKey", "PlatformId")}
        self._take(self.connection.call("POST", "/v1/auth/refresh", {**body, "RefreshToken": self.shelf.refresh_token}))

    def refresh_if_expired(self) -> None:
        """After an hour: discovery, then a refresh at the token endpoint; failing that, no sync (2.5). Older firmware
        asks the API."""
        if self.now() < self.shelf.token_expires:
            return
        self.say("  access token expired")
        if not self.connection.discovers:
            self.refresh_by_api()
            return
        endpoints = self.discover()
        self._exchange(
            endpoints["token_endpoint"],
            {"grant_type": "refresh_token", "refresh_token": self.shelf.refresh_token, "client_id": "nickel"},
        )

    def authorize(self) -> None:
        """The whole flow with a code, which the firmware needs in some states."""
        endpoints = self.discover()
        state = secrets.token_hex(16)
        query = (
            f"scope=openid%20profile&response_type=code&client_id=nickel&state={state}&redirect_uri={REDIRECT}"
            "&code_challenge=abc&code_challenge_method=S256"
        )
        answer = self.connection.send("GET", f"{endpoints['authorization_endpoint']}?{query}")
        location = answer.headers.get("location", "")
        check_sync(answer.status_code == 302 and location.startswith(REDIRECT), f"authorize led to {location!r}")
        given = parse_qs(urlsplit(location).query)
        check(given.get("state") == [state], "the state was not returned")
        self._exchange(
            endpoints["token_endpoint"],
            {"grant_type": "authorization_code", "code": given["code"][0], "code_verifier": "v", "client_id": "nickel"},
        )

    def discover(self) -> dict[str, str]:
        """The OIDC document of `oauth_host`."""
        host = self.shelf.resources["oauth_host"]
        answer = self.connection.send("GET", f"{host}/.well-known/openid-configuration")
        check_sync(answer.status_code == 200, f"discovery was answered with {answer.status_code}")
        document: dict[str, str] = read_json(answer, "discovery")
        check_sync(document.get("token_endpoint"), 'requesting a new token from "": WebRequestErr')
        check("access_token" not in document, "discovery answered with a token")
        return document

    def _exchange(self, endpoint: str, form: dict[str, str]) -> None:
        answer = self.connection.send("POST", endpoint, form=form)
        check_sync(answer.status_code == 200, f"the token endpoint answered {answer.status_code}")
        token = read_json(answer, "token")
        check(token.get("token_type") == "Bearer" and token.get("user_id"), f"the token is of no use: {sorted(token)}")
        self._keep(token["access_token"], token["refresh_token"], int(token["expires_in"]))

    def _take(self, token: dict[str, str]) -> None:
        for name in ("AccessToken", "RefreshToken", "TrackingId", "UserKey"):
            check(token.get(name), f"auth gave no {name}")
        check(token["TokenType"] == "Bearer", "TokenType must be Bearer")
        check(token["UserKey"] == self.connection.user_key, "the user key was not returned")
        self._keep(token["AccessToken"], token["RefreshToken"], LIFETIME)

    def _keep(self, access: str, refresh: str, lifetime: int) -> None:
        self.shelf.access_token = self.connection.access_token = access
        self.shelf.refresh_token = refresh
        self.shelf.token_expires = self.now() + lifetime
