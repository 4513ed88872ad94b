"""A persona's rhythm: how often it posts, and by whose clock a day begins."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from math import isfinite
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.strategies import strategy_named

MOST_A_WEEK, MOST_DAYS = 21.0, 92


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


@cache
def zones() -> list[str]:
    """Every time zone that there is, by its IANA name."""
    return sorted(name for name in available_timezones() if name != "localtime")


def today(rhythm: Rhythm, now: datetime | None = None) -> date:
    """Which day it is where the persona lives."""
    return (now or timezone.now()).astimezone(ZoneInfo(rhythm.zone)).date()
