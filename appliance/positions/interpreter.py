"""One line with a locator in; the same word in every asked dialect out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from appliance.positions import dialects
from appliance.positions.book import OpenBook
from appliance.positions.canonical import Place, Position, Reason, Status, worst
from appliance.positions.dialects import Dialect, NotALocator, Written
from appliance.positions.translate import translate
from appliance.positions.xpointer import is_indexed


@dataclass(frozen=True)
class Interpreter:
    """Reads one dialect and answers in others.

    `book`: the file that canonical positions and quotes are given in. `source`: the file in whose coordinates the
    lines are. `targets`: for each asked dialect the file that it shall name places of. All three may be one file.
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
        try:
            values = dialects.read(self.spoken, line)
        except NotALocator as error:
            return self.refusal(Reason.SYNTAX, f"{error} An example: {dialects.EXAMPLES[self.spoken]}")
        place = dialects.decode(self.source, self.spoken, values[0])
        return self._point(place, isinstance(values[0], str) and is_indexed(values[0]))

    def refusal(self, reason: Reason, detail: str = "") -> dict[str, Any]:
        """The answer to a line that names no place."""
        answer: dict[str, Any] = {"status": Status.FAILED, "reason": reason}
        if detail:
            answer["detail"] = detail
        return answer | {"position": None} | dict.fromkeys(self.targets) | {"quote": None}

    def _point(self, place: Place, indexed: bool) -> dict[str, Any]:
        if place.position is None:
            unreadable = place.reason is Reason.SYNTAX
            return self.refusal(place.reason, f"An example: {dialects.EXAMPLES[self.spoken]}" if unreadable else "")
        here = translate(place, self.source, self.book)
        steps = [(here.status, here.reason)]
        words: dict[str, Any] = {}
        statuses: dict[str, Any] = {}
        for dialect, target in self.targets.items():
            there = place if target is self.source else translate(here, self.book, target)
            written = _write(target, dialect, there, indexed)
            words[dialect] = written.value
            statuses[dialect] = {
                "status": written.status,
                "reason": written.reason,
                "distance": written.distance,
            }
            steps.append((written.status, written.reason))
        status = worst(*(step[0] for step in steps))
        return {
            "status": status,
            "reason": next(reason for other, reason in steps if other is status),
            **{"position": dialects.as_json(here.position), **words},
            "quote": None if here.position is None else _quote(self.book, here.position),
            "statuses": statuses,
        }


def _write(target: OpenBook, dialect: Dialect, place: Place, indexed: bool) -> Written:
    """Name a place that was carried to `target`; how it got there counts too."""
    if place.position is None:
        return Written(None, place.status, place.reason)
    written = dialects.write(target, dialect, place.position, indexed=indexed)
    if written.status.rank >= place.status.rank:
        return written
    return Written(written.value, place.status, place.reason, written.distance)


def _quote(book: OpenBook, position: Position) -> dict[str, str]:
    return asdict(book.quote(position))
