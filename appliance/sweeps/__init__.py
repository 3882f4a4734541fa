"""Scheduled work; each sweep is one small file."""
