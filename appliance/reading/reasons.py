"""What became of what a device said, in plain words: one sentence for each fixed code of the journal."""

from typing import Final

from appliance.positions import Reason

PLACES: Final[dict[str, str]] = {
    Reason.SYNTAX: "The place it named could not be read.",
    Reason.TOO_LONG: "The place it named is longer than any real one.",
    Reason.NO_DOCUMENT: "The place it named is in a part that this file of the book does not have.",
    Reason.NO_PLACE: "The place it named is not in this file of the book.",
    Reason.BEYOND_END: "The place it named is behind the end of the text.",
    Reason.UNREADABLE: "The file it was reading could not be opened here.",
    Reason.INDEXING: "This long chapter was still being prepared.",
    Reason.EMPTY: "The part it was in has no text.",
    Reason.NOT_ADDRESSABLE: "The place has no name that this reader understands.",
    Reason.UNDECIDED: "How KOReader counts in this chapter is not certain.",
    Reason.NO_SPANS: "The file has none of the marks by which a Kobo names places.",
    Reason.WHOLE_DOCUMENT: "Only the chapter is known.",
    Reason.FRACTION: "Only a percentage is known.",
    Reason.DIFFERENT_TEXT: "The text is another one in this file of the book.",
    Reason.MOVED: "The words stand at another place in this file of the book.",
    Reason.AMBIGUOUS: "The same words stand in several places.",
    Reason.TOO_LARGE: "The two files of the book differ too much to be compared.",
    Reason.OTHER_DIALECT: "The place was written as another kind of reader does.",
    "not-given": "The reader it was made on did not say where it is.",
}
"""Why a place is not known, or not exactly."""

PROGRESS: Final[dict[str, str]] = {
    "first-report": "The first that was heard of this book.",
    "read": "You read on.",
    "newest": "You read on.",
    "read-on": "You read on from there, so it counts.",
    "jumped": "You went there.",
    "put-back": "You put this place back.",
    "started-over": "You started the book over.",
    "finished": "The device said that the book is finished.",
    "opened": "The book was only opened there, not read.",
    "older-activity": "This was read before the place that counts.",
    "within-percent-error": "Only a percentage came, and it may as well be the place that counts.",
    "unknown-book": "The book was not in the library then.",
    "as-given": "The device repeated the place that it was given.",
    "as-current": "This is where you were anyway.",
    "as-said-before": "The device repeated a place that it had named before.",
    "fell-back": "This is far behind the place that counts, and nothing shows that you read there.",
    "stale-view": "A page that had been left open, far behind the place that counts.",
    "replayed-queue": "The device sent several old places at once, as it does when it was offline.",
    "earlier-reading": "This is from the last time you read the book, before you started it over.",
    "same-operation": "The device sent the same thing twice.",
}

STATE: Final[dict[str, str]] = {
    "changed": "Changed.",
    "as-current": "This is how it was anyway.",
    "same-operation": "The device sent the same thing twice.",
}

ANNOTATIONS: Final[dict[str, str]] = {
    "created": "A highlight was made.",
    "changed": "A highlight was changed.",
    "revived": "A deleted highlight was changed elsewhere, so it is back.",
    "two-notes": "Two devices wrote different notes on one highlight; both are kept.",
    "later-change": "The highlight was changed again elsewhere later, which counts.",
    "unchanged": "Nothing new.",
    "not-placed": "A highlight was given other words. It keeps those it had until the new place is found.",
    "placed": "A highlight that came before its file could be read has its place now.",
    "joined": "A highlight that came before its file could be read is one that was made elsewhere too.",
    "not-found": "The words of a highlight that came before its file could be read are not in the file.",
    "carried-over": "Highlights were carried over to the new file of the book.",
    "deleted": "A highlight was deleted.",
    "deleted-before": "The highlight was deleted already.",
    "deleted-unseen": "The device deleted a highlight before it had told of it. It waits until you decide.",
    "deleted-since": "An old copy of a highlight that was deleted since.",
    "changed-since": "The highlight was changed elsewhere meanwhile, so it was not deleted.",
    "many-deleted": "The device wants to delete many highlights at once. They wait until you decide.",
    "restored": "A deleted highlight was restored.",
    "kept": "A highlight that a device wanted to delete was kept.",
    "unknown-annotation": "There is no such highlight.",
    "not-understood": "The device sent something that could not be understood. It is kept as it came.",
    "unknown-book": "Highlights of a book that is not in the library. They are kept as they came.",
    "same-operation": "The device sent the same thing twice.",
}


REFUSALS: Final[dict[str, str]] = {
    "not-found": "Its words are not in the file there.",
    "ambiguous": "Its words stand in several places there.",
    "no-position": "There is no such place in the file there.",
}
"""Why a device could not show a highlight."""


def sentence(kind: str, reason: str) -> str:
    """What an entry of the journal means. `kind`, `reason`: its own."""
    known = {"progress": PROGRESS | PLACES, "state": STATE, "annotation": ANNOTATIONS}.get(kind, {})
    return known.get(reason) or f"({reason})"


def why_not_placed(reason: str) -> str:
    """Why a highlight has no place."""
    return PLACES.get(reason) or "Its place could not be understood."


def why_refused(reason: str) -> str:
    """Why a device could not show a highlight, as it said."""
    return REFUSALS.get(reason) or "The place was not to be found there."
