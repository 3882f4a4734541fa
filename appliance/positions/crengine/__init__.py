"""KOReader's engine, as far as it decides which text nodes a document has and what they are called (xpointer.md)."""
