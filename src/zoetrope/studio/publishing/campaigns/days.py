"""When a campaign's posts go out: spread over its days, at times that break no rule as far as there are any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from zoetrope.errors import UserError
from zoetrope.studio.planning.cadence import Cadence, Rule, broken, free_times, local_day
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import slotting
from zoetrope.studio.publishing.calendar import bounds
from zoetrope.studio.publishing.models import Campaign, Post
from zoetrope.studio.publishing.strategy import cadence_of
from zoetrope.studio.publishing.times import next_time

# As far around a campaign its other posts matter.
_AROUND = timedelta(days=9)
_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True)
class Time:
    """A time for a post, or none where its days are full; and which rules gave way for it."""

    at: datetime | None
    relaxed: tuple[Rule, ...] = ()


@dataclass
class Days:
    """A campaign's days, and the times on them that have a post already."""

    opens: datetime
    closes: datetime
    cadence: Cadence
    own: Sequence[Slot]
    week: Sequence[Slot]
    now: datetime
    taken: list[datetime] = field(default_factory=list)

    def next(self, since: datetime) -> Time:
        """The first from a moment on, else from the first day on, else one that breaks a rule; it is taken then."""
        found = self._free(since) or self._free(self.opens)
        time = Time(found) if found else self._anyhow(since)
        if time.at:
            self.taken.append(time.at)
        return time

    def _free(self, since: datetime) -> datetime | None:
        after = max(since - _MOMENT, self.now)
        times = free_times(after, self.taken, self.cadence, self.own)
        there = [at for at in times if at < self.closes]
        # A best hour in the middle of the day's; of slots the first.
        return there[0 if self.own else len(there) // 2] if there else None

    def _anyhow(self, since: datetime) -> Time:
        for day in self._from(since):
            try:
                at = next_time(day, self.week, self.taken, self.cadence.zone, self.now)
            except UserError:
                continue
            return Time(at, broken(at, self.taken, self.cadence))
        return Time(None)

    def _from(self, since: datetime) -> Iterator[date]:
        """Its days from a moment's on, then those before."""
        first, last = self._day(self.opens), self._day(self.closes - _MOMENT)
        days = [first + timedelta(number) for number in range((last - first).days + 1)]
        return iter(sorted(days, key=lambda day: day < self._day(since)))

    def _day(self, at: datetime) -> date:
        return local_day(at, self.cadence.zone)


def times(campaign: Campaign, count: int, now: datetime) -> list[Time]:
    """So many more, each from its share of the days on."""
    days, before = days_of(campaign, now), campaign.ideas.filter(post__isnull=False).count()
    share = (days.closes - days.opens) / max(campaign.posts, before + count)
    return [days.next(days.opens + share * place) for place in range(before, before + count)]


def days_of(campaign: Campaign, now: datetime) -> Days:
    """How they stand."""
    rhythm = rhythm_of(campaign.persona)
    opens, closes = bounds(campaign.starts, campaign.ends + timedelta(1), ZoneInfo(rhythm.zone))
    rows = Post.objects.filter(persona=campaign.persona, due__gte=opens - _AROUND, due__lt=closes + _AROUND)
    taken = [at for at in rows.exclude(state=Post.State.FAILED).values_list("due", flat=True) if at]
    slots = slotting.own(campaign.persona)
    return Days(opens, closes, cadence_of(rhythm), slots, slotting.week(rhythm), now, taken)
