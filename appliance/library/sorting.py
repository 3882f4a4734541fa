"""How titles and names are put in order, and how they are found by a few typed letters."""

import unicodedata

from appliance.epub.metadata import Author, Metadata

ARTICLES = {
    "de": ("der", "die", "das", "ein", "eine"),
    "en": ("the", "an", "a"),
    "es": ("el", "la", "los", "las", "un", "una"),
    "fr": ("le", "la", "les", "un", "une", "l'", "l’"),
    "it": ("il", "lo", "la", "i", "gli", "le", "un", "uno", "una", "l'", "l’"),
    "nl": ("de", "het", "een"),
    "pt": ("o", "a", "os", "as", "um", "uma"),
}
SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})


def sort_title(metadata: Metadata) -> str:
    """What the book says, else the title with a leading article put last: "Wonderful Wizard of Oz, The"."""
    if metadata.title_file_as:
        return metadata.title_file_as
    title = metadata.title
    for article in ARTICLES.get(metadata.language[:2].lower() or "en", ()):
        start = article if article.endswith(("'", "’")) else article + " "
        if title.lower().startswith(start) and len(title) > len(start):
            return f"{title[len(start) :].strip()}, {title[: len(start)].strip()}"
    return title


def sort_name(author: Author) -> str:
    """What the book says, else the family name first where a name of several words has no comma yet."""
    if author.file_as:
        return author.file_as
    words = author.name.split()
    if len(words) < 2 or "," in author.name:
        return author.name
    cut = -2 if words[-1].lower() in SUFFIXES and len(words) > 2 else -1
    return f"{' '.join(words[cut:])}, {' '.join(words[:cut])}"


def folded(text: str) -> str:
    """Text without case and accents, for comparing and searching: "Élégie" becomes "elegie"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
