"""Where the bench keeps what is worth keeping between runs: generated books and the peer's environment."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bookwake-bench"
GENERATION = 1
"""Rises when the generator writes other books."""


def books(count: int, small: bool) -> Path:
    """The folder of a generated library."""
    return CACHE / f"books-{GENERATION}-{count}{'-small' if small else ''}"
