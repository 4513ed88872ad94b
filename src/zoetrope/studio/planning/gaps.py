"""Which pillars lack pictures for the time ahead, and which of them is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from math import ceil

EACH_WEEK = 3.0
"""How many posts a week a persona makes that says nothing else."""
# More missing pictures than this are critical; so many there are make a pillar without a gap ready.
_CRITICAL, _READY = 5, 3


class Status(StrEnum):
    """How a pillar stands."""

    EXHAUSTED = "exhausted"
    CRITICAL = "critical"
    LOW = "low"
    READY = "ready"
    MINIMAL = "minimal"


@dataclass(frozen=True)
class Plan:
    """A pillar: its weight in percent, its priority (1 is the most important), the pictures that no post has.

    `planned` is how many posts of the time ahead have their pictures already; it is current from `starts` to `ends`,
    both included, and none is for ever.
    """

    key: int
    name: str
    weight: int
    priority: int
    posts_per_week: float | None
    available: int
    planned: int = 0
    starts: date | None = None
    ends: date | None = None

    @property
    def there(self) -> int:
        """For how many posts there are pictures."""
        return self.available + self.planned

    def current(self, day: date) -> bool:
        """Whether it is posted about on that day."""
        return (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)

    def days_of(self, first: date, days: int) -> int:
        """On how many of so many days it is current."""
        waits = max((self.starts - first).days, 0) if self.starts else 0
        over = (self.ends - first).days + 1 if self.ends else days
        return max(min(days, over) - waits, 0)


@dataclass(frozen=True)
class Gap:
    """How many pictures a pillar needs, and how many of them it lacks; fewer than none where it has some to spare."""

    plan: Plan
    needed: int
    gap: int
    status: Status


def gaps(plans: Sequence[Plan], today: date, days: int, each_week: float = EACH_WEEK) -> list[Gap]:
    """Every pillar's gap over so many days: the largest first, then by priority, then by name."""
    found = [_gap(plan, plan.days_of(today, days), each_week) for plan in plans]
    return sorted(found, key=lambda each: (-each.gap, each.plan.priority, each.plan.name, each.plan.key))


def next_pillar(plans: Sequence[Plan], shares: Mapping[int, float]) -> Plan | None:
    """The pillar that is furthest behind its weight among those with pictures; None where none has any.

    `shares` says, by a pillar's key, which part (0 to 1) of the last 30 days' posts was its own.
    """
    with_pictures = [plan for plan in plans if plan.available > 0]
    return min(with_pictures, key=lambda plan: (-lag(plan, shares), plan.priority, plan.name, plan.key), default=None)


def lag(plan: Plan, shares: Mapping[int, float]) -> float:
    """How far a pillar is behind its weight, as a part of all posts; negative where it is ahead."""
    return plan.weight / 100 - shares.get(plan.key, 0.0)


def needed(plan: Plan, days: int, each_week: float = EACH_WEEK) -> int:
    """How many pictures a pillar needs for so many of its days: by its own posts a week, or its weight in all posts."""
    if plan.posts_per_week is not None:
        return ceil(exact(plan.posts_per_week) * days / 7)
    return ceil(Fraction(ceil(exact(each_week) * days / 7) * plan.weight, 100))


def exact(number: float) -> Fraction:
    """A number as it was typed: a sum of parts of two could round up where none is missing."""
    return Fraction(str(number))


def _gap(plan: Plan, days: int, each_week: float) -> Gap:
    wanted = needed(plan, days, each_week)
    gap = wanted - plan.there
    return Gap(plan, wanted, gap, _status(plan.there, gap))


def _status(there: int, gap: int) -> Status:
    if there == 0:
        return Status.EXHAUSTED
    if gap > _CRITICAL:
        return Status.CRITICAL
    if gap > 0:
        return Status.LOW
    return Status.READY if there >= _READY else Status.MINIMAL
