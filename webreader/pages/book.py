"""One book: what it is, how far each device is in it, how that came about, what was marked, and the way into it."""

from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Annotated, Any
from uuid import uuid4

from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import File
from litestar.types import ControllerRouterHandler
from sqlmodel import Session

from appliance.library.chapters import chapter_names
from appliance.library.kobo_ledger import on_kobos
from appliance.library.renditions import path_of
from appliance.library.shelves import shelves_of
from appliance.models import Rendition
from appliance.reading import bookcase
from appliance.reading.annotations.highlights import highlights
from appliance.reading.progress.timeline import suggestions, timeline
from appliance.reading.sessions.log import days, sessions_of, time_in
from webreader.pages.covers import cover_address
from webreader.pages.page import PageRequest, house_of, page, person, show
from webreader.pages.words import zone_of

DAYS = 14  # in the chart of reading time
HIGHLIGHTS = 100  # shown at first
MOST_HIGHLIGHTS = 5_000
SESSIONS = 10

Id = Annotated[int | None, QueryParameter(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day of the chart. `seconds`: read in this book; `share`: of the longest day, 0 to 1."""

    date: date
    seconds: int
    share: float


@page("/book/{book_id:str}")
def book(
    request: PageRequest,
    book_id: FromPath[str],
    before: Id = None,
    everything: FromQuery[bool] = False,
    all_highlights: FromQuery[bool] = False,
    done: FromQuery[str] = "",
) -> Response[Any]:
    """The page of a book. One whose file is away still shows how far it was read. `before`: older lines of the
    timeline; `everything`: those too that changed nothing."""
    house, reader = house_of(request), person(request)
    zone = zone_of(reader.time_zone)
    with house.database.read() as session:
        shown = bookcase.one_book(session, reader.user_id, book_id)
        if shown is None:
            raise NotFoundException
        main = shown.book.main_sha256
        rendition = session.get(Rendition, main) if main else None
        chapters = chapter_names(rendition) if rendition is not None else {}
        file = path_of(house, session, main) if main else None
        mine = session, reader.user_id, book_id
        given: dict[str, Any] = {
            "devices": bookcase.on_devices(*mine),
            "suggestions": suggestions(*mine),
            "timeline": timeline(*mine, before, everything=everything),
            "highlights": highlights(*mine, MOST_HIGHLIGHTS if all_highlights else HIGHLIGHTS),
            "time": time_in(*mine),
            "shelves": shelves_of(*mine),
            "kobos": on_kobos(*mine),
            "sessions": sessions_of(*mine, limit=SESSIONS),
            "days": _days(*mine, zone, house.now().astimezone(zone).date()),
        }
    return show(
        "book.html",
        request,
        book=shown.book,
        progress=shown.progress,
        state=shown.state,
        finished=shown.is_finished,
        size=rendition.size if rendition else 0,
        doubts=rendition.doubts if rendition else [],
        is_there=file is not None,
        chapters=chapters,
        cover=cover_address(shown.book, "large.jpg"),
        before=before,
        everything=everything,
        done=done,
        new_id=lambda: str(uuid4()),
        **given,
    )


@page("/book/{book_id:str}/download")
def download(request: PageRequest, book_id: FromPath[str]) -> Response[Any]:
    """The file of a book as it lies in the book folder."""
    house, reader = house_of(request), person(request)
    with house.database.read() as session:
        shown = bookcase.one_book(session, reader.user_id, book_id)
        main = shown.book.main_sha256 if shown else None
        file = path_of(house, session, main) if main else None
    if file is None:
        raise NotFoundException
    return File(file, filename=file.name, media_type="application/epub+zip")


def _days(session: Session, user_id: int, book_id: str, zone: tzinfo, today: date) -> list[DayBar]:
    """The last days, each; none when the book was not read in them."""
    first = today - timedelta(days=DAYS - 1)
    read = {one.date: one.books.get(book_id, 0) for one in days(session, user_id, zone, first, today)}
    most = max(read.values(), default=0)
    if not most:
        return []
    dates = [first + timedelta(days=number) for number in range(DAYS)]
    return [DayBar(each, read.get(each, 0), read.get(each, 0) / most) for each in dates]


routes: list[ControllerRouterHandler] = [book, download]
