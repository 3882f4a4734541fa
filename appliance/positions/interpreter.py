"""One line with a locator in; the same place in the words of every asked dialect out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.positions import dialects
from appliance.positions.book import UNREADABLE, OpenBook
from appliance.positions.canonical import Place, Position, Range, RangePlace, Reason, Status, worst
from appliance.positions.dialects import Dialect, NotALocator, Written
from appliance.positions.quote import quote_of
from appliance.positions.translate import translate, translate_range
from appliance.positions.xpointer import is_indexed


@dataclass(frozen=True)
class Interpreter:
    """Reads one dialect and answers in others.

    `book`: the file that canonical positions and quotes are given in. `source`: the file in whose coordinates the
    lines are. `targets`: for each asked dialect the file that it shall name places of. All of them may be one file.
    """

    book: OpenBook
    spoken: Dialect
    source: OpenBook
    targets: Mapping[Dialect, OpenBook]

    def answer(self, line: str) -> dict[str, Any]:
        """What is said of one line, ready to be JSON; never raises.

        `status` is the weakest step and `reason` its code; `statuses` has those of each dialect by itself, with the
        `distance` in canonical characters; `detail` is a sentence where the line is no locator.
        """
        example = f"An example of {self.spoken}: {dialects.EXAMPLES[self.spoken]}"
        try:
            locators = dialects.read(self.spoken, line)
        except NotALocator as error:
            return self.refusal(Reason.SYNTAX, f"{error} {example}")
        found = dialects.decode(self.source, self.spoken, locators)
        if place_of(found) is None:
            return self.refusal(
                found.reason, f"This cannot be read. {example}" if found.reason is Reason.SYNTAX else ""
            )
        indexed = self.spoken == "xpointer" and any(is_indexed(str(locator)) for locator in locators)
        return self._told(found, indexed)

    def refusal(self, reason: Reason, detail: str = "") -> dict[str, Any]:
        """The answer to a line that names no place."""
        answer: dict[str, Any] = {"status": Status.FAILED, "reason": reason}
        if detail:
            answer["detail"] = detail
        return answer | {"position": None} | dict.fromkeys(self.targets) | {"quote": None}

    def _told(self, found: Place | RangePlace, indexed: bool) -> dict[str, Any]:
        here = carry(found, self.source, self.book)
        canonical = place_of(here)
        steps = [(here.status, here.reason)]
        words: dict[str, Any] = {}
        statuses: dict[str, Any] = {}
        for dialect, target in self.targets.items():
            there = found if target is self.source else carry(here, self.book, target)
            written = say(target, dialect, there, indexed=indexed)
            words[dialect] = written.value
            statuses[dialect] = {"status": written.status, "reason": written.reason, "distance": written.distance}
            steps.append((written.status, written.reason))
        status = worst(*(step[0] for step in steps))
        answer: dict[str, Any] = {
            "status": status,
            "reason": next(reason for other, reason in steps if other is status),
            "position": None if canonical is None else dialects.write(self.book, "position", canonical).value,
        }
        quote = None if canonical is None else _quote(self.book, canonical)
        return answer | words | {"quote": quote, "statuses": statuses}


def place_of(found: Place | RangePlace) -> Position | Range | None:
    """What was found, without its quality."""
    return found.range if isinstance(found, RangePlace) else found.position


def carry(found: Place | RangePlace, source: OpenBook, target: OpenBook) -> Place | RangePlace:
    """A place or range of one rendition in another."""
    if isinstance(found, RangePlace):
        return translate_range(found, source, target)
    return translate(found, source, target)


def say(target: OpenBook, dialect: Dialect, found: Place | RangePlace, *, indexed: bool = False) -> Written:
    """Name what was found or carried to `target`; how it got there counts too."""
    where = place_of(found)
    if where is None:
        return Written(None, Status.FAILED, found.reason)
    written = dialects.write(target, dialect, where, indexed=indexed)
    if written.status.rank >= found.status.rank:
        return written
    return Written(written.value, found.status, found.reason, written.distance)


def _quote(book: OpenBook, where: Position | Range) -> dict[str, Any] | None:
    try:
        said = quote_of(book, where)
    except UNREADABLE:
        return None
    around = {"prefix": said.prefix, "suffix": said.suffix, "display": said.display}
    return around | {"exact": said.exact, "length": said.length} if isinstance(where, Range) else around
