"""`bookwake rebuild` on a real data folder."""

import json
from pathlib import Path

from sqlalchemy import update

from appliance.models import Progress
from appliance.reading.progress.report import Act
from tests.cli.test_commands import bookwake
from tests.library.conftest import house_in
from tests.library.making import epub
from tests.reading.household import Household


def test_it_says_what_differed_and_puts_it_right(tmp_path: Path):
    assert bookwake(tmp_path, "rebuild").stdout.startswith("Read 0 entries of 0 people about 0 books.")
    with house_in(tmp_path) as house:
        home = Household(house, epub())
        reader = home.device("koreader")
        for letter in (50, 150):
            home.says(reader, "xpointer", f"/body/DocFragment[1]/body/p[1]/text().{letter}", act=Act.READ)
        with house.database.write() as session:
            session.execute(update(Progress).values(tick=1))
        book_id = home.book_id
    done = bookwake(tmp_path, "rebuild")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Read 2 entries of 1 people about 1 books.",
        f"  progress {book_id} (book {book_id}, person 1): put right: tick",
        "1 differed.",
    ]
    again = json.loads(bookwake(tmp_path, "rebuild", "--json").stdout)
    assert again == {"people": 1, "books": 1, "entries": 2, "kept": 0, "differences": []}
    assert bookwake(tmp_path, "rebuild").stdout.splitlines()[-1] == "Everything was as the journal says."
