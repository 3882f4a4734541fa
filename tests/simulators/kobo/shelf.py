"""What a Kobo keeps: its books with their places and notes, and its tokens, in one file that survives a restart."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Place:
    """A place as the device keeps it: a document and a span of its file, with the percentages it shows."""

    source: str = ""
    span: str = ""
    percent: int = 0
    document_percent: int = 0


@dataclass
class Book:
    """A book on the device. `file`: name of the downloaded file, `None` while only listed. `place`: where the reader
    would open. `told`: a state of the server that has not been looked at. `notes`: the device's own set; `pending`,
    `tombstones`: changes and deletions in it that no server has acknowledged; `notes_etag`: what it shows for it.
    `last_modified`, `priority`: times of the last known state."""

    id: str
    metadata: dict[str, Any]
    file: str | None = None
    format: str = ""
    etag: str = ""
    status: str = "ReadyToRead"
    place: Place = field(default_factory=Place)
    last_modified: str = ""
    priority: str = ""
    minutes: int = 0
    told: dict[str, Any] | None = None
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    pending: list[dict[str, Any]] = field(default_factory=list)
    tombstones: list[str] = field(default_factory=list)
    notes_etag: str = 'W/"0"'

    @property
    def title(self) -> str:
        return str(self.metadata.get("Title", self.id))

    @property
    def is_downloaded(self) -> bool:
        return self.file is not None


@dataclass
class Shelf:
    """Everything that the device remembers. `edits`: of collections, that no server has acknowledged; `own_items`: what
    it has that is not from this server. `states`, `removals`: what waits for a network. `user_key`: what a device
    without an account was given. `clock`: seconds by which its clock differs from this machine's. `device_id`: its own
    for ever, also after a reset."""

    books: dict[str, Book] = field(default_factory=dict)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    edits: list[dict[str, Any]] = field(default_factory=list)
    own_items: list[str] = field(default_factory=list)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    removals: list[str] = field(default_factory=list)
    resources: dict[str, Any] = field(default_factory=dict)
    sync_token: str = ""
    access_token: str = ""
    refresh_token: str = ""
    token_expires: float = 0.0
    user_key: str = ""
    is_registered: bool = False
    clock: float = 0.0
    device_id: str = field(default_factory=lambda: secrets.token_hex(32))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Shelf":
        if not path.exists():
            return cls()
        value = json.loads(path.read_text(encoding="utf-8"))
        books = {id: Book(**{**book, "place": Place(**book["place"])}) for id, book in value.pop("books").items()}
        return cls(books=books, **value)
