"""Files become books: scan, identities, metadata, covers."""
