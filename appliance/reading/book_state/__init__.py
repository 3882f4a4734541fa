"""Status, rating and review of a book."""
