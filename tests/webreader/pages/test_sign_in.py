import httpx
import pytest

from tests.server import PASSWORD, Server


def test_signing_in_leads_where_one_wanted_to_go(server: Server):
    with server.browser() as browser:
        asked = browser.get("/devices")
        assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/devices")
        assert 'name="next" value="/devices"' in browser.get(asked.headers["location"]).text
        answer = browser.submit("/sign-in", name=" ida ", password=PASSWORD, next="/devices")
        assert (answer.status_code, answer.headers["location"]) == (303, "/devices")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("bookwake-session=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert browser.get("/devices").status_code == 200
        assert browser.get("/sign-in").headers["location"] == "/"


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nX: y", "evil"]
)
def test_signing_in_never_leads_elsewhere(server: Server, target: str):
    with server.browser() as browser:
        answer = browser.submit("/sign-in", name="Ida", password=PASSWORD, next=target)
        assert answer.headers["location"] == "/" and "x" not in answer.headers
        assert browser.get("/sign-in", params={"next": target}).headers["location"] == "/"


def test_a_wrong_password_and_a_wrong_name_look_the_same(server: Server):
    with server.browser() as browser:
        texts = []
        for name, password in (("Ida", "wrong"), ("Nobody", PASSWORD), ("Ida", ""), ("Ida", "x" * 5000)):
            answer = browser.submit("/sign-in", name=name, password=password)
            assert answer.status_code == 403 and "bookwake-session" not in browser.cookies
            texts.append(answer.text.replace(name, "NAME"))
        assert len({text[text.index("<main") :] for text in texts}) == 1


def test_guessing_is_slowed_down_for_that_name_only(server: Server):
    with server.browser() as browser:
        for _ in range(10):
            assert browser.submit("/sign-in", name="Guessed", password="wrong").status_code == 403
        refused = browser.submit("/sign-in", name="GUESSED ", password=PASSWORD)
        assert refused.status_code == 429 and "15 minutes" in refused.text
        assert browser.submit("/sign-in", name="Ben", password=PASSWORD).status_code == 303


def test_a_forged_address_does_not_help_guessing(server: Server):
    with server.browser() as browser:
        for number in range(10):
            browser.headers["X-Real-IP"] = browser.headers["Forwarded"] = f"for=198.51.100.{number}"
            browser.submit("/sign-in", name="Target", password="wrong")
        assert browser.submit("/sign-in", name="Target", password="wrong").status_code == 429


def test_signing_out_ends_the_session_on_the_server(server: Server):
    with server.browser("Ben") as browser:
        session = browser.cookies["bookwake-session"]
        assert browser.submit("/sign-out").headers["location"] == "/sign-in"
        assert "bookwake-session" not in browser.cookies
    again = httpx.get(server.url + "/devices", cookies={"bookwake-session": session}, headers={"Accept": "text/html"})
    assert again.status_code == 303


@pytest.mark.parametrize("path", ["/devices", "/sign-out", "/settings/password", "/settings/people", "/sign-in"])
def test_a_form_of_another_site_does_nothing(server: Server, path: str):
    with server.browser("Ida") as browser:
        before = browser.get("/devices").text.count("<h3>")
        fields = {"kind": "kobo", "name": "Forged", "password": PASSWORD}
        token = browser.cookies["bookwake-csrf"]
        forged = token[:-1] + ("0" if token[-1] != "0" else "1")
        for data in (fields, {**fields, "_csrf_token": ""}, {**fields, "_csrf_token": forged}):
            assert browser.post(path, data=data).status_code == 403
        assert browser.post(path, content=b"{}", headers={"content-type": "text/plain"}).status_code == 403
        assert browser.get("/devices").text.count("<h3>") == before


def test_a_form_that_is_too_large_is_refused(server: Server):
    with server.browser("Ida") as browser:
        answer = browser.submit("/devices", kind="kobo", name="x" * 200_000)
        assert answer.status_code in (400, 413)
        assert "xxxx" not in browser.get("/devices").text


@pytest.mark.parametrize("path", ["/nothing", "/book/nothing", "/read/nothing", "/book/../../etc/passwd", "/static/x"])
def test_what_is_not_there_is_said_in_plain_words(server: Server, path: str):
    with server.browser("Ida") as browser:
        answer = browser.get(path)
        assert answer.status_code == 404 and "<h1>There is nothing here</h1>" in answer.text
        for inside in ("Traceback", "litestar", "sqlite", "/home", str(server.folder)):
            assert inside not in answer.text
        told = browser.get(path, headers={"Accept": "application/json"})
        assert told.status_code == 404 and set(told.json()) == {"error", "remedy"}


def test_every_answer_carries_the_policies(server: Server):
    with server.browser("Ida") as browser:
        for path in ("/", "/devices", "/settings", "/nothing", "/healthz", "/sign-in"):
            headers = browser.get(path).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';"), path
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-content-type-options"] == "nosniff"
            assert "server" not in headers
        assert browser.head("/").status_code == 200 and browser.head("/").content == b""
        assert browser.get("/").headers["cache-control"] == "no-store"
        assert browser.delete("/devices").status_code in (403, 405)
