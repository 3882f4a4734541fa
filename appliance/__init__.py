"""Bookwake: reading that follows you. This package is the core; it knows no wire protocol."""

__version__ = "0.1.0"
