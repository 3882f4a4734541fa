"""Picking apart what a sync gave."""

from typing import Any

Event = dict[str, Any]


def kinds(events: list[Event]) -> list[str]:
    """The names of the events."""
    return [name for event in events for name in event]


def offered(events: list[Event]) -> dict[str, str]:
    """Title to id of every book that was offered."""
    found = [event["NewEntitlement"] for event in events if "NewEntitlement" in event]
    return {value["BookMetadata"]["Title"]: value["BookEntitlement"]["Id"] for value in found}
