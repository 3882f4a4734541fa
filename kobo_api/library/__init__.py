"""What a Kobo has of the library (docs/reference/kobo-protocol.md 4, 6).

Books by `library_sync` and the delivery `ledger`, collections by `tags` and `tag_news`.
"""
