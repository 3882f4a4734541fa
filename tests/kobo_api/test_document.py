"""The routes as the document lists them (kobo-protocol.md 3.3, 3.4, 8, 13.1): each is answered as it says."""

import json
import re
from collections.abc import Iterator
from typing import Any

from kobo_api import contents
from kobo_api.call import Answer, FileAnswer
from kobo_api.resources import resources
from tests.conftest import ROOT
from tests.kobo_api.conftest import Desk

DOCUMENT = (ROOT / "docs" / "reference" / "kobo-protocol.md").read_text(encoding="utf-8")
# Rows whose answer depends on what was asked; they have tests of their own.
SPOKEN = {"/v1/analytics/gettests", "/v1/analytics/event", "/v1/user/wishlist/items", "/v1/user/profile"}


def section(number: str) -> str:
    """From a heading to the next one of any rank."""
    found = re.search(rf"^#+ {re.escape(number)}\.? .*?$(.*?)(?=^#+ \d|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, number
    return found[1]


def rows() -> Iterator[tuple[str, str, str]]:
    """Method, path and answer of each row of chapter 8."""
    for line in section("8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and re.fullmatch(r"(GET|POST)(/(GET|POST))?", cells[0].strip()):
            for method in cells[0].split("/"):
                base = ""
                for path in re.findall(r"`([^`]+)`", cells[1].partition(" (")[0].partition(" other")[0]):
                    base = path if path.startswith("/") else f"{base.rpartition('/')[0]}/{path.lstrip('…/')}"
                    if not path.startswith("{"):
                        yield method, filled(base), cells[2]


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}|\*", "x", path.replace("[/]", "")).rstrip("/")


def expected(answer: str) -> list[Any]:
    """What the answer cell shows as JSON; of several, any will do."""
    found = []
    for text in re.findall(r"`([^`]+)`", answer):
        try:
            found.append(json.loads(text.removeprefix("200 ")))
        except ValueError:
            continue
    return found


def test_chapter_8_is_answered_as_it_says(kobo: Desk) -> None:
    walked = 0
    for method, path, told in rows():
        answer = kobo.call(method, path, {} if method == "POST" else None)
        assert isinstance(answer, Answer) and answer.status in (200, 204), (method, path)
        if path in SPOKEN:
            continue
        walked += 1
        shapes = expected(told)
        if "204" in told:
            assert (answer.status, answer.body) == (204, b""), (method, path)
        elif "empty" in told and not shapes:
            assert (answer.status, answer.body) == (200, b""), (method, path)
        else:
            assert shapes and json.loads(answer.body) in shapes, (method, path, answer.body, shapes)
    assert walked > 45, "the table was not found"


def test_the_profile_has_every_key_of_the_document(kobo: Desk) -> None:
    text = re.search(r"```json\n(.*?)```", section("8"), re.DOTALL)
    assert text
    shown, given = json.loads(text[1]), kobo.json("GET", "/v1/user/profile")
    assert {name: type(value) for name, value in shown.items()} == {name: type(value) for name, value in given.items()}


def test_every_route_of_the_checklist_has_its_handler() -> None:
    for line in section("13.1").splitlines():
        match = re.match(r"/kobo/\{token\}(/\S+)", line)
        if match is None or match[1].endswith("/..."):
            continue
        names = re.search(r"\{(\w+(?:,\w+)+)\}", match[1])
        for name in names[1].split(",") if names else [""]:
            path = filled(match[1].replace(names[0], name) if names else match[1]).replace("[.kepub.epub]", "")
            handler, _ = contents.find("POST" if name == "token" else "GET", path)
            assert handler is not contents.nothing, path
    roots = re.findall(r"^(/api/\w+(?:/\w+)?)", section("13.1"), re.MULTILINE)
    assert len(roots) == 4
    for root in roots:
        assert any(
            f"{root}/".startswith(f"{prefix}/") or prefix.startswith(root) for prefix in contents_of_the_root()
        ), root


def contents_of_the_root() -> list[str]:
    from kobo_api.reading_services import PARTS

    return list(PARTS)


def test_every_key_of_the_map_is_given(kobo: Desk) -> None:
    """3.4, but for the hosts that do not exist any more; 3.3 says which are ours."""
    root, base = "https://books.example.net", "https://books.example.net/kobo/t"
    given = resources(root, base)
    ours = dict(re.findall(r"`(\w+)` \| `B?(/(?:v1|v2|api)/[^`]*)`", section("3.4")))
    genuine = dict(
        re.findall(r"^\| `(\w+)` \| `([^`]+)` \|$", section("3.4").partition("Everything else")[2], re.MULTILINE)
    )
    flags = dict(re.findall(r"`(\w+)`=(True|False)", section("3.4")))
    assert len(ours) > 90 and len(genuine) > 55 and len(flags) > 25
    gone = {"social_host", "social_authorization_host", "discovery_host"}
    assert set(given) == (set(ours) | set(genuine) | set(flags)) - gone
    assert len(given) >= 176, "a map with few keys is a truncated one"
    for name, path in ours.items():
        assert given[name] == (root if name == "notebooks" else base) + path, name
    for name, value in flags.items():
        assert given[name] == value, name
    replaced = {"image_host", "image_url_template", "image_url_quality_template", "oauth_host", "reading_services_host"}
    replaced |= {"sign_in_page"}
    for name in set(genuine) - gone - replaced - {"blackstone_header", "free_books_page"}:
        assert given[name] == genuine[name], name
    for name in replaced:
        assert "kobo.com" not in given[name], name


def test_what_the_map_points_to_is_answered(kobo: Desk) -> None:
    """Whatever the device makes of the placeholders."""
    for name, value in resources("", "").items():
        if isinstance(value, str) and value.startswith(("/v1", "/v2", "/api/v2", "/oauth", "/covers")):
            for method in ("GET", "POST"):
                answer = kobo.call(method, filled(value), {} if method == "POST" else None)
                assert isinstance(answer, FileAnswer) or answer.status in (200, 201, 204, 302), (name, method)
