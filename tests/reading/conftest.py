"""People with one book on a database of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.database import Database
from tests.databases import KINDS, empty_database
from tests.reading.shelf import Shelf


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    with empty_database(request.param, tmp_path) as url:
        database = Database(url)
        database.migrate()
        yield Shelf(database)
        database.close()
