"""The one line of a Kobo's configuration that is ours (kobo-protocol.md 2.1, 3.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobo_api.plugged_in.configuration import checked_endpoint, endpoint_of, given_back, is_store, with_endpoint

OURS = "http://192.168.1.20:8080/kobo/3f0c9de1"
OTHER = "https://calibre.example.net/kobo/abc"
GENUINE = b"""[General]
Version=4\r
[OneStoreServices]
account_page=https://www.kobo.com/account/settings
api_endpoint=https://storeapi.kobo.com
image_host=//cdn.kobo.com/book-images/
reading_services_host=https://readingservices.kobo.com

[Reading]
api_endpoint=no business of ours
font=Amasis\\xe9
"""

line = st.sampled_from(
    [
        b"[OneStoreServices]",
        b"[Reading]",
        b" [OneStoreServices]  ",
        b"\xef\xbb\xbf[OneStoreServices]",
        b"api_endpoint=https://storeapi.kobo.com",
        b" api_endpoint = https://storeapi.kobo.com ",
        b"api_endpoint=" + OTHER.encode(),
        b"image_host=//calibre.example.net/kobo/abc/covers/",
        b"image_host=//cdn.kobo.com/book-images/",
        b"reading_services_host=https://calibre.example.net",
        b"api_endpoint",
        b"; api_endpoint=x",
        b"feedback=\xff\x00=",
        b"=",
        b"",
    ]
)
files = st.lists(st.tuples(line, st.sampled_from([b"\n", b"\r\n"])), max_size=12).map(
    lambda lines: b"".join(text + end for text, end in lines)
) | st.binary(max_size=80)


def test_only_the_line_changes() -> None:
    changed = with_endpoint(GENUINE, OURS)
    assert changed == GENUINE.replace(b"api_endpoint=https://storeapi.kobo.com", b"api_endpoint=" + OURS.encode())
    assert endpoint_of(changed) == OURS and with_endpoint(changed, OURS) == changed


def test_windows_line_ends_stay() -> None:
    data = GENUINE.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert with_endpoint(data, OURS).count(b"\r\n") == data.count(b"\n")


def test_a_section_without_the_line_gets_it() -> None:
    assert with_endpoint(b"[OneStoreServices]", OURS) == b"[OneStoreServices]\napi_endpoint=%b\n" % OURS.encode()
    made = with_endpoint(b"[Reading]\r\nfont=x", OURS)
    assert made == b"[Reading]\r\nfont=x\r\n[OneStoreServices]\r\napi_endpoint=%b\r\n" % OURS.encode()


def test_the_addresses_of_a_server_that_is_left_go_with_it() -> None:
    """A device kept an old server's `image_host` for months (3.2)."""
    data = GENUINE.replace(b"https://storeapi.kobo.com", OTHER.encode())
    data = data.replace(b"//cdn.kobo.com/book-images/", b"//calibre.example.net/kobo/abc/covers/")
    data = data.replace(b"https://readingservices.kobo.com", b"https://calibre.example.net")
    changed = with_endpoint(data, OURS)
    assert b"calibre" not in changed and b"account_page=https://www.kobo.com" in changed
    again = with_endpoint(changed, OURS.replace("3f0c", "0000"))
    assert again == changed.replace(b"3f0c", b"0000"), "another secret of the same server"


@given(files, st.sampled_from([OURS, OTHER, "https://[::1]:80"]))
def test_any_file_comes_back_as_it_was(data: bytes, endpoint: str) -> None:
    changed = with_endpoint(data, endpoint)
    assert endpoint_of(changed) == endpoint and with_endpoint(changed, endpoint) == changed
    assert given_back(changed, data) == data or endpoint_of(data) == endpoint
    assert given_back(data, None) == data or not is_store(endpoint_of(data))


@given(files)
def test_without_the_former_file_it_is_the_store(data: bytes) -> None:
    assert is_store(endpoint_of(given_back(with_endpoint(data, OURS), None)))


def test_what_the_device_wrote_since_stays_but_for_our_addresses() -> None:
    device = with_endpoint(GENUINE, OURS).replace(b"//cdn.kobo.com/book-images/", b"http://192.168.1.20:8080/kobo/3f/")
    device = device.replace(b"[Reading]", b"oauth_host=https://192.168.1.20:8080/kobo/3f0c9de1/oauth\n[Reading]")
    device = device.replace(b"Version=4", b"Version=5")
    assert given_back(device, GENUINE) == GENUINE.replace(b"Version=4", b"Version=5")
    alone = given_back(device, None)
    assert endpoint_of(alone) == "https://storeapi.kobo.com" and b"192.168" not in alone and b"image_host" not in alone


@pytest.mark.parametrize("text", ["", "ftp://x", "books", "http://a b", "http://x;y", 'http://"x"', "http://x/a,b"])
def test_what_would_break_the_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        checked_endpoint(text)


def test_a_whole_request_is_no_endpoint() -> None:
    assert checked_endpoint(f" {OURS}/ ") == OURS
    with pytest.raises(ValueError, match="/v1"):
        checked_endpoint(f"{OURS}/v1/library/sync")
