"""What a reader hears when the server itself fails (docs/plugin-protocol.md)."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from appliance.app import create_app
from appliance.house import open_house
from appliance.settings import load
from koreader_api.plugin import entrance
from koreader_api.plugin.contents import PREFIX


def test_a_server_that_fails_says_when_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(entrance, "_call", fail)
    house = open_house(load({"data": tmp_path}, {}))
    with closing(house.database), TestClient(create_app(house)) as client:
        answer = client.get(f"{PREFIX}/hello")
    assert (answer.status_code, answer.json()["error"]) == (503, "broken")
    assert int(answer.headers["retry-after"]) == entrance.LATER
    assert "disk" not in answer.text
