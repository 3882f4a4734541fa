"""Covers (docs/reference/kobo-protocol.md 6.3)."""

from functools import lru_cache
from io import BytesIO

from appliance.library.covers import cover as cover_file
from kobo_api.call import Answer, Call, FileAnswer
from kobo_api.library.entitled import books_called

MEDIA_TYPE = "image/jpeg"
ID_LENGTH = 36  # an image id is the entitlement's UUID, a dash, and the picture's hash
DEFAULT = 1000  # pixels, for a size that is no number
# The device keeps a picture under its id for ever, so may everything between.
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}

NOT_KEPT = {"cache-control": "no-store"}


def cover(call: Call, image: str, width: str, height: str, grey: str, quality: str = "") -> Answer | FileAnswer:
    """`GET …/covers/{ImageId}/{Width}/{Height}[/{Quality}]/{IsGreyscale}/image.jpg` → a JPEG that fits into the size.
    An unknown id gets a blank picture, which is gentler than 404. A cover that cannot be made for the moment is not
    there: the blank would be kept for it."""
    id = image[:ID_LENGTH].lower()
    book_id = books_called(call.session, call.caller.user_id, [id]).get(id)
    if book_id is None:
        return Answer(_blank(), headers=NOT_KEPT, content_type=MEDIA_TYPE)
    size = _pixels(width), _pixels(height)
    path = cover_file(call.house, call.session, book_id, *size, grey=grey.lower() == "true")
    if path is None:
        return Answer(status=404, headers=NOT_KEPT, content_type=MEDIA_TYPE)
    length = path.stat().st_size
    etag = f'"{path.parent.name[:32]}-{path.stem}"'
    if call.headers.get("if-none-match") == etag:
        return Answer(status=304, headers={**FOREVER, "etag": etag})
    return FileAnswer(path, 0, length, 200, {**FOREVER, "etag": etag}, MEDIA_TYPE)


def _pixels(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else DEFAULT


@lru_cache(maxsize=1)
def _blank() -> bytes:
    from PIL import Image  # heavy, and hardly ever needed

    picture = BytesIO()
    Image.new("L", (2, 3), 224).save(picture, "JPEG")
    return picture.getvalue()
