"""When a persona's posts go out if nobody says when: its week's slots, and the next free time of a day."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from zoetrope.errors import UserError
from zoetrope.studio.planning.cadence import Cadence
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.rhythm import hours_of
from zoetrope.studio.planning.slots import Slot, at_local, on_day

_DAYS = 7
# Where a day has no slot left: its full hours, those about noon first.
_NOON, _EARLIEST, _LATEST = 12, 7, 22
_APART = timedelta(minutes=30)


def weekly(posts_per_week: float, best_hours: Sequence[tuple[int, int]] = Cadence.best_hours) -> tuple[Slot, ...]:
    """So many slots spread over a week's days, and over the best hours of each."""
    hours = [hour for first, end in best_hours for hour in range(first, end)] or [_NOON]
    count = ceil(posts_per_week)
    days = [place * _DAYS // count for place in range(count)] if count < _DAYS else list(range(_DAYS))
    slots = []
    for place, day in enumerate(days):
        share = (count * (place + 1)) // len(days) - (count * place) // len(days)
        slots += [Slot(day, time(hour)) for hour in _spread(hours, share)]
    return tuple(slots)


def slots_of(rhythm: Rhythm) -> tuple[Slot, ...]:
    """A week's slots by a persona's rhythm and its best hours."""
    return weekly(rhythm.posts_per_week, hours_of(rhythm).spans)


def next_time(day: date, slots: Sequence[Slot], taken: Collection[datetime], zone: ZoneInfo, now: datetime) -> datetime:
    """The first slot of a day that is to come and has no post yet; else the free hour nearest to noon."""
    hours = sorted(range(_EARLIEST, _LATEST + 1), key=lambda hour: (abs(hour - _NOON), hour))
    others = [at_local(day, time(hour), zone) for hour in hours]
    for at in (*on_day(slots, day, zone), *others):
        if at > now and all(abs(at - other) >= _APART for other in taken):
            return at
    if at_local(day, time(23, 59), zone) <= now:
        raise UserError(f"{day} has passed: choose a day to come; nothing was changed.")
    raise UserError(f"{day} has no full hour left: say a time; nothing was changed.")


def _spread(hours: Sequence[int], count: int) -> list[int]:
    """So many of these hours, as far from each other as can be."""
    return [hours[(2 * place + 1) * len(hours) // (2 * count)] for place in range(min(count, len(hours)))]
