"""The genuine Kobo store, for devices whose owner still buys there (docs/reference/kobo-protocol.md 9). Off by default.

Whatever it does, a device syncs with us: an answer that is late, too large or an error is as if there were none, and a
store that fails repeatedly is left alone for a while. Nothing that is ours goes out: no secret, no id of a book.
"""
