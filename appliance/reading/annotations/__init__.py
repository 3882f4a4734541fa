"""Highlights, notes and bookmarks: what devices say of them, how it is merged, and what each device is told."""
