"""Where somebody is in a book, and how long they read (docs/reference/kobo-protocol.md 5, 8.1)."""
