"""Numbers and times as people say them."""

from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

JOINED = "\N{NO-BREAK SPACE}"
"""Between a number and its unit: a narrow column must not part them."""


def percent(fraction: float | None) -> str:
    """How much of a book is read: "42 %". Not "100 %" before the end, and not "0 %" after the first words."""
    if fraction is None:
        return "–"
    whole = round(fraction * 100)
    if whole == 0 and fraction > 0:
        return f"under 1{JOINED}%"
    return f"{min(whole, 99) if fraction < 1 else whole}{JOINED}%"


def ago(then: datetime, now: datetime, zone: tzinfo) -> str:
    """How long ago something was: "5 minutes ago", "yesterday", "12 May 2026"."""
    passed = now - then
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return _counted(passed // timedelta(minutes=1), "minute") + " ago"
    days = (now.astimezone(zone).date() - then.astimezone(zone).date()).days
    if days == 0:
        return _counted(passed // timedelta(hours=1), "hour") + " ago"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 7 else day(then, zone)


def moment(then: datetime, now: datetime, zone: tzinfo) -> str:
    """When something was, to the minute: "today, 14:05", "yesterday, 21:40", "12 May 2026, 09:00"."""
    local = then.astimezone(zone)
    days = (now.astimezone(zone).date() - local.date()).days
    name = {0: "today", 1: "yesterday"}.get(days) or day(then, zone)
    return f"{name}, {local:%H:%M}"


def duration(seconds: int) -> str:
    """How long: "under a minute", "35 min", "2 h 5 min"."""
    minutes = (seconds + 30) // 60
    if minutes == 0:
        return "under a minute"
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours}{JOINED}h"] * bool(hours) + [f"{rest}{JOINED}min"] * bool(rest or not hours))


def stars(rating: int) -> str:
    """A rating in half stars as words: "3½ stars", "1 star"."""
    whole, half = divmod(rating, 2)
    number = f"{whole or ''}{'½' if half else ''}"
    return f"{number} star" if number in ("1", "½") else f"{number} stars"


def until(then: datetime, now: datetime, zone: tzinfo) -> str:
    """When something will be: "in 40 minutes", "today at 23:30", "tomorrow at 03:30", "12 May 2026"."""
    if then - now < timedelta(minutes=1):
        return "now"
    if then - now < timedelta(hours=1):
        return "in " + _counted((then - now) // timedelta(minutes=1), "minute")
    local = then.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    if days > 1:
        return day(then, zone)
    return f"{'tomorrow' if days else 'today'} at {local:%H:%M}"


def day(then: datetime, zone: tzinfo) -> str:
    """A date: "12 May 2026"."""
    local = then.astimezone(zone)
    return f"{local.day} {local:%B %Y}"


def zone_of(name: str) -> tzinfo:
    """A person's time zone; the machine's own where they named none."""
    if name and name != "UTC":
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            pass
    local = datetime.now().astimezone().tzinfo
    assert local is not None
    return local


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
