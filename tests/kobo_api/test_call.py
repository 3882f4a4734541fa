import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobo_api.call import root_url


@pytest.mark.parametrize(
    ("public", "scheme", "headers", "port", "expected"),
    [
        ("https://books.example.net", "http", {"host": "10.0.0.2"}, 8080, "https://books.example.net"),
        (None, "http", {"host": "10.0.0.2:8080"}, 8080, "http://10.0.0.2:8080"),
        # Some firmware leaves out the port (kobo-protocol.md 2.3).
        (None, "http", {"host": "10.0.0.2"}, 8080, "http://10.0.0.2:8080"),
        (None, "http", {"host": "10.0.0.2"}, 80, "http://10.0.0.2"),
        (None, "https", {"host": "nas.local"}, 443, "https://nas.local"),
        (None, "http", {"host": "[fd00::2]"}, 8080, "http://[fd00::2]:8080"),
        # Behind a proxy our port is not the one to call.
        (None, "http", {"host": "books.example.net", "x-forwarded-proto": "https"}, 8080, "https://books.example.net"),
        (
            None,
            "http",
            {"host": "a", "x-forwarded-host": "b.example", "x-forwarded-proto": "https, http"},
            80,
            "https://b.example",
        ),
        (None, "http", {}, 8080, "http://localhost:8080"),
        (None, "http", {"host": "evil.example/path?"}, 8080, "http://localhost:8080"),
    ],
)
def test_root_url(public: str | None, scheme: str, headers: dict[str, str], port: int, expected: str) -> None:
    assert root_url(public, scheme, headers, port) == expected


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_header_gets_more_than_a_host_into_the_url(host: str, forwarded: str) -> None:
    url = root_url(None, "http", {"host": host, "x-forwarded-proto": forwarded}, 8080)
    assert url.startswith(("http://", "https://")) and url.count("/") == 2
    assert not set(url) & set(" \"'<>\\?#@\r\n")
