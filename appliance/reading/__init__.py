"""The sync engine: progress, conflict rules, history."""
