"""The first visit of a fresh appliance."""

from tests.server import Browser, Server, eventually, running_server

PEOPLE = {"name": "Ida", "password": "correct horse", "again": "correct horse"}


def test_whoever_sees_the_console_becomes_the_first_person_and_nobody_else():
    with running_server() as server, server.browser() as browser:
        assert browser.get("/").headers["location"].startswith("/sign-in")
        assert browser.get("/sign-in").headers["location"] == "/setup"
        assert "<h1>Welcome to Bookwake</h1>" in browser.get("/setup").text

        for fields, status, words in (
            ({**PEOPLE, "code": "ABCD-EFGH-JKLM"}, 403, "not the set-up code"),
            ({**PEOPLE, "code": ""}, 403, "not the set-up code"),
            ({**PEOPLE, "code": server.setup_code(), "again": "another"}, 400, "two passwords differ"),
            ({"code": server.setup_code(), "name": "Ida", "password": "short", "again": "short"}, 400, "too short"),
            ({**PEOPLE, "code": server.setup_code(), "name": " "}, 400, "name is empty"),
        ):
            answer = browser.submit("/setup", **fields)
            assert answer.status_code == status and words in answer.text
            assert "correct horse" not in answer.text
            assert_nobody_is_signed_in(browser)

        answer = browser.submit("/setup", **PEOPLE, code=server.setup_code().lower().replace("-", " "))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert browser.get("/settings").status_code == 200
        assert server.json("user", "list") == [{"id": 1, "name": "Ida", "admin": True}]
        assert_it_is_over(server)


def assert_nobody_is_signed_in(browser: Browser) -> None:
    assert "bookwake-session" not in browser.cookies


def assert_it_is_over(server: Server) -> None:
    with server.browser() as stranger:
        assert stranger.get("/setup").headers["location"] == "/sign-in"
        answer = stranger.submit("/setup", **{**PEOPLE, "name": "Eve"}, code=server.setup_code())
        assert answer.headers["location"] == "/sign-in"
        assert_nobody_is_signed_in(stranger)
    assert len(server.json("user", "list")) == 1  # type: ignore[arg-type]


def test_guessing_the_code_is_ended():
    with running_server() as server, server.browser() as browser:
        for _ in range(10):
            assert browser.submit("/setup", **PEOPLE, code="ABCD-EFGH-JKLM").status_code == 403
        assert browser.submit("/setup", **PEOPLE, code=server.setup_code()).status_code == 429
        server.restart()
        assert browser.submit("/setup", **PEOPLE, code=server.setup_code()).status_code == 303


def test_an_appliance_without_books_offers_the_sample():
    with running_server() as server:
        server.add_user("Ida", admin=True)
        with server.browser("Ida") as browser:
            empty = browser.get("/").text
            assert str(server.books) in empty and "Add the sample book" in empty
            assert browser.submit("/sample").headers["location"] == "/"
            eventually(lambda: "Alice" in browser.get("/").text)
            assert "Add the sample book" not in browser.get("/").text
