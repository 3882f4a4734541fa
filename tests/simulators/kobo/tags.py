"""Collections on the device, and the edits that it sends (kobo-protocol.md 4.11, 6.6, 10.3).

The device keeps the members of a collection under its name, so two of one name would run into each other. An edit made
offline waits; one that is answered with a 4xx is sent again at each sync, for ever.
"""

from collections.abc import Callable
from typing import Any

from tests.simulators.kobo.connection import Connection
from tests.simulators.kobo.shelf import Book, Shelf
from tests.simulators.kobo.violation import UUID, check, check_time

MAX_REPEATS = 5


class Collections:
    """What the owner does to collections. `is_offline`: edits wait for the next sync."""

    def __init__(self, connection: Connection, shelf: Shelf, say: Callable[[str], None]) -> None:
        self.connection, self.shelf, self.say = connection, shelf, say
        self.is_offline = False

    @property
    def shown(self) -> dict[str, list[str]]:
        """Name to the titles of its books, as the device lists them."""
        return {
            tag["Name"]: [self.shelf.books[item["RevisionId"]].title for item in tag["Items"] if self._has(item)]
            for tag in self.shelf.collections.values()
        }

    def create(self, name: str, *books: Book) -> None:
        """A new collection; the id it gets is the server's answer."""
        check(name not in self.shown, f"there is a collection “{name}” already")
        local = f"local-{len(self.shelf.edits)}-{name}"
        self.shelf.collections[local] = {"Id": local, "Name": name, "Items": _items(books)["Items"]}
        self._do("create", local, {"Name": name, **_items(books)})

    def add(self, name: str, *books: Book) -> None:
        tag = self._named(name)
        known = [item["RevisionId"] for item in tag["Items"]]
        tag["Items"] += [item for item in _items(books)["Items"] if item["RevisionId"] not in known]
        self._do("add", tag["Id"], _items(books))

    def take_out(self, name: str, *books: Book) -> None:
        tag = self._named(name)
        gone = {book.id for book in books}
        tag["Items"] = [item for item in tag["Items"] if item["RevisionId"] not in gone]
        self._do("take_out", tag["Id"], _items(books))

    def rename(self, name: str, other: str) -> None:
        tag = self._named(name)
        tag["Name"] = other
        self._do("rename", tag["Id"], {"Name": other})

    def delete(self, name: str) -> None:
        tag = self._named(name)
        del self.shelf.collections[tag["Id"]]
        self._do("delete", tag["Id"], None)

    def send(self) -> None:
        """What waits, in order. What is refused stays at the head of the queue."""
        while self.shelf.edits:
            if not self._send(self.shelf.edits[0]):
                return
            del self.shelf.edits[0]

    def apply(self, kind: str, tag: dict[str, Any]) -> None:
        """What a sync says of a collection."""
        if kind == "DeletedTag":
            check_time(tag.get("LastModified"))
            self.shelf.collections.pop(tag["Id"], None)
            return
        check(UUID.fullmatch(tag["Id"]), f"a collection needs a UUID, not {tag['Id']!r}")
        check(tag["Type"] == "UserTag" and tag["Name"], f"a collection without type or name: {tag}")
        for name in ("Created", "LastModified"):
            check_time(tag.get(name))
        for item in tag["Items"]:
            check(item["Type"] == "ProductRevisionTagItem", f"an item of the unknown type {item['Type']}")
            check(
                item["RevisionId"] in self.shelf.books or item["RevisionId"] in self.shelf.own_items,
                "a collection names a book that the device was not given: it shows incomplete",
            )
        same = [one["Id"] for one in self.shelf.collections.values() if one["Name"] == tag["Name"]]
        others = [id for id in same if id != tag["Id"] and not id.startswith("local-")]
        check(not others, f"a second collection “{tag['Name']}”: the device keeps members by name")
        self.shelf.collections[tag["Id"]] = tag
        self.say(f"  collection “{tag['Name']}”: {len(tag['Items'])} books")

    def _has(self, item: dict[str, Any]) -> bool:
        return item["RevisionId"] in self.shelf.books

    def _named(self, name: str) -> dict[str, Any]:
        found = [tag for tag in self.shelf.collections.values() if tag["Name"] == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} collections are called {name!r}")
        return found[0]

    def _do(self, act: str, id: str, body: object) -> None:
        self.shelf.edits.append({"act": act, "id": id, "body": body, "tries": 0})
        if not self.is_offline:
            self.send()

    def _send(self, edit: dict[str, Any]) -> bool:
        act, id, body = edit["act"], edit["id"], edit["body"]
        method, path, expected = {
            "create": ("POST", "", 201),
            "add": ("POST", f"/{id}/Items", 201),
            "take_out": ("POST", f"/{id}/items/delete", 200),
            "rename": ("PUT", f"/{id}", 200),
            "delete": ("DELETE", f"/{id}", 200),
        }[act]
        answer = self.connection.send(method, self.connection.url(f"/v1/library/tags{path}"), body)
        edit["tries"] += 1
        check(edit["tries"] < MAX_REPEATS, f"{act} was refused with {answer.status_code}: it is sent again for ever")
        if answer.status_code != expected:
            self.say(f"  {act} of a collection: {answer.status_code}; it will be sent again")
            return False
        if act == "create":
            self._adopt(id, answer.json())
        return True

    def _adopt(self, local: str, id: object) -> None:
        """The collection is known by the server's id from now on, in what waits too."""
        check(isinstance(id, str) and UUID.fullmatch(id), f"the id of a new collection must be a bare string: {id!r}")
        assert isinstance(id, str)
        if tag := self.shelf.collections.pop(local, None):
            self.shelf.collections[id] = {**tag, "Id": id}
        for edit in self.shelf.edits:
            if edit["id"] == local:
                edit["id"] = id


def _items(books: tuple[Book, ...]) -> dict[str, Any]:
    return {"Items": [{"RevisionId": book.id, "Type": "ProductRevisionTagItem"} for book in books]}
