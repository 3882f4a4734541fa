"""The browser: pages, the reader and its progress API."""
