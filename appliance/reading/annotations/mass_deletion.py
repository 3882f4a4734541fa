"""When deletions look like an accident: a sidecar that was lost, a book that was downloaded again, a wrong list."""

MANY = 10  # items
SHARE = 0.3  # of those that the device held


def is_suspicious(deleted: int, held: int) -> bool:
    """Whether so many deletions are held until a person confirms them (docs/reference/koreader.md 9.7): more than 10,
    or more than 30 % of a book's. One alone is what people do. `deleted`: by this device in this book lately, with
    those it asks for now; `held`: how many it had before."""
    return deleted > MANY or (deleted > 1 and deleted > SHARE * held)
