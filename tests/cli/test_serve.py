"""`serve` as an init system sees it."""

import re
import signal
import socket
import subprocess

import httpx

from tests.server import BOOKS, Server, eventually, running_server


def test_a_fresh_appliance_prints_its_address_and_a_code():
    with running_server() as server:
        assert f"Bookwake is at {server.url}\n" in server.log
        first = server.setup_code()
        assert re.fullmatch(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){2}", first)
        server.restart()
        assert server.setup_code() != first
        server.add_user("Ida", admin=True)
        server.restart()
        assert server.log.count("Set-up code:") == 2


def test_the_books_of_the_folder_appear_by_themselves():
    with running_server() as server:
        server.add_user("Ida")
        (server.books / "minimal.epub").write_bytes((BOOKS / "minimal-v2.epub").read_bytes())
        server.restart()
        with server.browser("Ida") as browser:
            eventually(lambda: "/book/" in browser.get("/").text)


def test_health_is_told_without_signing_in():
    with running_server() as server:
        assert httpx.get(server.url + "/healthz").json() == {"status": "alive"}
        assert httpx.get(server.url + "/readyz").json() == {"status": "ready"}
        assert httpx.head(server.url + "/healthz").status_code == 200
        assert server.cli("health").stdout == "Bookwake is ready.\n"
        assert server.json("health") == {"status": "ready"}


def test_a_second_appliance_on_the_port_says_so():
    with running_server() as server:
        done = server.cli("serve")
        assert done.returncode == 1 and f"port {server.port}" in done.stderr and "--port" in done.stderr
        assert "Traceback" not in done.stderr


def test_any_free_port_is_printed():
    with running_server() as server:
        other = Server(server.folder, 0)
        process = subprocess.Popen(
            other._command("serve"), cwd=other.folder, env=other._environ(), stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().removeprefix("Bookwake is at ").strip()
            host, _, port = address.removeprefix("http://").partition(":")
            assert int(port) > 0
            with socket.create_connection((host, int(port)), timeout=30):
                pass
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert process.stdout is not None
            process.stdout.close()


def test_a_stop_finishes_what_is_under_way_and_leaves_the_database_closed():
    with running_server(books=[BOOKS / "childrens-literature.epub"]) as server:
        server.add_user("Ida")
        with server.browser("Ida") as browser:
            assert browser.get("/").status_code == 200
        server.stop()
        left = {path.name for path in server.data.glob("bookwake.sqlite3*")}
        assert left == {"bookwake.sqlite3"}
        server.start()


def test_no_secret_is_logged():
    with running_server(books=[BOOKS / "minimal-v2.epub"]) as server:
        server.add_user("Ida")
        kobo = server.add_device("Ida", "kobo")
        kosync = server.add_device("Ida", "kosync")
        for path in ("/v1/initialization", "/v1/library/sync", "/nonsense", "/v1/%00%ff/..", "/v1/library/x/state"):
            httpx.get(kobo["api_endpoint"] + path)
            httpx.put(kobo["api_endpoint"] + path, content=b"{not json")
        httpx.get(kosync["server"] + "/users/auth", auth=(kosync["username"], kosync["password"]))
        with server.browser("Ida"):
            pass
        server.stop()
        for secret in (kobo["token"], kosync["password"], "correct horse"):
            assert secret not in server.log
        server.start()
