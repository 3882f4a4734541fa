"""What a Kobo may be given of a book's notes, and when (docs/reference/kobo-protocol.md 7.3, 7.4). Functions of values.

A set that is given replaces the one on the device. So it is given only while everything that the device holds is known,
which can be proven: a download empties its set, and from the first whole set that it is given then it says each change.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why a set is not given, or a book not named."""

    NONE = ""
    NOT_DELIVERED = "not-delivered"  # the device did not get this book's file from here
    UNPROVEN = "unproven"  # it sent notes since the download and never took a set: there may be others
    OWED = "owed"  # it sent notes that could not be kept
    DOUBT = "doubt"  # what is known may be older than what it holds
    WOULD_LOSE = "would-lose"  # something that it holds cannot be given back
    INK = "ink"  # ink of which only the device has the pictures
    SWITCHED_OFF = "switched-off"
    NOTHING_NEW = "nothing-new"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a device and a book. `has_file`: it was sent the file; of the download that began then:
    `has_spoken`: it sent notes; `owes`: some were not kept; `doubt`: see `KoboNotes`; `was_served`: it took a whole
    set; `is_due`: of one that was begun, the end did not leave. `pushes`: the person wants notes from elsewhere on
    it."""

    has_file: bool
    has_spoken: bool = False
    owes: bool = False
    doubt: bool = False
    was_served: bool = False
    is_due: bool = False
    pushes: bool = False

    @property
    def is_fresh(self) -> bool:
        """Whether its set is empty for sure: it was just downloaded."""
        return self.has_file and not (self.has_spoken or self.was_served)


@dataclass(frozen=True, slots=True)
class Sets:
    """Ids of annotations. `held`: what the device is known to hold; `given`: what it would be given; `deleted`: what a
    person deleted. `news`: whether `given` says anything that the device does not hold. `has_ink`: see `Refusal`."""

    held: Collection[str] = ()
    given: Collection[str] = ()
    deleted: Collection[str] = ()
    news: bool = False
    has_ink: bool = False

    @property
    def lost(self) -> set[str]:
        """What the device would lose although nobody deleted it."""
        return set(self.held) - set(self.given) - set(self.deleted)


def may_give(standing: Standing) -> Refusal:
    """Whether a GET may be answered with a set. Everybody else is told that nothing changed."""
    if not standing.has_file:
        return Refusal.NOT_DELIVERED
    if standing.doubt:
        return Refusal.DOUBT
    if standing.owes:
        return Refusal.OWED
    return Refusal.NONE if standing.was_served or standing.is_fresh else Refusal.UNPROVEN


def may_give_these(standing: Standing, sets: Sets) -> Refusal:
    """The brake: whether this very set may be given. A set that is empty for sure can lose nothing."""
    refusal = may_give(standing)
    if refusal is Refusal.NONE and sets.lost and not standing.is_fresh:
        return Refusal.WOULD_LOSE
    return refusal


def may_name(standing: Standing, sets: Sets) -> Refusal:
    """Whether `checkforchanges` names the book, so that the device asks for its set."""
    refusal = may_give_these(standing, sets)
    if refusal is not Refusal.NONE:
        return refusal
    if standing.is_fresh and not standing.is_due:
        return Refusal.UNPROVEN  # it asks by itself after the download
    if sets.has_ink:
        return Refusal.INK
    if standing.is_due:
        return Refusal.NONE  # a set that broke off is given to its end, whatever the switch says
    if not standing.pushes:
        return Refusal.SWITCHED_OFF
    return Refusal.NONE if sets.news else Refusal.NOTHING_NEW
