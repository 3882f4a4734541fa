"""Where somebody is in a book, told by a device that has another file of it: by the words at the top of its page.

Its XPointer is of a file that we do not have; it only tells where to look first.
"""

from sqlmodel import Session

from appliance.house import House
from appliance.library.renditions import open_rendition
from appliance.models import Book
from appliance.positions import RangePlace, Status
from appliance.positions.recover import confirm
from appliance.reading.progress.locate import NOWHERE, Located, locate, share_of

FEWEST = 20  # characters that tell a place from others


def place_by_words(
    house: House, session: Session, book_id: str, locator: str, text: str, percent: float | None
) -> Located:
    """`text`: the first characters of the page. Without them, or where they are not in the book, only the percentage
    counts, and the place is approximate."""
    book = session.get_one(Book, book_id)
    rendition = open_rendition(house, session, book.main_sha256) if book.main_sha256 else None
    if rendition is None or book.main_sha256 is None:
        return Located(NOWHERE, None)
    length = len("".join(text.split()))
    if length >= FEWEST:
        guess = rendition.decode_xpointer(locator)
        if guess.tick is None:
            guess = rendition.at_tick(round((percent or 0.0) * rendition.at_tick(0).total))
        found = confirm(rendition, RangePlace(guess, rendition.at_tick((guess.tick or 0) + length)), text).start
        if found.position is not None and found.status in (Status.EXACT, Status.RECOVERED):
            house.texts.want(book.main_sha256)
            return Located(found, book.main_sha256, 0, *share_of(rendition, found.position))
    return locate(house, session, book_id, book.main_sha256, "xpointer", "", percent)
