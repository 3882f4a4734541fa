"""The Kobo store and reading services, as a Kobo expects them."""
