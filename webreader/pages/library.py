"""The library: what is being read, and all books as a wall of covers."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from appliance.library import sample
from appliance.library.scan import ScanRunning, scan
from appliance.reading import bookcase
from webreader.pages.covers import cover_address
from webreader.pages.page import PageRequest, action, go_to, house_of, page, person, show

PER_PAGE = 60
CONTINUED = 4


@page("/")
def library(request: PageRequest, q: FromQuery[str] = "", p: FromQuery[int] = 1) -> Response[Any]:
    """`q`: words to look for. `p`: the page, from 1."""
    house = house_of(request)
    reader = person(request)
    number = min(max(p, 1), 10_000)
    search = q.strip()[:200]
    with house.database.read() as session:
        shelved = bookcase.shelf(session, reader.user_id, search, (number - 1) * PER_PAGE, PER_PAGE)
        is_first = number == 1 and not search
        continued = bookcase.being_read(session, reader.user_id, CONTINUED) if is_first else []
        offers_sample = reader.is_admin and sample.is_offered(session)
    pages = max(-(-shelved.total // PER_PAGE), 1)
    return show(
        "library.html",
        request,
        books=shelved.books,
        total=shelved.total,
        continued=continued,
        search=search,
        number=number,
        pages=pages,
        previous=_address(search, number - 1) if number > 1 else None,
        following=_address(search, number + 1) if number < pages else None,
        folders=house.settings.books,
        offers_sample=offers_sample,
        is_scanning=any(one.name == "scan" and one.running for one in request.app.state.scheduler.states()),
        cover_address=cover_address,
    )


@action("/sample", access="admin")
def add_sample(request: PageRequest) -> Response[Any]:
    """Put the sample book into the library, for whoever wants to try before there are books."""
    house = house_of(request)
    with house.database.read() as session:
        if not sample.is_offered(session):
            return go_to("/")
    sample.add_sample(house)
    try:
        scan(house)
    except ScanRunning:
        request.app.state.scheduler.run_soon("scan")
    return go_to("/")


def _address(search: str, number: int) -> str:
    given = {"q": search} if search else {}
    return f"/?{urlencode({**given, 'p': number})}"


routes: list[ControllerRouterHandler] = [library, add_sample]
