"""Highlights, notes and bookmarks of a Kobo (docs/reference/kobo-protocol.md 7).

`incoming` keeps what the device did, `outgoing` gives it the set of a book, `authority` says whether it may be given.
"""
