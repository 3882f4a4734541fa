"""Where books are looked for."""

from pathlib import Path

from appliance.settings import Settings


def sample_folder(settings: Settings) -> Path:
    """Where the sample book goes. Not into a book folder: those belong to their owner, and are often read-only."""
    return settings.data / "sample"


def book_folders(settings: Settings) -> list[Path]:
    """The folders a scan walks and a book may be read from: those in the settings, and that of the sample if it is
    there."""
    sample = sample_folder(settings)
    return [*settings.books, *([sample] if sample.is_dir() else [])]
