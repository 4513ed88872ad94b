"""How a persona's pillars stand: what each needs, has and lacks, when it runs dry, what is being made for it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import OuterRef
from django.utils import timezone

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.growing import KIND as DRAWN
from zoetrope.studio.pipelines.models import Pipeline, Run
from zoetrope.studio.planning import uses
from zoetrope.studio.planning.forecast import Forecast, forecast
from zoetrope.studio.planning.gaps import Gap, Plan, gaps, needed
from zoetrope.studio.planning.models import GapRun, Pillar, Rhythm
from zoetrope.studio.planning.rhythm import rhythm_of, today
from zoetrope.studio.spaces.models import Space
from zoetrope.studio.spaces.work import scope_of

# The engine's pace is told by the newest drawings among so many ended jobs.
_LOOKED = 100
_SOME = 10
_NONE = uses.Stock(0, 0)


@dataclass(frozen=True)
class Standing:
    """A pillar of the time ahead, its gap, what comes, and how many runs for it wait for their winners."""

    pillar: Pillar
    gap: Gap
    ahead: Forecast
    under_way: int

    @property
    def lacking(self) -> int:
        """How many pictures nothing is being done about."""
        return max(0, self.gap.gap - self.under_way)

    @property
    def many(self) -> bool:
        """Whether there are as many as are counted, and maybe more."""
        return self.gap.plan.available >= uses.COUNTED


@dataclass(frozen=True)
class Outlook:
    """Where a persona's plan stands today; the thinnest pillar first."""

    rhythm: Rhythm
    today: date
    standings: tuple[Standing, ...]


@dataclass(frozen=True)
class _Ahead:
    """The rhythm, which day it is, and the pillars that are current on one of the days ahead."""

    rhythm: Rhythm
    today: date
    pillars: dict[int, Pillar]
    plans: list[Plan]

    @property
    def gaps(self) -> list[Gap]:
        return gaps(self.plans, self.today, self.rhythm.days, self.rhythm.posts_per_week)


def active_plans(persona: Persona) -> list[Plan]:
    """Every pillar that is not retired, whichever its days are; what it has is for the strategy to count."""
    return [_plan(each) for each in _active(persona)]


def outlook(persona: Persona, pipeline: Pipeline | None = None, now: datetime | None = None) -> Outlook:
    """How everything stands; how long the engine would need is said for runs of that pipeline."""
    there = _ahead(persona, now)
    rhythm, found, pillars = there.rhythm, there.gaps, there.pillars
    missing = any(each.gap > 0 for each in found)
    each, per_winner = (seconds_each(persona.space), pictures_of(pipeline)) if missing and pipeline else (None, 1)
    told = forecast(there.plans, there.today, rhythm.days, each, per_winner, rhythm.posts_per_week)
    ahead = {each.plan.key: each for each in told}
    standings = (Standing(pillars[g.plan.key], g, ahead[g.plan.key], _coming(pillars[g.plan.key])) for g in found)
    return Outlook(rhythm, there.today, tuple(standings))


def thinnest(persona: Persona, most: int) -> list[tuple[Pillar, Gap, int]]:
    """So many pillars at most, those first that lack the most, and how many runs are under way for each."""
    there = _ahead(persona, None, roughly=True)
    shown = [(there.pillars[each.plan.key], each) for each in there.gaps[:most]]
    return [(pillar, gap, _coming(pillar)) for pillar, gap in shown]


def pictures_of(pipeline: Pipeline) -> int:
    """How many pictures a run draws until one wins, if nobody asks for more."""
    drawn = passed = 0
    for place, step in enumerate(pipeline.versions.all()[0].steps.all()):
        came = step.children * (passed if place else 1)
        drawn, passed = drawn + came, min(step.keep, came)
    return drawn


def seconds_each(space: Space) -> float | None:
    """What the engine took for a picture lately; None where it drew none."""
    done = jobs.Job.objects.filter(scope=scope_of(space), state=jobs.State.DONE).order_by("-pk")
    rows = done.values_list("kind", "started", "finished")[:_LOOKED]
    took = [(end - begin).total_seconds() for kind, begin, end in rows if kind == DRAWN and begin and end]
    return statistics.median(took) if took else None


def _ahead(persona: Persona, now: datetime | None, roughly: bool = False) -> _Ahead:
    """How things stand; roughly, what is left is counted only until it is plenty."""
    active = _active(persona)
    # It came with the pillars; where there are none, nothing is planned by it.
    rhythm = getattr(active[0].persona, "rhythm", None) if active else rhythm_of(persona)
    rhythm, now = rhythm or Rhythm(persona=persona), now or timezone.now()
    day = today(rhythm, now)
    most = _plenty(active, rhythm) if roughly else None
    stock = uses.stock(active, now, now + timedelta(rhythm.days), most)
    plans = [plan for plan in (_plan(each, stock[each.pk]) for each in active) if plan.days_of(day, rhythm.days)]
    keys = {plan.key for plan in plans}
    return _Ahead(rhythm, day, {each.pk: each for each in active if each.pk in keys}, plans)


def _plenty(pillars: Sequence[Pillar], rhythm: Rhythm) -> int:
    """Twice what any of them can need, and some: beyond that it is no matter which has more."""
    wanted = (needed(_plan(each), rhythm.days, rhythm.posts_per_week) for each in pillars)
    return 2 * max(wanted, default=0) + _SOME


def _plan(pillar: Pillar, stock: uses.Stock = _NONE) -> Plan:
    """A pillar as the sums of the plan take it."""
    said = {name: getattr(pillar, name) for name in ("name", "weight", "priority", "posts_per_week", "starts", "ends")}
    return Plan(key=pillar.pk, available=stock.left, planned=stock.planned, **said)


def _active(persona: Persona) -> list[Pillar]:
    rows = Pillar.objects.filter(persona=persona, retired=None).select_related("persona__rhythm", "persona__space")
    running = GapRun.objects.filter(pillar=OuterRef("pk"), run__state=Run.State.RUNNING)
    return list(rows.annotate(coming=uses.RowCount(running)))


def _coming(pillar: Pillar) -> int:
    """How many runs for it wait for their winners."""
    return int(pillar.coming)  # type: ignore[attr-defined]
