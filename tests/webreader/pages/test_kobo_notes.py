"""The page about the notes on a Kobo, over a real server and with a simulated device."""

from pathlib import Path

from tests.server import Server
from tests.simulators.kobo import Kobo


def test_the_switch_and_what_is_on_the_kobo(server: Server, tmp_path: Path) -> None:
    server.add_user("Nora")
    added = server.add_device("Nora", "kobo", "Libra")
    path = f"/devices/{added['device']}/notes"
    with server.browser("Nora") as browser, Kobo(added["api_endpoint"], tmp_path / "kobo") as kobo:
        page = browser.get(path).text
        assert "<strong>Off.</strong>" in page and "No notes on it" in page
        assert path in browser.get(f"/devices/{added['device']}").text
        kobo.sync()
        kobo.download("Marvelous")
        kobo.open("Marvelous")
        kobo.turn_pages(3)
        assert kobo.reader is not None and kobo.reader.top is not None
        kobo.highlight(kobo.reader.top)
        kobo.close()
        assert "1 on the Kobo" in browser.get(path).text
        assert browser.submit(path, pushes="yes").headers["location"] == path
        assert "<strong>On.</strong>" in browser.get(path).text
        assert browser.submit(path, pushes="no").status_code == 303
        assert "<strong>Off.</strong>" in browser.get(path).text


def test_of_nobody_else(server: Server) -> None:
    added = server.add_device("Ida", "kobo", "Ida's")
    with server.browser("Ben") as browser:
        path = f"/devices/{added['device']}/notes"
        assert browser.get(path).status_code == 404
        assert browser.submit(path, pushes="yes").status_code == 404
    with server.browser() as stranger:
        assert stranger.get(path).status_code in (303, 401)
