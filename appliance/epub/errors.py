"""What can be wrong with a book file, each in a sentence a person can act on."""


class BookError(Exception):
    """A book file cannot be used. `str(error)` says what and why; `remedy` says what to do."""

    remedy = "Open the file in an e-book editor such as calibre or Sigil and save it again, or get another copy."

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        if remedy is not None:
            self.remedy = remedy


class NotAnEpub(BookError):
    """The file is not a ZIP archive, or not one that holds an EPUB."""


class DamagedArchive(BookError):
    """The archive is truncated, or an entry fails its checksum."""

    remedy = "The file is damaged, most likely by an interrupted download or copy. Get another copy."


class MissingEntry(BookError):
    """The archive has no entry of that name."""


class TooLarge(BookError):
    """The file asks for more memory or time than a book needs; it is refused before it is unpacked."""

    remedy = "This is more than any real book needs; the file may have been made to do harm. Do not use it."


class Protected(BookError):
    """The text is encrypted (DRM); nothing in it can be read or synchronised."""

    remedy = "Bookwake cannot open copy-protected books. Add a copy without protection."


class MalformedMarkup(BookError):
    """An XML part that must be well-formed is not."""
