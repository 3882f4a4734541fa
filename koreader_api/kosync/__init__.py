"""The progress-sync protocol of KOReader's own plugin (docs/reference/koreader.md 1)."""
