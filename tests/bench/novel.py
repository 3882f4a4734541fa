"""A house with one novel and one person, for what is measured without a server."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import select

from appliance.house import House
from appliance.models import Book, Device, User
from tests.bench import generate
from tests.bench.appliance import Appliance
from tests.simulators.engine import Engine, Word


@dataclass(frozen=True)
class Novel:
    """`words`: of the whole book, as KOReader names them."""

    house: House
    book_id: str
    sha256: str
    user_id: int
    words: list[Word]

    def device(self, kind: str) -> int:
        """Another device of the person."""
        with self.house.database.write() as session:
            device = Device(user_id=self.user_id, kind=kind, name=kind, created_at=self.house.now())
            session.add(device)
            session.flush()
            assert device.id is not None
            return device.id


@contextmanager
def open_novel(folder: Path, small: bool = False) -> Iterator[Novel]:
    """A generated novel, or a small book, scanned into a database of its own, which is removed afterwards."""
    appliance = Appliance(folder / "data", folder / "books")
    file = generate.write(appliance.books, generate.plan(0, small=small))
    appliance.cli("scan")
    appliance.cli("user", "add", "Ida", "--password-stdin", stdin="correct horse battery staple\n")
    house = appliance.open()
    try:
        with house.database.read() as session:
            book, user = session.exec(select(Book)).one(), session.exec(select(User)).one()
        assert book.main_sha256 is not None and user.id is not None
        yield Novel(house, book.id, book.main_sha256, user.id, Engine(file).words)
    finally:
        house.database.close()
        shutil.rmtree(folder)
