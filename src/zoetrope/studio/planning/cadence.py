"""Rules about time: how often, how far apart, at which hours, and how soon a cluster may come again.

Every moment is an aware `datetime`. A day is a local day of the persona's zone; a week is from Monday to Sunday there.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from zoetrope.errors import UserError
from zoetrope.studio.planning.slots import Slot, at_local, local, on_day

# How many days ahead a free time is looked for.
_AHEAD = 366
# Days of personas that are planned at the same time.
_REMEMBERED = 1024


class Rule(StrEnum):
    """A rule by its name; the two about clusters give way where nothing else is left."""

    WEEK = "posts a week"
    APART = "hours apart"
    HOURS = "best hours"
    REST = "days before a cluster repeats"
    MOST = "most of a cluster a week"


@dataclass(frozen=True)
class Cadence:
    """How a persona posts.

    Best hours are pairs of whole local hours, the first in and the second out: (5, 8) is from 05:00 to just before
    08:00. After a cluster's post, `days_between` = 2 lets it come again on the second day after.
    """

    zone: ZoneInfo
    at_least: int = 3
    at_most: int = 5
    hours_apart: float = 24.0
    best_hours: tuple[tuple[int, int], ...] = ((5, 8), (10, 15))
    days_between: int = 2
    cluster_most: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.at_least <= self.at_most:
            raise UserError(f"A week cannot have at least {self.at_least} and at most {self.at_most} posts.")
        if wrong := [each for each in self.best_hours if not 0 <= each[0] < each[1] <= 24]:
            raise UserError(
                f"Best hours cannot be from {wrong[0][0]} to {wrong[0][1]}: give two hours between 0 and 24."
            )


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The day of a moment."""
    return local(at, zone).date()


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(day.weekday())


def is_best(at: datetime, cadence: Cadence) -> bool:
    """Whether a moment is in the best hours; where none are named, all are."""
    hour = local(at, cadence.zone).hour
    return not cadence.best_hours or any(first <= hour < end for first, end in cadence.best_hours)


def wanting(at: datetime, posts: Iterable[datetime], cadence: Cadence) -> int:
    """How many posts a moment's week still lacks of the least it should have."""
    return max(cadence.at_least - _weeks(posts, cadence.zone)[week_of(local_day(at, cadence.zone))], 0)


def broken(at: datetime, posts: Collection[datetime], cadence: Cadence) -> tuple[Rule, ...]:
    """The rules of time that a post at a moment would break beside the others, earlier and later ones."""
    judged = {
        Rule.WEEK: _weeks(posts, cadence.zone)[week_of(local_day(at, cadence.zone))] >= cadence.at_most,
        Rule.APART: not _apart(local(at, UTC), _in_order(posts), cadence),
        Rule.HOURS: not is_best(at, cadence),
    }
    return tuple(rule for rule, breaks in judged.items() if breaks)


def free_times(
    after: datetime, posts: Iterable[datetime], cadence: Cadence, slots: Sequence[Slot] = ()
) -> tuple[datetime, ...]:
    """Every time that breaks no rule on the first day that has one, in UTC; none where a year has none.

    Where there are slots, they are the times, at whatever hour; otherwise every full hour of the best hours is.
    """
    after = local(after, UTC)
    since = after - timedelta(days=8, hours=cadence.hours_apart)
    near = _in_order(post for post in posts if post >= since)
    weeks = _weeks(near, cadence.zone)
    for day in _days(local_day(after, cadence.zone)):
        if weeks[week_of(day)] >= cadence.at_most:
            continue
        times = on_day(slots, day, cadence.zone) if slots else _best_times(day, cadence)
        if free := tuple(at for at in times if at > after and _apart(at, near, cadence)):
            return free
    return ()


def resting(at: datetime, uses: Iterable[tuple[datetime, Collection[int]]], cadence: Cadence) -> frozenset[int]:
    """The clusters that a post at a moment would repeat too soon, or too soon before a later post."""
    day, near = local_day(at, cadence.zone), _near(at, uses, cadence.days_between + 1)
    return frozenset(
        cluster
        for other, clusters in near
        for cluster in clusters
        if abs((local_day(other, cadence.zone) - day).days) < cadence.days_between
    )


def used_up(at: datetime, uses: Iterable[tuple[datetime, Collection[int]]], cadence: Cadence) -> frozenset[int]:
    """The clusters of which a moment's week has as many posts as it may have."""
    week = week_of(local_day(at, cadence.zone))
    counts = Counter(
        cluster
        for other, clusters in _near(at, uses, 8)
        if week_of(local_day(other, cadence.zone)) == week
        for cluster in clusters
    )
    return frozenset(cluster for cluster, count in counts.items() if count >= cadence.cluster_most)


def _near(
    at: datetime, uses: Iterable[tuple[datetime, Collection[int]]], days: int
) -> Iterator[tuple[datetime, Collection[int]]]:
    """Of years of posts, those that may matter, found without asking for each which day it was."""
    first, last = at - timedelta(days), at + timedelta(days)
    return (use for use in uses if first <= use[0] <= last)


def _weeks(posts: Iterable[datetime], zone: ZoneInfo) -> Counter[date]:
    """How many posts each week has, by its Monday."""
    return Counter(week_of(local_day(post, zone)) for post in posts)


def _in_order(posts: Iterable[datetime]) -> list[datetime]:
    """In UTC, because two moments of one zone would be as far apart as its clocks say, not as the hours that passed."""
    return sorted(local(post, UTC) for post in posts)


def _apart(at: datetime, posts: Sequence[datetime], cadence: Cadence) -> bool:
    """Whether the nearest posts, which come in order, are far enough away."""
    place, least = bisect_left(posts, at), timedelta(hours=cadence.hours_apart)
    return all(abs(at - other) >= least for other in posts[max(place - 1, 0) : place + 1])


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(number) for number in range(_AHEAD))


@lru_cache(_REMEMBERED)
def _best_times(day: date, cadence: Cadence) -> list[datetime]:
    """The full best hours of a day. An hour that the spring night leaves out may fall on one that is no best one."""
    hours = [hour for hour in range(24) if any(first <= hour < end for first, end in cadence.best_hours or ((0, 24),))]
    times = {at_local(day, time(hour), cadence.zone) for hour in hours}
    return sorted(at for at in times if is_best(at, cadence) and local_day(at, cadence.zone) == day)
