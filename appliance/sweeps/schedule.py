"""When a sweep runs. Each schedule can say itself in words, so that what a person reads is what happens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Every:
    """At each start of the appliance, and then again and again."""

    hours: int

    @property
    def words(self) -> str:
        """For the settings page."""
        return "at each start and every hour" if self.hours == 1 else f"at each start and every {self.hours} hours"


@dataclass(frozen=True, slots=True)
class Nightly:
    """Once a night, in the time zone of the machine; made up for when the machine was off."""

    hour: int
    minute: int

    @property
    def words(self) -> str:
        """For the settings page."""
        return f"every night at {self.hour:02}:{self.minute:02}, or after the next start"


@dataclass(frozen=True, slots=True)
class AtStart:
    """Once, some minutes after each start of the appliance."""

    minutes: int

    @property
    def words(self) -> str:
        """For the settings page."""
        return f"{self.minutes} minutes after each start"


@dataclass(frozen=True, slots=True)
class After:
    """Whenever another sweep has run."""

    name: str

    @property
    def words(self) -> str:
        """For the settings page."""
        return f"after each {self.name}"


Schedule = Every | Nightly | AtStart | After
