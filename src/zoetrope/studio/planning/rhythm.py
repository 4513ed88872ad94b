"""A persona's rhythm: how often it posts, by whose clock a day begins, and which of its hours are the best."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from math import isfinite
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.cadence import Cadence
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.strategies import strategy_named

MOST_A_WEEK, MOST_DAYS = 21.0, 92
Hours = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Taught:
    """Somebody knows of a local hour that it is a best one, or that it is none; `why` is a sentence."""

    hour: int
    best: bool
    why: str


HOURS: list[Callable[[Persona], Sequence[Taught]]] = []
"""Whoever learns from posts adds itself. What it says counts for as long as it says so."""


@dataclass(frozen=True)
class Best:
    """A persona's best hours, as a cadence takes them, and what was taught of them."""

    spans: Hours = Cadence.best_hours
    taught: tuple[Taught, ...] = ()

    def rules(self, hour: int) -> list[str]:
        """What was taught that led to a post at this hour, as sentences."""
        said = [
            f"{each.hour:02}:00 {_beside(each.hour)}: {each.why}"
            for each in self.taught
            if each.best and each.hour == hour
        ]
        left = [f"{each.hour:02}:00" for each in self.taught if not each.best and each.hour not in _single(self.spans)]
        return [*said, f"No best hour any more, as approved learnings say: {', '.join(left)}."] if left else said


@dataclass(frozen=True)
class Wanted:
    """A rhythm as people say it."""

    zone: str
    posts_per_week: float
    strategy: str
    days: int


def rhythm_of(persona: Persona) -> Rhythm:
    """Its own, or how it is by default."""
    return Rhythm.objects.filter(persona=persona).first() or Rhythm(persona=persona)


def set_rhythm(persona: Persona, said: Wanted) -> Rhythm:
    """Post by this from now on."""
    if said.zone not in zones():
        raise UserError(f"{said.zone!a:.70} is no time zone: name one as Europe/Rome; nothing was changed.")
    # What is no number is not between two either.
    if not isfinite(said.posts_per_week) or not 0 < said.posts_per_week <= MOST_A_WEEK:
        raise UserError(f"Plan more than 0 and at most {MOST_A_WEEK:g} posts a week; nothing was changed.")
    if not 1 <= said.days <= MOST_DAYS:
        raise UserError(f"Look 1 to {MOST_DAYS} days ahead; nothing was changed.")
    strategy_named(said.strategy)
    values = {"zone": said.zone, "posts_per_week": said.posts_per_week, "strategy": said.strategy, "days": said.days}
    return Rhythm.objects.update_or_create(persona=persona, defaults=values)[0]


def best_hours(persona: Persona) -> Best:
    """The usual ones, with those that were taught, and without those that were taught to be none."""
    taught = tuple(each for told in HOURS for each in told(persona))
    known = _single(Cadence.best_hours) | {each.hour for each in taught if each.best}
    left = known - {each.hour for each in taught if not each.best}
    # Nobody posts at no hour at all.
    return Best(_spans(left or known), taught)


def hours_of(rhythm: Rhythm) -> Best:
    """Those of its persona; a rhythm of nobody yet has the usual ones."""
    return best_hours(rhythm.persona) if rhythm.persona_id else Best()


def _beside(hour: int) -> str:
    """What it makes of an hour that it was taught to be a best one."""
    usual = hour in _single(Cadence.best_hours)
    return "is a best hour, which an approved learning confirms" if usual else "is a best hour by an approved learning"


def _single(spans: Hours) -> set[int]:
    return {hour for first, end in spans for hour in range(first, end)}


def _spans(single: Iterable[int]) -> Hours:
    """Hours as pairs, the first in and the second out."""
    found: list[tuple[int, int]] = []
    for hour in sorted(single):
        if found and found[-1][1] == hour:
            found[-1] = (found[-1][0], hour + 1)
        else:
            found.append((hour, hour + 1))
    return tuple(found)


@cache
def zones() -> list[str]:
    """Every time zone that there is, by its IANA name."""
    return sorted(name for name in available_timezones() if name != "localtime")


def today(rhythm: Rhythm, now: datetime | None = None) -> date:
    """Which day it is where the persona lives."""
    return (now or timezone.now()).astimezone(ZoneInfo(rhythm.zone)).date()
