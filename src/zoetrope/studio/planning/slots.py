"""Slots: a weekday and a local time. What they come to in UTC, also in the nights when clocks are changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Slot:
    """A time for a post, every week; Monday is weekday 0."""

    weekday: int
    clock: time


def upcoming(slots: Sequence[Slot], zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    """The next so many times after a moment, in UTC and in order; slots that fall on one moment count once."""
    return list(islice(_times(slots, zone, after), max(count, 0))) if slots else []


def moved(at: datetime, to_day: date, zone: ZoneInfo) -> datetime:
    """A post's time on another local day, at the same local time of day; in UTC."""
    return at_local(to_day, local(at, zone).time(), zone)


def on_day(slots: Sequence[Slot], day: date, zone: ZoneInfo) -> list[datetime]:
    """The times of one local day, in UTC and in order."""
    return sorted({at_local(day, slot.clock, zone) for slot in slots if slot.weekday == day.weekday()})


def at_local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A local time in UTC.

    One that does not exist, in the spring night, is the first after it that does; one that comes twice, in autumn, is
    the first of the two.
    """
    wanted = datetime.combine(day, clock.replace(tzinfo=None, fold=0))
    found = wanted.replace(tzinfo=zone).astimezone(UTC)
    if local(found, zone).replace(tzinfo=None, fold=0) == wanted:
        return found
    return _change(wanted.replace(tzinfo=zone, fold=1).astimezone(UTC), found, zone)


def local(at: datetime, zone: tzinfo) -> datetime:
    """A moment as the clocks of a zone show it."""
    if at.tzinfo is None:
        raise ValueError(f"{at} is no moment: it says no time zone")
    return at.astimezone(zone)


def _times(slots: Sequence[Slot], zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    day, last = local(after, zone).date(), local(after, UTC)
    while True:
        for at in on_day(slots, day, zone):
            if at > last:
                yield at
                last = at
        day += timedelta(1)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second between two moments at which the clocks are changed."""
    offset = local(before, zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        unchanged = datetime.fromtimestamp(middle, zone).utcoffset() == offset
        low, high = (middle, high) if unchanged else (low, middle)
    return datetime.fromtimestamp(high, UTC)
