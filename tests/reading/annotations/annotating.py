"""Readers of all kinds as they treat highlights, for models.

A *mark* names what is marked: its kind, its place and how far it was extended. `Spelling` writes it in a dialect.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from appliance.reading.annotations.palette import KOBO_GREY, choices
from appliance.reading.annotations.report import Answer, Deletion, Said

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIELDS = ("text", "note", "colour", "style")
STYLES = ("highlight", "underline", "strikeout")
WIDE, LONG, MORE = 100, 30, 5  # ticks from mark to mark, of a mark, and by which it is extended at a time


class Mark(NamedTuple):
    kind: str
    place: int
    more: int = 0

    @property
    def first(self) -> int:
        return WIDE * self.place + (WIDE // 2 if self.kind == "bookmark" else 0)

    @property
    def last(self) -> int:
        return self.first if self.kind == "bookmark" else self.first + LONG + MORE * self.more

    @property
    def name(self) -> tuple[str, int]:
        """What stays when it is extended."""
        return self.kind, self.place


def mark_of_row(row: dict[str, Any]) -> Mark:
    if row["kind"] == "bookmark":
        return Mark("bookmark", row["first"] // WIDE)
    return Mark("highlight", row["first"] // WIDE, (row["last"] - row["first"] - LONG) // MORE)


class Spelling:
    """Ranges as each dialect has them; here only made up, because the exchange takes them as they come."""

    run = 0  # makes names unique where several runs share a database

    def write(self, dialect: str, mark: Mark) -> Any:
        return [dialect, *mark]

    def read(self, dialect: str, spelled: Any) -> Mark:
        assert spelled[0] == dialect, "a reader was given a range in somebody else's dialect"
        return Mark(*spelled[1:])

    def words(self, mark: Mark) -> str:
        """The words under a mark; another reader takes the stops after them too."""
        return "" if mark.kind == "bookmark" else f"words of place {mark.place}" + "." * mark.more


@dataclass
class Request:
    """What a reader sends at once. `complete`: all that it has, not only what changed."""

    said: list[Said]
    deletions: list[Deletion]
    followed: dict[str, int] = field(default_factory=dict)
    complete: bool = False
    is_foreign: bool = False
    skew: timedelta | None = None


class Offer(NamedTuple):
    """`fields`: with the range; `None` when the annotation is to be removed."""

    native_id: str
    version: int
    fields: dict[str, Any] | None


class Reader:
    """KOReader with the plugin (docs/plugin-protocol.md): says all it has, and which version it was last told of each,
    deletes in so many words, confirms what it was told, and tells the time with every request. `skew`: how far its
    clock runs ahead."""

    surface, dialect, is_person, tells_time = "koreader", "xpointer", False, True

    def __init__(self, number: int, spelling: Spelling) -> None:
        self.number, self.spelling, self.skew, self.made = number, spelling, timedelta(0), 0
        self.items: dict[str, dict[str, Any]] = {}
        self.deletes: list[Deletion] = []
        self.followed: dict[str, int] = {}
        self.told: dict[str, int] = {}
        self.is_foreign = self.clock_was_set = False

    # -- what its person does

    def mark(self, item: dict[str, Any]) -> Mark:
        return self.spelling.read(self.dialect, item["range"])

    def marks(self) -> dict[str, Mark]:
        """By the names it has for them."""
        return {name: self.mark(item) for name, item in self.items.items()}

    def create(self, mark: Mark, colour: int, note: str, now: datetime) -> bool:
        if mark.name in {one.name for one in self.marks().values()}:
            return False
        self.made += 1
        self.items[f"{self.number}-{self.made}"] = {
            "range": self.spelling.write(self.dialect, mark),
            "text": self.spelling.words(mark),
            "note": note,
            "colour": self.colour(colour),
            "style": "highlight",
            "changed": now + self.skew,
        }
        return True

    def colour(self, number: int) -> str:
        # Grey is what a Kobo without colours writes; see `GreyKobo`.
        colours = [colour for colour in choices(self.surface) if colour != KOBO_GREY]
        return colours[number % len(colours)]

    def pick(self, which: int) -> str | None:
        names = sorted(self.items)
        return names[which % len(names)] if names else None

    def note_at(self, name: str) -> str:
        return str(self.items[name]["note"])

    def edit(self, name: str, now: datetime, **change: Any) -> None:
        if "mark" in change:
            mark = change.pop("mark")
            change |= {"range": self.spelling.write(self.dialect, mark), "text": self.spelling.words(mark)}
        self.items[name] |= {**change, "changed": now + self.skew}

    def delete(self, name: str, now: datetime, is_confirmed: bool = True) -> Mark:
        mark = self.mark(self.items.pop(name))
        self.made += 1
        operation = f"{self.number}-{self.made}" if self.tells_time else None
        self.deletes.append(Deletion(name, now + self.skew, self.told.pop(name, None), is_confirmed, operation))
        return mark

    def restart(self) -> None:
        """What it had not sent is still there; what it had not confirmed it never will."""
        self.followed = {}

    def reset(self) -> None:
        self.items, self.deletes, self.followed, self.told = {}, [], {}, {}
        self.is_foreign = False

    def copy(self, other: "Reader") -> None:
        """Somebody copies all files of another reader to this one, with the names of everything in them."""
        self.reset()
        self.items = {name: dict(item) for name, item in other.items.items()}
        self.is_foreign = True

    def set_clock(self, skew: timedelta) -> None:
        self.skew, self.clock_was_set = skew, True

    # -- what it sends and is sent

    def request(self) -> Request:
        said = [self._said(name, item) for name, item in self.items.items()]
        return Request(said, list(self.deletes), dict(self.followed), True, self.is_foreign, self.skew)

    def _said(self, name: str, item: dict[str, Any]) -> Said:
        kind = self.mark(item).kind
        fields, version = {name: item[name] for name in FIELDS}, self.told.get(name)
        return Said(name, kind, item["range"], fields, changed_at=item["changed"], base_version=version)

    def sync(self, server: Any, how: str, late: list[tuple["Reader", Request]]) -> list[Request]:
        """`how`: what becomes of the messages. Returns the requests that reached the server. One that is delayed goes
        to `late`; the reader takes it for lost. Only a clock tells which of two requests is older, so one that was set
        in between is no case for a delay."""
        request = self.request()
        if how == "delayed" and not self.clock_was_set:
            late.append((self, request))
        if how in ("delayed", "request lost"):
            return []
        reached = [request] * (2 if how == "twice" else 1)
        answers = [answer for one in reached for answer in self.arrive(server, one)]
        offers = self.ask(server)
        if how != "answer lost":
            self.hear(answers)
            self.deletes, self.followed = [], {}
            self.is_foreign = self.clock_was_set = False
            self.apply(offers, server.now)
        return reached

    def arrive(self, server: Any, request: Request) -> list[Answer]:
        server.follow(self, request.followed)
        answers: list[Answer] = server.exchange(self, request)
        return answers

    def hear(self, answers: list[Answer]) -> None:
        for answer in answers:
            if answer.native_id in self.items and answer.version is not None:
                self.told[answer.native_id] = answer.version

    def ask(self, server: Any) -> list[Offer]:
        offers: list[Offer] = server.offer(self)
        return offers

    def apply(self, offers: list[Offer], now: datetime) -> None:
        for name, version, fields in offers:
            if fields is None:
                self.items.pop(name, None)
                self.told.pop(name, None)
            else:
                self.items[name] = {**fields, "changed": now + self.skew}
                self.told[name] = version
            self.followed[name] = version


class Kobo(Reader):
    """A Kobo: says only what changed, without the time, and takes what it is given for the whole."""

    surface, dialect, tells_time = "kobo", "kobo", False

    def __init__(self, number: int, spelling: Spelling) -> None:
        super().__init__(number, spelling)
        self.sent: dict[str, Any] = {}
        self.is_new = False

    def create(self, mark: Mark, colour: int, note: str, now: datetime) -> bool:
        # One that was reset asks for everything before anybody can open a book on it.
        return not self.is_new and super().create(mark, colour, note, now)

    def restart(self) -> None:
        self.sent = {}

    def reset(self) -> None:
        super().reset()
        self.sent, self.is_new = {}, True

    def request(self) -> Request:
        said = [self._said(name, item) for name, item in self.items.items() if self.sent.get(name) != item]
        return Request(said, list(self.deletes))

    def arrive(self, server: Any, request: Request) -> list[Answer]:
        answers: list[Answer] = server.exchange(self, request)
        return answers

    def hear(self, answers: list[Answer]) -> None:
        """It knows nothing of versions, or has seen the rows themselves."""

    def sync(self, server: Any, how: str, late: list[tuple[Reader, Request]]) -> list[Request]:
        reached = super().sync(server, how, late)
        if reached:
            self.deletes = []
            self._remember()
        if how == "well":
            # What was sent to the end is noted as taken (`kobo_api.annotations.outgoing`), but for a crash before.
            server.follow_all(self)
        return reached

    def ask(self, server: Any) -> list[Offer]:
        offers: list[Offer] = server.everything(self)
        return offers

    def apply(self, offers: list[Offer], now: datetime) -> None:
        old, self.items, self.is_new = self.items, {}, False
        for name, _version, fields in offers:
            mine = old.get(name, {})
            # What is given back as it came has the Kobo's own time, all else a later one (`annotations.wire.render`).
            is_same = all(mine.get(field) == value for field, value in fields.items())
            later = max(now, mine["changed"] + timedelta(seconds=1)) if mine else now
            self.items[name] = {**fields, "changed": mine["changed"] if is_same else later}

    def _remember(self) -> None:
        self.sent = {name: dict(item) for name, item in self.items.items()}


class GreyKobo(Kobo):
    """A Kobo without colours: whatever it sends is grey."""

    def colour(self, number: int) -> str:
        return KOBO_GREY

    def _said(self, name: str, item: dict[str, Any]) -> Said:
        return super()._said(name, {**item, "colour": KOBO_GREY})


class Browser(Reader):
    """A page that shows what was there when it was loaded, keeps what could not be sent, and says what it saw."""

    surface, dialect, is_person, tells_time = "web", "cfi", True, False

    def __init__(self, number: int, spelling: Spelling) -> None:
        super().__init__(number, spelling)
        self.seen: dict[str, Any] = {}
        self.queue: list[Said | Deletion] = []

    def marks(self) -> dict[str, Mark]:
        return {name: mark_of_row(row) for name, row in self.seen.items()}

    def create(self, mark: Mark, colour: int, note: str, now: datetime) -> bool:
        if self.queue or mark.name in {one.name for one in self.marks().values()}:
            return False
        self.made += 1
        name = f"00000000-0000-4000-8000-{self.spelling.run:04}{self.made:08}"
        fields = {"text": self.spelling.words(mark), "note": note, "colour": self.colour(colour), "style": "highlight"}
        spelled = self.spelling.write(self.dialect, mark)
        self.queue.append(Said(name, mark.kind, spelled, fields, operation_id=f"browser{self.made}"))
        return True

    def pick(self, which: int) -> str | None:
        names = sorted(self.seen)
        return names[which % len(names)] if names else None

    def note_at(self, name: str) -> str:
        said = [one.fields["note"] for one in self._queued(name) if "note" in one.fields]
        return said[-1] if said else self.seen[name]["note"]

    def other_notes(self, name: str) -> list[str]:
        return list(self.seen[name]["other_notes"])

    def _queued(self, name: str) -> list[Said]:
        return [one for one in self.queue if isinstance(one, Said) and one.native_id == name]

    def edit(self, name: str, now: datetime, merges_notes: bool = False, **change: Any) -> None:
        self.made += 1
        row, spelled = self.seen[name], None
        if "mark" in change:
            mark = change.pop("mark")
            spelled, change = self.spelling.write(self.dialect, mark), {"text": self.spelling.words(mark)}
        version, operation = row["version"], f"browser{self.made}"
        self.queue.append(
            Said(
                name, row["kind"], spelled, change, base_version=version, merges_notes=merges_notes,
                operation_id=operation,
            )
        )  # fmt: skip

    def delete(self, name: str, now: datetime, is_confirmed: bool = True) -> Mark:
        self.made += 1
        row = self.seen[name]
        self.queue.append(Deletion(name, None, row["version"], True, f"browser{self.made}"))
        return mark_of_row(row)

    def restart(self) -> None:
        """The page is loaded again: what it could not send is in the browser's storage."""

    def reset(self) -> None:
        self.seen, self.queue = {}, []

    def request(self) -> Request:
        said = [one for one in self.queue if isinstance(one, Said)]
        return Request(said, [one for one in self.queue if isinstance(one, Deletion)])

    def arrive(self, server: Any, request: Request) -> list[Answer]:
        answers: list[Answer] = server.exchange(self, request)
        return answers

    def hear(self, answers: list[Answer]) -> None:
        """It knows nothing of versions, or has seen the rows themselves."""

    def ask(self, server: Any) -> list[Offer]:
        return []

    def sync(self, server: Any, how: str, late: list[tuple[Reader, Request]]) -> list[Request]:
        reached = super().sync(server, how, late)
        if reached and how != "answer lost":
            self.queue = []
            self.seen = {name: row for name, row in server.rows.items() if row["deleted_at"] is None}
        return reached
