"""What is remembered of a Kobo's requests, and above all what is not."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts.recent_calls import RecentCall, RecentCalls
from kobo_api.contents import ROUTES
from kobo_api.watch import shown_path
from tests.kobo_api.conftest import EPOCH

ID = "6d1e7a10-8c55-4f2b-9b1c-2f60c7d3a901"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/library/sync", "/v1/library/sync"),
        (f"/v1/library/{ID}/state", "/v1/library/6d1e7a10…/state"),
        (f"/download/{ID}.kepub.epub", "/download/6d1e7a10….kepub.epub"),
        (
            f"/covers/{ID}-0123456789abcdef/355/530/false/image.jpg",
            "/covers/6d1e7a10…-0123456789abcdef/355/530/false/image.jpg",
        ),
        (f"/covers/{ID}-{'a' * 32}/1/1/x.jpg", "/covers/6d1e7a10…/1/1/x.jpg"),
        ("/oauth/.well-known/openid-configuration", "/oauth/.well-known/openid-configuration"),
        ("/v1/user/me@example.net", "/v1/user/…"),
        ("/v1/x/9c1f0e6d5b4a39281706f5e4d3c2b1a0", "/v1/x/…"),
        ("/v1/x/eyJhbGciOiJIUzI1NiJ9eyJkZXYiOiI0Mi.c2ln", "/v1/x/…"),
        ("/v1/x/two words\n", "/v1/x/…"),
        ("", "/"),
        ("/v1/deals/", "/v1/deals"),
    ],
)
def test_a_path_without_secrets(path: str, shown: str) -> None:
    assert shown_path(path) == shown


@given(st.text(st.sampled_from("0123456789abcdefXYZ"), min_size=21), st.text(max_size=5), st.text(max_size=5))
def test_no_long_word_is_shown(secret: str, before: str, after: str) -> None:
    assert secret not in shown_path(f"/v1/{before}{secret}{after}/state")


def test_the_paths_of_the_protocol_are_shown() -> None:
    for _, path, _ in ROUTES:
        plain = re.sub(r"{\w+}", "x", path)
        assert shown_path(plain) == plain


def test_memory_is_bounded() -> None:
    recent = RecentCalls(per_device=3, devices=2)
    for device in (1, 2, 3):
        for number in range(5):
            recent.add(device, RecentCall(EPOCH + timedelta(seconds=number), "GET", f"/{number}", 200, 1, 0, 2))
    assert [call.path for call in recent.of(3)] == ["/4", "/3", "/2"]
    assert len(recent.of(2)) == 3 and recent.of(1) == []
    recent.add(2, RecentCall(EPOCH, "GET", "/", 200, 1, 0, 2))
    recent.add(4, RecentCall(EPOCH, "GET", "/", 200, 1, 0, 2))
    assert recent.of(3) == [], "the one that called longest ago goes"
