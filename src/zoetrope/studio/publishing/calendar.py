"""What a calendar shows: which days, from when until when, and what lies on each; by the clocks of one zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from zoetrope.errors import UserError
from zoetrope.studio.planning.slots import at_local, local

T = TypeVar("T")
FIRST, LAST = date(1970, 1, 1), date(2199, 12, 31)
"""Days that a calendar can be opened at."""
_WEEK = timedelta(weeks=1)
_LISTED = timedelta(weeks=4)


class View(StrEnum):
    """How much is shown at once."""

    MONTH = "month"
    WEEK = "week"
    LIST = "list"


@dataclass(frozen=True)
class Span:
    """The days of a view, and where its neighbours begin; days before `opens` and from `closes` on are around it."""

    view: View
    days: tuple[date, ...]
    opens: date
    closes: date
    previous: date
    following: date

    @property
    def weeks(self) -> list[tuple[date, ...]]:
        """The same, seven by seven."""
        return [self.days[place : place + 7] for place in range(0, len(self.days), 7)]

    def inside(self, day: date) -> bool:
        """Whether a day belongs to what is shown, and is not only there because its week is."""
        return self.opens <= day < self.closes


def span(view: View, day: date) -> Span:
    """What a view shows that holds this day."""
    if not FIRST <= day <= LAST:
        raise UserError(f"The calendar reaches from {FIRST} to {LAST}.")
    if view is View.MONTH:
        opens = day.replace(day=1)
        closes = (opens + timedelta(31)).replace(day=1)
        return Span(
            view, _days(monday(opens), monday(closes - timedelta(1)) + _WEEK), opens, closes, _before(opens), closes
        )
    opens, long = (monday(day), _WEEK) if view is View.WEEK else (day, _LISTED)
    return Span(view, _days(opens, opens + long), opens, opens + long, opens - long, opens + long)


def monday(day: date) -> date:
    """The first day of a day's week."""
    return day - timedelta(day.weekday())


def bounds(first: date, after: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when until when the days from one until before another last, in UTC."""
    return at_local(first, time(), zone), at_local(after, time(), zone)


def wall(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A moment as a zone's clocks show it, for a page: one that knew its zone would be told by the server's clocks."""
    return local(at, zone).replace(tzinfo=None) if at else None


def by_day(each: Iterable[tuple[datetime, T]], zone: ZoneInfo) -> dict[date, list[tuple[datetime, T]]]:
    """Things by their local day; each with its local time, in order."""
    found: dict[date, list[tuple[datetime, T]]] = {}
    for at, thing in sorted(each, key=lambda pair: pair[0]):
        when = local(at, zone)
        found.setdefault(when.date(), []).append((when, thing))
    return found


def read_day(text: str, otherwise: date) -> date:
    """A day as addresses say it."""
    try:
        day = date.fromisoformat(text) if text else otherwise
    except ValueError:
        raise UserError(f"{text!a:.20} is no day: write it as {otherwise:%Y-%m-%d}.") from None
    if not FIRST <= day <= LAST:
        raise UserError(f"The calendar reaches from {FIRST} to {LAST}.")
    return day


def read_time(text: str) -> time:
    """A time of day as forms say it."""
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        clock = None
    # One that says a zone is another time here.
    if clock is None or clock.tzinfo is not None:
        raise UserError(f"{text!a:.20} is no time of day: write it as 14:30.")
    return clock


def _before(first: date) -> date:
    return (first - timedelta(1)).replace(day=1)


def _days(first: date, after: date) -> tuple[date, ...]:
    return tuple(first + timedelta(number) for number in range((after - first).days))
