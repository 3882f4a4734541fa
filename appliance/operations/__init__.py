"""Backup and restore, health."""
