"""A KOReader to run the plugin in: `standin.lua` and what it loads; `book_model` makes the books it can open."""
