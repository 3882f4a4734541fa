"""What KOReader and other KOSync clients speak."""

from koreader_api.kosync import routes

__all__ = ["routes"]
